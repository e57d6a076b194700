import { globPattern } from '../kernel/index.ts';
import { basename, isAbsolute, join, relative } from 'node:path';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { openFiles } from './open-files.ts';
import { SQLITE_PARTS } from './sqlite-file.ts';
import { isSqlitePart } from './sqlite-part.ts';
import { definePrimitive } from './define-primitive.ts';
import { text, whole } from './parameter.ts';

interface Candidate {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

/** A file that was written to within this time may still be wanted by its writer. */
const AGE_MS_MIN = 60_000;
const PATHS_MAX = 200_000;
const REMOVED_MAX = 10_000;
/** Fewer inodes are as good as a full disk. */
const FREE_INODES_MIN = 64;
const CORE_DUMP = /^core(?:\.[\w.-]+)?$|\.(?:core|hprof|heapsnapshot|dmp)$/;

export const freeDiskSpace = definePrimitive({
  name: 'free_disk_space',
  description: 'Removes the oldest files that the configuration declares expendable until enough room is free.',
  risk: 'medium',

  parameters: {
    path: text('A path on the disk that is full.'),
    bytes: whole('How much has to be free.', 1, Number.MAX_SAFE_INTEGER),
  },
  confinement: 'idle files that the configuration declares expendable; no log of SQLite, and no database beside one',

  async plan({ path, bytes }, context) {
    const at = await confineTarget(context, path);
    if (await hasRoom(context, at, bytes)) return { state: 'nothing_to_do', summary: `${size(bytes)} are free for ${at}` };
    if (context.component.expendable.length === 0)
      return { state: 'refused', reason: `nothing here is declared expendable: ${context.component.name} has no "expendable" globs` };
    const candidates = await expendable(context, at);
    if (candidates.length === 0)
      return {
        state: 'refused',
        reason: `nothing here is declared expendable: no idle file on the disk of ${at} matches ${context.component.expendable.join(', ')}`,
      };
    const total = candidates.reduce((sum, file) => sum + file.sizeBytes, 0);
    const enough = await firstThatSuffice(context, at, bytes, candidates);
    return {
      state: 'ready',
      summary: `remove ${enough.length} expendable ${enough.length === 1 ? 'file' : 'files'}, oldest first, to have ${size(bytes)} free for ${at} (${size(total)} could be freed)`,
      targets: enough.map((file) => file.path),
      undo: null,
    };
  },

  async apply({ path, bytes }, context) {
    const at = await confineTarget(context, path);
    const removed: string[] = [];
    let freed = 0;
    // Looked up again: what has been written to since the plan is no candidate any more.
    for (const file of await expendable(context, at)) {
      if (await hasRoom(context, at, bytes)) break;
      context.signal.throwIfAborted();
      const real = await context.confine(file.path);
      const stat = await context.files.stat(real);
      if (stat?.kind !== 'file' || stat.mtimeMs !== file.mtimeMs || stat.sizeBytes !== file.sizeBytes) continue;
      await context.files.remove(real);
      freed += file.sizeBytes;
      removed.push(real);
      context.progress(`removed ${real}`);
    }
    const short = (await hasRoom(context, at, bytes)) ? '' : `; there is still less than ${size(bytes)} free`;
    return {
      summary: `removed ${removed.length} expendable ${removed.length === 1 ? 'file' : 'files'} (${size(freed)})${short}`,
      changed: removed,
    };
  },

  undo: null,
  irreversible: 'what is removed is gone: moved aside it would free nothing',
});

async function hasRoom(context: PrimitiveContext, at: string, bytes: number): Promise<boolean> {
  const room = await context.files.diskRoom(at);
  return room !== null && room.freeBytes >= bytes && (room.freeInodes < 0 || room.freeInodes >= FREE_INODES_MIN);
}

async function firstThatSuffice(
  context: PrimitiveContext,
  at: string,
  bytes: number,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const room = await context.files.diskRoom(at);
  let free = room?.freeBytes ?? 0;
  let inodes = room === null || room.freeInodes < 0 ? FREE_INODES_MIN : room.freeInodes;
  const chosen: Candidate[] = [];
  for (const file of candidates) {
    if (free >= bytes && inodes >= FREE_INODES_MIN) break;
    chosen.push(file);
    free += file.sizeBytes;
    inodes++;
  }
  return chosen;
}

/** Declared expendable, regular, idle, not open, on the disk of `at`; oldest first. */
async function expendable(context: PrimitiveContext, at: string): Promise<readonly Candidate[]> {
  const { component, files, host, clock } = context;
  const disk = mountOf((await files.realpath(at)) ?? at, await host.mountsBelow(at));
  if (disk === null) return [];
  const found = new Map<string, Candidate>();
  let seen = 0;
  for (const declared of component.roots) {
    const root = await files.realpath(declared);
    if (root === null) continue;
    const mounts = [...(await host.mountsBelow(root)), disk];
    const patterns = component.expendable.map((glob) =>
      globPattern(isAbsolute(glob) ? relative(declared, glob) : glob.replace(/^\.\//, '')),
    );
    const queue = [root];
    for (let dir = queue.pop(); dir !== undefined && seen < PATHS_MAX; dir = queue.pop()) {
      const names = await files.list(dir);
      for (const name of names) {
        if (++seen > PATHS_MAX) break;
        const path = join(dir, name);
        const stat = await files.stat(path);
        if (stat?.kind === 'directory') queue.push(path);
        if (stat?.kind !== 'file' || !patterns.some((pattern) => pattern.test(relative(root, path)))) continue;
        // A database without its log is another database, or none: what is expendable there is both of them, at rest.
        if (isSqlitePart(name) || SQLITE_PARTS.some((suffix) => suffix !== '' && names.includes(name + suffix))) continue;
        const isIdle = clock.nowMs() - stat.mtimeMs >= AGE_MS_MIN || CORE_DUMP.test(basename(path));
        if (isIdle && mountOf(path, mounts) === disk) found.set(path, { path, sizeBytes: stat.sizeBytes, mtimeMs: stat.mtimeMs });
      }
    }
  }
  const open = await openFiles(files, new Set(found.keys()));
  return [...found.values()]
    .filter((file) => !open.has(file.path))
    .toSorted((a, b) => a.mtimeMs - b.mtimeMs)
    .slice(0, REMOVED_MAX);
}

/** The longest mount point above a path; null when none is known. */
function mountOf(path: string, mounts: readonly string[]): string | null {
  let best: string | null = null;
  for (const mount of mounts) {
    const isAbove = mount === '/' || path === mount || path.startsWith(`${mount}/`);
    if (isAbove && (best === null || mount.length > best.length)) best = mount;
  }
  return best;
}

function size(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0)} MiB`;
}
