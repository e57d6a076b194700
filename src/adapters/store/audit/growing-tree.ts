import { hash } from 'node:crypto';
import { HASH_BYTES, type Frontier, type Hash } from '../../../domains/audit/index.ts';
import { bytesOf, textOf, type HashText } from './hash-text.ts';
import type { LogHead } from './log-head.ts';

/** What the tree was, to go back to when a transaction fails. */
export interface TreeMark {
  readonly size: number;
  readonly peaks: readonly HashText[];
  readonly lastLeaf: HashText | null;
}

/** The tree while it is written: the same as `appendLeaf`, without a piece of memory for each hash. */
export class GrowingTree {
  readonly #pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
  #peaks: HashText[] = [];
  #size = 0;
  #lastLeaf: HashText | null = null;

  constructor(head: LogHead) {
    this.goOnFrom(head);
  }

  get size(): number {
    return this.#size;
  }

  get lastLeaf(): Hash | null {
    return this.#lastLeaf === null ? null : bytesOf(this.#lastLeaf);
  }

  /**
   * @param prefixed   the entry behind U+0000, which is the byte that RFC 6962 puts before a leaf
   * @param complete   is told each subtree that is complete now, from level 1 on
   * @returns the hash of the leaf
   */
  append(prefixed: string, complete: (level: number, index: number, hash: HashText) => void): HashText {
    const leaf = hash('sha256', prefixed, 'latin1');
    let node = leaf;
    let level = 0;
    for (let index = this.#size; index % 2 === 1;) {
      index = (index - 1) / 2;
      level++;
      this.#pair.write(this.#peaks.pop() as HashText, 1, HASH_BYTES, 'latin1');
      this.#pair.write(node, 1 + HASH_BYTES, HASH_BYTES, 'latin1');
      node = hash('sha256', this.#pair, 'latin1');
      complete(level, index, node);
    }
    this.#peaks.push(node);
    this.#size++;
    this.#lastLeaf = leaf;
    return leaf;
  }

  frontier(): Frontier {
    return { size: this.#size, peaks: this.#peaks.map(bytesOf) };
  }

  mark(): TreeMark {
    return { size: this.#size, peaks: [...this.#peaks], lastLeaf: this.#lastLeaf };
  }

  reset({ size, peaks, lastLeaf }: TreeMark): void {
    this.#size = size;
    this.#peaks = [...peaks];
    this.#lastLeaf = lastLeaf;
  }

  goOnFrom({ frontier: { size, peaks }, lastLeaf }: LogHead): void {
    this.reset({ size, peaks: peaks.map(textOf), lastLeaf: lastLeaf === null ? null : textOf(lastLeaf) });
  }
}
