import { statSync } from 'node:fs';
import type { ModuleFacts } from './module-facts.ts';

/** A file as it was when it was read. */
export interface FileRecord {
  /** Size, times and place on the disk: where they are the same, so is the content. */
  readonly identity: string;
  readonly digest: string;
  /** How it was read: the same text is another module under another package.json. */
  readonly kind: string;
  readonly facts: ModuleFacts;
  /** It is no JavaScript for the Node that Grace runs on. */
  readonly isMalformed: boolean;
}

/** Size, time of change in nanoseconds, inode; null when nothing is there. */
export function fileIdentity(file: string): string | null {
  try {
    const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
    return stat?.isFile() === true ? `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}` : null;
  } catch {
    return null;
  }
}
