import { EMPTY_FRONTIER, HASH_BYTES, nodeHash, type Hash } from './merkle.ts';

const START_HASHES = 1024;

/** All nodes of a tree in memory, for a log that keeps none: 64 bytes an entry. */
export class NodeTable {
  readonly #levels: Uint8Array[] = [];
  readonly #counts: number[] = [];

  get size(): number {
    return this.#counts[0] ?? EMPTY_FRONTIER.size;
  }

  append(leaf: Hash): void {
    let hash = leaf;
    for (let level = 0; ; level++) {
      const index = this.#push(level, hash);
      const left = index % 2 === 1 ? this.node(level, index - 1) : null;
      if (left === null) return;
      hash = nodeHash(left, hash);
    }
  }

  node(level: number, index: number): Hash | null {
    const hashes = this.#levels[level];
    if (hashes === undefined || index >= (this.#counts[level] ?? 0)) return null;
    return hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }

  #push(level: number, hash: Hash): number {
    const index = this.#counts[level] ?? 0;
    let hashes = this.#levels[level] ?? new Uint8Array(START_HASHES * HASH_BYTES);
    if ((index + 1) * HASH_BYTES > hashes.length) {
      const larger = new Uint8Array(hashes.length * 2);
      larger.set(hashes);
      hashes = larger;
    }
    hashes.set(hash, index * HASH_BYTES);
    this.#levels[level] = hashes;
    this.#counts[level] = index + 1;
    return index;
  }
}
