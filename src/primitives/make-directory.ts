import { dirname } from 'node:path';
import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { backupName, chownIfAllowed, removeEmptyDirectory } from './aside.ts';
import { readNote, writeNote } from './apply-note.ts';
import { PrimitiveFailed } from './errors.ts';
import type { OwnerAndMode } from './owner-and-mode.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

/** Directories to make, outermost first. */
export type MissingDirectories = {
  readonly make: readonly ({ readonly path: string } & OwnerAndMode)[];
  /** Where apply notes which of them are really its own. */
  readonly note: string;
};

export const makeDirectory = definePrimitive({
  name: 'make_directory',
  description: 'Makes a directory that is missing, with owner and mode of the directory it lies in.',
  risk: 'low',

  parameters: {
    path: text('The directory to make, with those above it that are missing.'),
  },
  confinement: 'the directories of the component, links followed',

  async plan({ path }, context) {
    const dir = await confineTarget(context, path);
    const present = await context.files.stat(dir);
    if (present?.kind === 'directory') return { state: 'nothing_to_do', summary: `${dir} is there` };
    if (present !== null) return { state: 'refused', reason: `${dir} is a ${present.kind}, not a directory: nothing is put in its place` };
    const missing = await missingDirectories(context, dir);
    if (typeof missing === 'string') return { state: 'refused', reason: missing };
    const made = missing.make.map((d) => d.path);
    return { state: 'ready', summary: `make ${made.join(', ')}`, targets: made, undo: missing as Json };
  },

  async apply({ path }, context, record) {
    const missing = record as unknown as MissingDirectories;
    const changed = await makeMissing(context, missing);
    const dir = await confineTarget(context, path);
    if ((await context.files.stat(dir))?.kind !== 'directory') throw new PrimitiveFailed('make_directory', `${dir} is still not there`);
    return { summary: changed.length === 0 ? `${dir} had appeared by itself` : `made ${changed.join(', ')}`, changed };
  },

  async undo(record, context) {
    return removeMade(context, record as unknown as MissingDirectories);
  },
});

/**
 * The directories between the nearest existing one and `dir`, and how they are to be made.
 * @returns why not, in words, when something else stands in the way
 */
export async function missingDirectories(context: PrimitiveContext, dir: string): Promise<MissingDirectories | string> {
  const { files, component } = context;
  const missing: string[] = [];
  let parent = dir;
  for (;;) {
    const stat = await files.stat(parent);
    if (stat !== null) break;
    missing.unshift(parent);
    if (dirname(parent) === parent) return `${dir} has no parent`;
    parent = dirname(parent);
  }
  for (const path of missing) await context.confine(path);
  const real = await files.realpath(parent);
  const above = real === null ? null : await files.stat(real);
  if (above?.kind !== 'directory') return `${parent} is not a directory that can be entered`;
  let limits: OwnerAndMode = above;
  const make: MissingDirectories['make'][number][] = [];
  for (const path of missing) {
    const entry = await context.lastGood.entry(component.name, path);
    const like = entry?.kind === 'directory' ? entry : limits;
    // Group and others get at most what they have in the directory above, and never write permission for everybody.
    const mode = (0o700 | (like.mode & limits.mode & 0o075) | (limits.mode & 0o2000)) & 0o2777;
    limits = { uid: like.uid, gid: like.gid, mode };
    make.push({ path, ...limits });
  }
  return { make, note: await backupName(context, dir, 'made') };
}

export async function makeMissing(context: PrimitiveContext, missing: MissingDirectories): Promise<readonly string[]> {
  const { files } = context;
  const made: string[] = [];
  for (const { path, uid, gid, mode } of missing.make) {
    await context.confine(path);
    if ((await files.stat(path)) !== null) continue;
    made.push(path);
    // Noted first: cut off between the two lines, undo finds nothing to remove.
    await writeNote(context, missing.note, made);
    await files.makeDir(path, { mode: 0o700 });
    await chownIfAllowed(files, path, uid, gid);
    await files.chmod(path, mode);
  }
  return made;
}

/** Removes what makeMissing made, as far as it is still empty. @returns what stays, in words */
export async function removeMade(context: PrimitiveContext, missing: MissingDirectories): Promise<readonly string[]> {
  const made = (await readNote<readonly string[]>(context, missing.note)) ?? [];
  const kept: string[] = [];
  for (const path of made.toReversed()) {
    await context.confine(path);
    const isGone = await removeEmptyDirectory(context.files, path);
    if (!isGone && (await context.files.stat(path)) !== null) kept.push(`${path} holds something by now and stays`);
  }
  return kept;
}
