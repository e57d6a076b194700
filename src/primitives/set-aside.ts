import { dirname, resolve } from 'node:path';
import { sha256Hex, type Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { backupName, move, writeAs } from './aside.ts';
import { confineEntry } from './confinement.ts';
import { holderOf, tieToDatabase } from './database-in-use.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { isPrivate, keepCopy, readCopy } from './kept-copy.ts';
import type { OwnerAndMode } from './owner-and-mode.ts';
import { text } from './parameter.ts';
import { hasWholeSqliteHeader } from './sqlite-file.ts';

type Moved = {
  readonly path: string;
  readonly aside: string;
  /** How it was, where it holds secrets and is sealed in `aside`; null or left out where it is moved there as it is. */
  readonly was?: OwnerAndMode | null;
};

/** What a person drops into a folder of settings is small; what is larger is data. */
const BYTES_MAX = 512 * 1024;

/**
 * For a folder of included settings (`conf.d/*.conf`): what somebody put there since the last good boot, and the program
 * cannot read. The digest is of the very content that was complained about: once it is corrected, it stays.
 */
export const setAside = definePrimitive({
  name: 'set_aside',
  description: 'Takes a file out of the way that came after the last good boot, and keeps it.',
  risk: 'medium',

  parameters: {
    path: text('The file to move aside.'),
    digest: text('SHA-256 of the content that was complained about: another content stays.'),
  },
  confinement:
    'the directories of the component, links followed; no file that was there at the last good boot, no whole database, nothing that SQLite or a process has in use',

  async plan(params, context) {
    const path = await confineEntry(context, params.path);
    const stat = await context.files.stat(path);
    if (stat === null) return { state: 'nothing_to_do', summary: `there is no ${path}` };
    if (stat.kind !== 'file') return { state: 'refused', reason: `${path} is a ${stat.kind}, not a file` };
    if (stat.sizeBytes > BYTES_MAX) return { state: 'refused', reason: `${path} is larger than ${BYTES_MAX / 1024} KiB` };
    if ((await digestOf(context, path)) !== params.digest)
      return { state: 'nothing_to_do', summary: `${path} is not the file any more that could not be read` };
    const { component, lastGood } = context;
    if (component.envFiles.includes(path) || component.command.some((word) => resolve(component.cwd, word) === path))
      return { state: 'refused', reason: `${component.name} is told to read ${path}: without it, it cannot be well` };
    if ((await lastGood.entry(component.name, path)) !== null)
      return { state: 'refused', reason: `${path} was there at the last good boot: it is part of what worked` };
    if ((await lastGood.entry(component.name, dirname(path))) === null)
      return { state: 'refused', reason: `nobody knows what was in ${dirname(path)} at the last good boot` };
    const use = await useOf(context, path);
    if (use !== null) return { state: 'refused', reason: use };
    const { uid, gid, mode } = stat;
    const was = isPrivate(context, path, mode) ? { uid, gid, mode } : null;
    const undo: Moved = { path, aside: await backupName(context, path), was };
    return { state: 'ready', summary: `move ${path} aside: it came after the last good boot`, targets: [path], undo };
  },

  async apply(params, context, record) {
    const { path, aside, was } = record as unknown as Moved;
    await confineEntry(context, path);
    if ((await context.files.stat(path)) === null) return { summary: `${path} has gone by itself`, changed: [] };
    if ((await digestOf(context, path)) !== params.digest)
      throw new PrimitiveFailed('set_aside', `${path} changed while this was being prepared`, { retryable: true });
    const use = await useOf(context, path);
    if (use !== null) throw new PrimitiveFailed('set_aside', use);
    if (was === undefined || was === null) {
      await move(context.files, path, aside);
      return { summary: `moved ${path} to ${aside}`, changed: [path] };
    }
    await keepCopy(context, aside, (await context.files.read(path)) ?? new Uint8Array(), true);
    await context.files.remove(path);
    return { summary: `moved ${path} to ${aside}, encrypted: it may hold secrets`, changed: [path] };
  },

  async undo(record: Json, context) {
    const { path, aside, was } = record as unknown as Moved;
    await confineEntry(context, path);
    if ((await context.files.stat(aside)) === null) return [];
    const sealed = was ? await readCopy(context, aside) : null;
    if (was && sealed === null) return [`${path} stays away: ${aside} is damaged, or was sealed with another key`];
    if (sealed !== null && (await context.files.stat(path)) !== null && (await digestOf(context, path)) === sha256Hex(sealed)) {
      await context.files.remove(aside); // cut off before it was taken away, or after it had come back
      return [];
    }
    if ((await context.files.stat(path)) !== null) return [`${path} is there anew and stays; the one from before is ${aside}`];
    // Whoever opened a database meanwhile, here or where it is kept, has a log that belongs to it, or is going to have one.
    for (const at of [path, aside]) {
      const tie = (await tieToDatabase(context.files, at)) ?? (await holding(context, at));
      if (tie !== null) return [`${path} stays away: ${tie}; the one from before is ${aside}`];
    }
    if (was && sealed !== null) {
      await writeAs(context.files, path, sealed, was);
      await context.files.remove(aside);
    } else await move(context.files, aside, path);
    return [];
  },
});

/** Why it must not be taken from its place; null when nobody would miss it there. */
async function useOf(context: PrimitiveContext, path: string): Promise<string | null> {
  const tie = (await tieToDatabase(context.files, path)) ?? (await holding(context, path));
  if (tie !== null) return tie;
  // A damaged header is none. What is whole is data, whatever folder it is in; recover_sqlite knows what to do with it.
  return (await hasWholeSqliteHeader(context.files, path)) ? `${path} is a SQLite database: data is not put away` : null;
}

async function holding(context: PrimitiveContext, path: string): Promise<string | null> {
  const holder = await holderOf(context.files, path);
  return holder === null ? null : `process ${holder} has ${path} open: stop it first`;
}

async function digestOf(context: PrimitiveContext, path: string): Promise<string | null> {
  const content = await context.files.read(path);
  return content === null ? null : sha256Hex(content);
}
