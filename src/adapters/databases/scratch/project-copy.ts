import { constants } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sweepLeftFolders } from '../left-folders.ts';

/** A project's own files in a directory of their own, where a tool may write and a relative path finds no live database. */
export interface ProjectCopy {
  /** Everything of it; holds `project`, `home` and `tmp`. */
  readonly root: string;
  readonly project: string;
  remove(): Promise<void>;
}

/** Sources, configs and migrations of the projects we looked at are far below this; what is above is data or output. */
const FILES_MAX = 5_000;
const FILE_BYTES_MAX = 1024 * 1024;
const BYTES_MAX = 64 * 1024 * 1024;

const PREFIX = 'grace-scratch-';
/** No run of a tool lasts a tenth of it. */
const LEFT_BEHIND_MS = 10 * 60_000;

const LEFT_OUT_DIRS = new Set([
  'node_modules',
  '.git',
  '.grace',
  '.hg',
  '.svn',
  '.next',
  '.nuxt',
  '.turbo',
  '.cache',
  'coverage',
  'tmp',
  'log',
  'logs',
]);
/** Settings of the live service, databases with what lies beside them, logs, and key material. */
const LEFT_OUT_FILES = /^\.env(?:\.|$)|\.(?:db3?|sqlite3?|s3db)(?:-\w+)?$|\.(?:log|pem|key|p12|pfx)$/i;

/**
 * Copies what a migration tool needs; installed packages are linked, in the project and above it as in a workspace.
 * Symbolic links are not followed: one of them may lead to the live database.
 * @returns null when the project is larger than a project's own files are
 */
export async function copyProject(projectDir: string): Promise<ProjectCopy | null> {
  await sweepLeftFolders(PREFIX, LEFT_BEHIND_MS, Date.now());
  const root = await mkdtemp(join(tmpdir(), PREFIX));
  const copy: ProjectCopy = {
    root,
    project: join(root, 'workspace', 'project'),
    remove: () => rm(root, { recursive: true, force: true }),
  };
  try {
    await Promise.all([copy.project, join(root, 'home'), join(root, 'tmp')].map((dir) => mkdir(dir, { recursive: true })));
    const left = { files: FILES_MAX, bytes: BYTES_MAX };
    if (!(await copyInto(projectDir, copy.project, left))) {
      await copy.remove();
      return null;
    }
    const own = join(projectDir, 'node_modules');
    if (await exists(own)) await symlink(own, join(copy.project, 'node_modules'));
    const above = await packagesAbove(projectDir);
    if (above !== null) await symlink(above, join(root, 'workspace', 'node_modules'));
    return copy;
  } catch (error) {
    await copy.remove();
    throw error;
  }
}

async function copyInto(from: string, to: string, left: { files: number; bytes: number }): Promise<boolean> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory() && !LEFT_OUT_DIRS.has(entry.name)) {
      await mkdir(target);
      if (!(await copyInto(source, target, left))) return false;
    } else if (entry.isFile() && !LEFT_OUT_FILES.test(entry.name)) {
      const { size } = await stat(source);
      if (size > FILE_BYTES_MAX) continue;
      left.files -= 1;
      left.bytes -= size;
      if (left.files < 0 || left.bytes < 0) return false;
      await copyFile(source, target, constants.COPYFILE_FICLONE);
    }
  }
  return true;
}

async function packagesAbove(projectDir: string): Promise<string | null> {
  for (let dir = dirname(projectDir); ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules');
    if (await exists(candidate)) return candidate;
    if (dir === dirname(dir)) return null;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
