import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { backupName, equalBytes, writeAs } from './aside.ts';
import { isPrivate, keepCopy, readCopy } from './kept-copy.ts';
import { sha256Hex } from '../kernel/index.ts';
import { PrimitiveFailed } from './errors.ts';
import type { OwnerAndMode } from './owner-and-mode.ts';

/**
 * A file that is written so that it can be taken back. What it held before is kept in Grace's own directory, sealed where it may hold
 * secrets; of what was written, a keyed digest alone. Neither is in the record.
 */
export type FileEdit = {
  readonly path: string;
  /** Null when the file did not exist. */
  readonly before: OwnerAndMode | null;
  /** Keyed digest of what the plan read: only over that is written. Null when there was no file. */
  readonly seen: string | null;
  readonly beforeCopy: string;
  /** Where the digest of what was written is noted; an earlier Grace kept the whole of it there. */
  readonly afterCopy: string;
};

/** @param path confined, and no link */
export async function planEdit(context: PrimitiveContext, path: string): Promise<FileEdit> {
  const stat = await context.files.stat(path);
  return {
    path,
    before: stat === null ? null : { uid: stat.uid, gid: stat.gid, mode: stat.mode },
    seen: await digestOf(context, path),
    beforeCopy: await backupName(context, path, 'before'),
    afterCopy: await backupName(context, path, 'after'),
  };
}

/** @throws PrimitiveFailed when the file is not what the plan read */
export async function applyEdit(
  primitive: string,
  context: PrimitiveContext,
  edit: FileEdit,
  content: string,
  as: OwnerAndMode,
): Promise<void> {
  const { files } = context;
  const path = await confineTarget(context, edit.path);
  if ((await digestOf(context, path)) !== edit.seen)
    throw new PrimitiveFailed(primitive, `${path} changed while this was being prepared`, { retryable: true });
  if (edit.before !== null)
    await keepCopy(context, edit.beforeCopy, (await files.read(path)) ?? new Uint8Array(), isPrivate(context, path, edit.before.mode));
  await files.writeAtomic(edit.afterCopy, noteOf(context, new TextEncoder().encode(content)), { mode: 0o600 });
  await writeAs(files, path, content, as);
}

/** @returns what stays because it was changed since, in words */
export async function undoEdit(context: PrimitiveContext, edit: FileEdit): Promise<readonly string[]> {
  const { files } = context;
  const path = await confineTarget(context, edit.path);
  const after = await files.read(edit.afterCopy);
  if (after === null) return []; // apply did not get as far as the file
  const present = await files.read(path);
  if (edit.before === null) {
    if (present === null) return [];
    if (!isWritten(context, present, after)) return [`${path} was changed after Grace had written it, and stays`];
    // A secret that was generated may be in use by now: it can still be had.
    await keepCopy(context, `${edit.afterCopy}.undone`, present, isPrivate(context, path, (await files.stat(path))?.mode ?? null));
    await files.remove(path);
    return [];
  }
  const before = await readCopy(context, edit.beforeCopy);
  if (before === null && (await files.stat(edit.beforeCopy)) !== null)
    return [`${path} stays as Grace wrote it: ${edit.beforeCopy} is damaged, or was sealed with another key`];
  if (before === null || (present !== null && equalBytes(present, before))) return [];
  if (present === null) return [`${path} was removed after Grace had written it; what it held before is ${edit.beforeCopy}`];
  if (!isWritten(context, present, after))
    return [`${path} was changed after Grace had written it, and stays; what it held before is ${edit.beforeCopy}`];
  await writeAs(files, path, before, edit.before);
  return [];
}

const NOTE = 'written: ';

function noteOf(context: PrimitiveContext, content: Uint8Array): string {
  return `${NOTE}${context.digest(sha256Hex(content))}\n`;
}

function isWritten(context: PrimitiveContext, present: Uint8Array, after: Uint8Array): boolean {
  return equalBytes(present, after) || equalBytes(new TextEncoder().encode(noteOf(context, present)), after);
}

async function digestOf(context: PrimitiveContext, path: string): Promise<string | null> {
  const content = await context.files.read(path);
  return content === null ? null : context.digest(sha256Hex(content));
}
