import type { Project } from '../project-files.ts';
import { reachesBeyond, wordsBeyond } from '../sql-reach.ts';
import { withoutComments } from './connection-sources.ts';

/** More than any project has that we looked at; nothing is run that was not read. */
const FILES_MAX = 2_000;
/** What `Project.read` gives at most: such a file may go on. */
const FILE_BYTES_MAX = 256 * 1024;
/** Of Prisma and of Drizzle one level is used. */
const DEPTH_MAX = 3;

const STARTS = /['"`](?:node:)?(?:child_process|worker_threads|cluster|execa|cross-spawn|shelljs|zx)['"`]|\bprocess\.(?:kill|binding)\s*\(/;
const FILES = /['"`](?:node:)?(?:fs|fs\/promises|fs-extra|graceful-fs)['"`]/;
const WRITES =
  /\b(?:writeFile|appendFile|createWriteStream|copyFile|cp|rm|rmdir|unlink|rename|mkdir|mkdtemp|truncate|symlink|link|chmod|chown|outputFile|remove|emptyDir|move)(?:Sync)?\s*\(/;

/**
 * What speaks against running the migrations of a folder in an empty database: SQL that has an effect outside of it, and code that
 * starts programs or writes files. It is read as text; what is put together from parts is left to the door and to the file system.
 * @returns null when nothing does
 */
export async function whyNotTried(project: Project, folder: string): Promise<string | null> {
  const left = { files: FILES_MAX };
  return inFolder(project, folder, left, DEPTH_MAX);
}

async function inFolder(project: Project, folder: string, left: { files: number }, depth: number): Promise<string | null> {
  for (const name of await project.list(folder)) {
    const path = `${folder}/${name}`;
    if (!/\.(?:sql|[cm]?[jt]s|coffee)$/.test(name)) {
      const why = depth > 0 && !name.includes('.') && name !== 'node_modules' ? await inFolder(project, path, left, depth - 1) : null;
      if (why !== null) return why;
      continue;
    }
    left.files -= 1;
    if (left.files < 0) return `there are more than ${FILES_MAX} files in ${folder}`;
    const text = await project.read(path);
    if (text.length >= FILE_BYTES_MAX) return `${path} is too large to be looked through`;
    const why = name.endsWith('.sql') ? beyond(reachesBeyond(text)) : whyNotCode(withoutComments(name, text));
    if (why !== null) return `${path} ${why}`;
  }
  return null;
}

function whyNotCode(text: string): string | null {
  if (STARTS.test(text)) return 'starts programs';
  if (FILES.test(text) && WRITES.test(text)) return 'writes files';
  return beyond(wordsBeyond(text));
}

function beyond(words: string | null): string | null {
  return words === null ? null : `has a statement that reaches beyond its database: ${words}`;
}
