import type { Project } from '../project-files.ts';

/** A migration that is code. */
export const SCRIPT_FILE = /\.(?:[cm]?[jt]s|coffee)$/;
/** Where migrations lie when no config says where. */
export const COMMON_FOLDERS = [
  'migrations',
  'db/migrations',
  'src/migrations',
  'src/db/migrations',
  'database/migrations',
  'sql/migrations',
  'src/database/migrations',
] as const;

/** The common folder that has such a file; null where none has. */
export function firstFolder(project: Project, file: RegExp): Promise<string | null> {
  return firstOf(COMMON_FOLDERS, async (path) => (await project.list(path)).some((name) => file.test(name)));
}

/** The folder whose first SQL file has the mark of a tool. */
export function sqlFolder(project: Project, mark: RegExp): Promise<string | null> {
  return firstOf([...COMMON_FOLDERS, 'db/migrate'], async (path) => {
    const name = (await project.list(path)).find((candidate) => candidate.endsWith('.sql'));
    return name !== undefined && mark.test(await project.read(`${path}/${name}`));
  });
}

/** The first path that is right; null where none is. */
export async function firstOf(paths: readonly string[], isRight: (path: string) => Promise<boolean>): Promise<string | null> {
  for (const path of paths) if (await isRight(path)) return path;
  return null;
}
