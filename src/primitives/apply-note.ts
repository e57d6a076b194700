import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';

// What `apply` found out on its way and `undo` needs. The undo record is stored before anything happens, so what is
// known only afterwards (which rows were written, how large the file is now) is noted in Grace's own directory.

export async function writeNote(context: PrimitiveContext, path: string, note: Json): Promise<void> {
  await context.files.writeAtomic(path, JSON.stringify(note), { mode: 0o600 });
}

/** Null when apply did not get that far. */
export async function readNote<T extends Json>(context: PrimitiveContext, path: string): Promise<T | null> {
  const text = await context.files.readText(path);
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null; // written atomically, so this is not ours: as good as none
  }
}
