import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { backupName, equalBytes, writeAs } from './aside.ts';
import { UndoRefused } from './errors.ts';
import type { OwnerAndMode } from './owner-and-mode.ts';

/**
 * A file that is written so that it can be taken back. Both contents are kept in Grace's private directory and not in
 * the record: they may hold secrets.
 */
export type FileEdit = {
  readonly path: string;
  /** Null when the file did not exist. */
  readonly before: OwnerAndMode | null;
  readonly beforeCopy: string;
  readonly afterCopy: string;
};

/** @param path confined, and no link */
export async function planEdit(context: PrimitiveContext, path: string): Promise<FileEdit> {
  const stat = await context.files.stat(path);
  return {
    path,
    before: stat === null ? null : { uid: stat.uid, gid: stat.gid, mode: stat.mode },
    beforeCopy: await backupName(context, path, 'before'),
    afterCopy: await backupName(context, path, 'after'),
  };
}

export async function applyEdit(context: PrimitiveContext, edit: FileEdit, content: string, as: OwnerAndMode): Promise<void> {
  const { files } = context;
  const path = await confineTarget(context, edit.path);
  if (edit.before !== null) await files.writeAtomic(edit.beforeCopy, (await files.read(path)) ?? '', { mode: 0o600 });
  await files.writeAtomic(edit.afterCopy, content, { mode: 0o600 });
  await writeAs(files, path, content, as);
}

export async function undoEdit(primitive: string, context: PrimitiveContext, edit: FileEdit): Promise<void> {
  const { files } = context;
  const path = await confineTarget(context, edit.path);
  const after = await files.read(edit.afterCopy);
  if (after === null) return; // apply did not get as far as the file
  const present = await files.read(path);
  if (edit.before === null) {
    if (present === null) return;
    if (!equalBytes(present, after)) throw new UndoRefused(primitive, `${path} was changed after Grace had written it`);
    await files.remove(path); // its content stays in afterCopy
    return;
  }
  const before = await files.read(edit.beforeCopy);
  if (before === null || (present !== null && equalBytes(present, before))) return;
  if (present === null || !equalBytes(present, after)) throw new UndoRefused(primitive, `${path} was changed after Grace had written it`);
  await writeAs(files, path, before, edit.before);
}
