import { basename, dirname, extname, join } from 'node:path';
import type { Files } from '../kernel/index.ts';
import { isPutAside } from './aside.ts';

/** A file beside another one that its name calls an earlier state of it. */
interface SiblingBackup {
  readonly path: string;
  readonly mtimeMs: number;
  readonly sizeBytes: number;
}

/** Directories with more entries hold data, not backups of one file. */
const NAMES_MAX = 5000;

/** Regular files that are backups of `path`, newest first; what Grace put aside is none. */
export async function siblingBackups(files: Files, path: string): Promise<readonly SiblingBackup[]> {
  const dir = dirname(path);
  const names = (await files.list(dir)).slice(0, NAMES_MAX);
  const found: SiblingBackup[] = [];
  for (const name of names) {
    if (!isBackupName(basename(path), name)) continue;
    const stat = await files.stat(join(dir, name));
    if (stat?.kind === 'file') found.push({ path: join(dir, name), mtimeMs: stat.mtimeMs, sizeBytes: stat.sizeBytes });
  }
  return found.toSorted((a, b) => b.mtimeMs - a.mtimeMs);
}

const WORD = '(?:bak|backup|bkp|old|orig|prev|previous|save|saved|snapshot|copy|last|good|last-good)';
const NUMBER = '[-_.]?\\d{0,17}';

/**
 * `config.yaml.bak`, `config.yaml~`, `.config.yaml.backup`, `config.yaml.old.2`, `db.json.1`, `db-snapshot.json`,
 * `db-1700000000000.json`; not `config.yaml.example`, not `config.yaml.new`.
 */
export function isBackupName(file: string, name: string): boolean {
  if (name === file || isPutAside(name)) return false;
  const extension = extname(file);
  const stem = escapeRegExp(extension === '' ? file : file.slice(0, -extension.length));
  const whole = escapeRegExp(file);
  return (
    new RegExp(`^\\.?${whole}(?:~|[-_.]${WORD}(?:${NUMBER}|[-_.]\\d[\\dTZ:._-]{0,30})|\\.\\d{1,17})$`, 'i').test(name) ||
    (extension !== '' &&
      new RegExp(
        `^\\.?${stem}(?:[-_.]${WORD}(?:${NUMBER}|[-_.]\\d[\\dTZ:._-]{0,30})|[-_.]\\d{10,17})${escapeRegExp(extension)}$`,
        'i',
      ).test(name))
  );
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
