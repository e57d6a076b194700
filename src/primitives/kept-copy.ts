import { basename } from 'node:path';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { isPrivateFile } from './owner-and-mode.ts';

/** What a sealed copy begins with; a copy without it is the file as it was. */
const SEALED = Buffer.from('grace sealed copy 1\n');
const ENV_FILE = /\.env$/i;
/** What anybody but the owner may do. */
const OTHERS = 0o077;

/** Whether what is in a file is for its owner alone: env files, keys, and what nobody else may even read. */
export function isPrivate(context: PrimitiveContext, path: string, mode: number | null): boolean {
  return (
    isPrivateFile(path) ||
    ENV_FILE.test(basename(path)) ||
    context.component.envFiles.includes(path) ||
    (mode !== null && (mode & OTHERS) === 0)
  );
}

/**
 * Keeps a content in Grace's own directory; that of a private file is sealed, so that neither a search of the directory nor a backup
 * of it shows a secret.
 * @param copy  of `backupName`
 */
export async function keepCopy(context: PrimitiveContext, copy: string, content: Uint8Array, isSecret: boolean): Promise<void> {
  const kept = isSecret ? Buffer.concat([SEALED, context.sealing.seal(content)]) : content;
  await context.files.writeAtomic(copy, kept, { mode: 0o600 });
}

/** Null when there is none, or none that this installation's key opens. */
export async function readCopy(context: PrimitiveContext, copy: string): Promise<Uint8Array | null> {
  const kept = await context.files.read(copy);
  if (kept === null || Buffer.compare(kept.subarray(0, SEALED.length), SEALED) !== 0) return kept;
  return context.sealing.open(kept.subarray(SEALED.length));
}
