/** What a path is, without following a final symbolic link. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'socket' | 'other';
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Permission bits, `0o000` to `0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Free room of the file system that holds a path. */
export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** -1 where the file system does not count inodes. */
  readonly freeInodes: number;
}

/** The file system as the rest of Grace sees it. Paths are absolute. Failures keep their errno `code`. */
export interface Files {
  /** null when there is nothing, or nothing we may see. */
  stat(path: string): Promise<FileStat | null>;
  /** Follows symbolic links; null when nothing is there. */
  realpath(path: string): Promise<string | null>;
  /** Names in a directory, sorted; empty when it does not exist. */
  list(dir: string): Promise<readonly string[]>;
  /** At most `limitBytes` from the start, without it the whole; null when it does not exist, and for the whole of a pipe or terminal. */
  read(path: string, limitBytes?: number): Promise<Uint8Array | null>;
  /** As `read`: UTF-8 text, invalid bytes replaced. */
  readText(path: string, limitBytes?: number): Promise<string | null>;
  /** `lengthBytes` from `offset`; null when it does not exist. */
  readRange(path: string, offset: number, lengthBytes: number): Promise<Uint8Array | null>;
  readLink(path: string): Promise<string | null>;
  /** Written beside, synced and renamed: a reader sees the old or the new content, never a half. */
  writeAtomic(path: string, data: string | Uint8Array, options?: { mode?: number; uid?: number; gid?: number }): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  makeDir(path: string, options?: { mode?: number }): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeTree(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  /** Of the nearest existing ancestor; null when it cannot be told. */
  diskRoom(path: string): Promise<DiskRoom | null>;
}
