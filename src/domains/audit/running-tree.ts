import { hash } from 'node:crypto';
import { ENTRY_BYTES_MAX } from './entry.ts';
import { HASH_BYTES, type Frontier, type Hash } from './merkle.ts';

/** A size has at most 53 bits. */
const PEAKS_MAX = 53;

/**
 * A tree that is only grown and asked for its root, as often as a million times a run: the same as `appendLeaf`, in memory of
 * its own that never grows. A test holds the two against each other.
 */
export class RunningTree {
  readonly #leaf = Buffer.alloc(1 + ENTRY_BYTES_MAX);
  readonly #pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
  readonly #peaks = Buffer.alloc(PEAKS_MAX * HASH_BYTES);
  #count = 0;
  #size: number;

  constructor({ size, peaks }: Frontier) {
    for (const peak of peaks) this.#peaks.set(peak, this.#count++ * HASH_BYTES);
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns its leaf hash; entries longer than allowed are hashed like others, it is for others to refuse them */
  appendEntry(entry: Uint8Array): Hash {
    const input = entry.length <= ENTRY_BYTES_MAX ? this.#leaf : Buffer.alloc(1 + entry.length);
    input.set(entry, 1);
    const leaf = hash('sha256', input.subarray(0, entry.length + 1), 'buffer');
    this.appendLeaf(leaf);
    return leaf;
  }

  appendLeaf(leaf: Hash): void {
    const pair = this.#pair;
    let right = leaf;
    for (let index = this.#size; index % 2 === 1; index = (index - 1) / 2) {
      const start = --this.#count * HASH_BYTES;
      this.#peaks.copy(pair, 1, start, start + HASH_BYTES);
      pair.set(right, 1 + HASH_BYTES);
      right = hash('sha256', pair, 'buffer');
    }
    this.#peaks.set(right, this.#count++ * HASH_BYTES);
    this.#size++;
  }

  frontier(): Frontier {
    const peaks = Array.from({ length: this.#count }, (_, i) =>
      Uint8Array.from(this.#peaks.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
    );
    return { size: this.#size, peaks };
  }
}
