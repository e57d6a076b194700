import { hash } from 'node:crypto';
import { ENTRY_BYTES_MAX } from './entry.ts';
import { HASH_BYTES, type Frontier, type Hash } from './merkle.ts';

/** A size has at most 53 bits. */
const PEAKS_MAX = 53;

/** Is told the nodes of some levels as they become complete. */
export interface NodeWatch {
  /** Whether it is told those of a level; of level 0 it always is. */
  holds(level: number): boolean;
  /** @param hash   valid during the call */
  see(level: number, index: number, hash: Hash): void;
}

/**
 * A tree that is only grown and asked for its root, as often as a million times a run: the same as `appendLeaf`, in memory of
 * its own that never grows. A test holds the two against each other. Hashes are asked for as text of one byte a character: as
 * buffers Node would make four pieces of memory for each.
 */
export class RunningTree {
  readonly #entry = Buffer.alloc(1 + ENTRY_BYTES_MAX);
  readonly #pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
  readonly #peaks = Buffer.alloc(PEAKS_MAX * HASH_BYTES);
  /** By turns: the last leaf hash, and the one before it. */
  readonly #leaves = [Buffer.alloc(HASH_BYTES), Buffer.alloc(HASH_BYTES)] as const;
  readonly #watch: NodeWatch | null;
  #count = 0;
  #size: number;

  constructor({ size, peaks }: Frontier, watch: NodeWatch | null = null) {
    for (const peak of peaks) this.#peaks.set(peak, this.#count++ * HASH_BYTES);
    this.#size = size;
    this.#watch = watch;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * @returns its leaf hash, valid until the next but one is appended; entries longer than allowed are hashed like others, it is for
   *          others to refuse them
   */
  appendEntry(entry: Uint8Array): Hash {
    const input = entry.length <= ENTRY_BYTES_MAX ? this.#entry : Buffer.alloc(1 + entry.length);
    input.set(entry, 1);
    const leaf = this.#size % 2 === 0 ? this.#leaves[0] : this.#leaves[1];
    leaf.write(hash('sha256', input.subarray(0, entry.length + 1), 'latin1'), 0, HASH_BYTES, 'latin1');
    this.appendLeaf(leaf);
    return leaf;
  }

  appendLeaf(leaf: Hash): void {
    const [pair, peaks, watch] = [this.#pair, this.#peaks, this.#watch];
    watch?.see(0, this.#size, leaf);
    pair.set(leaf, 1 + HASH_BYTES);
    let level = 0;
    for (let index = this.#size; index % 2 === 1;) {
      index = (index - 1) / 2;
      level++;
      const start = --this.#count * HASH_BYTES;
      peaks.copy(pair, 1, start, start + HASH_BYTES);
      pair.write(hash('sha256', pair, 'latin1'), 1 + HASH_BYTES, HASH_BYTES, 'latin1');
      if (watch?.holds(level) === true) watch.see(level, index, pair.subarray(1 + HASH_BYTES));
    }
    pair.copy(peaks, this.#count++ * HASH_BYTES, 1 + HASH_BYTES);
    this.#size++;
  }

  frontier(): Frontier {
    const peaks = Array.from({ length: this.#count }, (_, i) =>
      Uint8Array.from(this.#peaks.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
    );
    return { size: this.#size, peaks };
  }
}
