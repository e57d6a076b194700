import { hash } from 'node:crypto';
import { invariant } from '../../kernel/index.ts';
import { HASH_BYTES, type Hash } from './merkle.ts';

// The directory of c2sp.org/tlog-tiles, which any server of static files can serve: hashes in tiles of 256, entries in bundles
// of 256. Level l of the tiles holds level 8 * l of the tree.

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/**
 * @param level   of the tile, or `entries`
 * @param width   hashes or entries in it: 256, or fewer in the last one
 * @returns       for example `tile/0/x001/x234/067.p/8`
 */
export function tilePath(level: number | 'entries', index: number, width: number): string {
  const groups: string[] = [];
  for (let rest = index; ; rest = Math.floor(rest / 1000)) {
    groups.unshift(`${groups.length === 0 ? '' : 'x'}${String(rest % 1000).padStart(3, '0')}`);
    if (rest < 1000) break;
  }
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Where the hash of a complete subtree is made from: a run of hashes in one tile. */
export interface TileRun {
  /** Of the tile. */
  readonly level: number;
  readonly index: number;
  /** First hash of the run. */
  readonly first: number;
  /** How many: a power of two. */
  readonly count: number;
}

export function tileRunOf(level: number, index: number): TileRun {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level - tileLevel * TILE_HEIGHT);
  const start = index * count;
  return { level: tileLevel, index: Math.floor(start / TILE_WIDTH), first: start % TILE_WIDTH, count };
}

/** How wide a tile is in a tree of this size: 256, fewer, or 0 where there is none. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const hashes = level === 'entries' ? size : Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** Hashing is synchronous, so one piece of memory serves all nodes. */
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/**
 * The root of a run of hashes: a complete subtree. They are asked for as text of one byte a character: as buffers Node would make four
 * pieces of memory for each.
 */
export function runRoot(tile: Uint8Array, { first, count }: Pick<TileRun, 'first' | 'count'>): Hash {
  invariant((first + count) * HASH_BYTES <= tile.length, 'the run is within the tile');
  const nodes = Buffer.from(tile.subarray(first * HASH_BYTES, (first + count) * HASH_BYTES));
  for (let left = count / 2; left >= 1; left /= 2)
    for (let i = 0; i < left; i++) {
      nodes.copy(pair, 1, 2 * i * HASH_BYTES, 2 * (i + 1) * HASH_BYTES);
      nodes.write(hash('sha256', pair, 'latin1'), i * HASH_BYTES, HASH_BYTES, 'latin1');
    }
  return nodes.subarray(0, HASH_BYTES);
}

/** Entries as a tile holds them: each behind its length, a big-endian uint16. */
export function entryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(entries.flatMap((entry) => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]));
}

/** @returns null when the bundle does not hold exactly so many */
export function readEntryBundle(bundle: Uint8Array, count: number): readonly Uint8Array[] | null {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + 2 <= bundle.length) {
    const end = at + 2 + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0));
    if (end > bundle.length) return null;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return at === bundle.length && entries.length === count ? entries : null;
}
