import { open, type FileHandle } from 'node:fs/promises';
import type { Hash, StoredEntry } from '../../domains/audit/index.ts';

/** The hash of every entry, a line each, in an export in which some are left as their hash alone. */
export const LEAF_HASHES = 'leaf-hashes';

/** 32 bytes in base64, and a line feed: so each has its place. */
const LINE_BYTES = 45;

/**
 * Lines of `entries.jsonl` as stored entries: where one is empty, its hash stands for it. An empty line without a hash stays
 * an empty line, which is no entry.
 * @param first  place of the first of them
 */
export async function withHashes(path: string, lines: readonly Uint8Array[], first: number): Promise<readonly StoredEntry[]> {
  if (lines.every((line) => line.length > 0)) return lines;
  await using file = await open(path, 'r');
  return Promise.all(lines.map(async (line, i) => (line.length > 0 ? line : ((await hashAt(file, first + i)) ?? line))));
}

async function hashAt(file: FileHandle, place: number): Promise<{ readonly leafHash: Hash } | null> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(LINE_BYTES), 0, LINE_BYTES, place * LINE_BYTES);
  const hash = Buffer.from(buffer.subarray(0, LINE_BYTES - 1).toString('latin1'), 'base64');
  return bytesRead === LINE_BYTES && hash.length === 32 ? { leafHash: new Uint8Array(hash) } : null;
}
