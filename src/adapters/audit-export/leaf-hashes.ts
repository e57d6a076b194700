import { open, type FileHandle } from 'node:fs/promises';
import { HASH_BYTES, type Hash, type StoredEntry } from '../../domains/audit/index.ts';

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

/** Read by a reader of the hashes that goes from one to the next. */
const READ_LINES = 1024;

/** The hashes of an export, one after the other. */
export class LeafHashes {
  readonly #path: string;
  #first = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(path: string) {
    this.#path = path;
  }

  /** Null where there is none. */
  async at(place: number): Promise<Hash | null> {
    const start = (place - this.#first) * LINE_BYTES;
    if (start < 0 || start + LINE_BYTES > this.#bytes.length) await this.#read(place);
    return hashIn(this.#bytes.subarray((place - this.#first) * LINE_BYTES));
  }

  async #read(place: number): Promise<void> {
    await using file = await open(this.#path, 'r');
    const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_LINES * LINE_BYTES), 0, READ_LINES * LINE_BYTES, place * LINE_BYTES);
    this.#first = place;
    this.#bytes = buffer.subarray(0, bytesRead);
  }
}

async function hashAt(file: FileHandle, place: number): Promise<{ readonly leafHash: Hash } | null> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(LINE_BYTES), 0, LINE_BYTES, place * LINE_BYTES);
  const leafHash = hashIn(buffer.subarray(0, bytesRead));
  return leafHash === null ? null : { leafHash };
}

/** Of the line that begins here. */
function hashIn(bytes: Buffer): Hash | null {
  if (bytes.length < LINE_BYTES) return null;
  const hash = Buffer.from(bytes.subarray(0, LINE_BYTES - 1).toString('latin1'), 'base64');
  return hash.length === HASH_BYTES ? new Uint8Array(hash) : null;
}
