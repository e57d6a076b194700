import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openRegularFile } from './regular-file.ts';

/** What a project directory tells about its migrations, read once and bounded. */
export interface Project {
  readonly cwd: string;
  /** Names in the directory itself. */
  readonly names: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
  readonly scripts: Readonly<Record<string, string>>;
  /** The first name that matches; null when none does. */
  find(pattern: RegExp): string | null;
  /** Text of a file below the directory; '' when there is none, or none that is a file. */
  read(path: string): Promise<string>;
  /** Names in a folder, sorted; empty when there is none. */
  list(path: string): Promise<readonly string[]>;
}

/** A config or a migration header is shorter; the rest of a longer file does not matter to us. */
const FILE_BYTES_LIMIT = 256 * 1024;
const NAMES_LIMIT = 20_000;

export async function openProject(cwd: string): Promise<Project> {
  const list = async (path: string) => (await readdir(join(cwd, path)).catch((): string[] => [])).slice(0, NAMES_LIMIT).toSorted();
  const read = (path: string) => readText(join(cwd, path));
  const names = await list('.');
  const manifest = parseManifest(await read('package.json'));
  return {
    cwd,
    names: new Set(names),
    dependencies: new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]),
    scripts: manifest.scripts,
    find: (pattern) => names.find((name) => pattern.test(name)) ?? null,
    read,
    list,
  };
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await openRegularFile(path);
    if (file === null) return '';
    const buffer = Buffer.alloc(FILE_BYTES_LIMIT);
    const { bytesRead } = await file.read(buffer, 0, FILE_BYTES_LIMIT, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return ''; // it cannot be read: then it tells us nothing
  }
}

function parseManifest(text: string) {
  const parsed = parseJson(text);
  const part = (name: string): Record<string, string> => {
    const value = parsed?.[name];
    if (value === null || typeof value !== 'object') return {};
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  };
  return { scripts: part('scripts'), dependencies: part('dependencies'), devDependencies: part('devDependencies') };
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // a package.json that is damaged is found and told elsewhere
  }
}
