import { ENTRY_BYTES_MAX, EntryRefused, entryTooLarge, HASH_BYTES, type EntryText } from '../../../domains/audit/index.ts';
import { BODY_START_TEXT, ROW_BYTES_MAX } from './entry-rows.ts';
import type { GrowingTree, TreeMark } from './growing-tree.ts';
import type { StoredTree } from './stored-tree.ts';

/** Kept between transactions; a larger one is given back after it. */
const BODIES_BYTES = 128 * 1024;
const LEAVES_BYTES = 256 * HASH_BYTES;
/** A row that has so many is written, and the next one begun: a reader takes rows whole. */
const ROW_BYTES = 256 * 1024;

/** What was gathered and where the tree was, to go back to. */
export interface BatchMark {
  readonly used: number;
  readonly count: number;
  readonly tree: TreeMark;
}

/** Gathers the entries of a transaction, for one row. */
export class EntryBatch {
  private readonly tree: GrowingTree;
  private readonly stored: StoredTree;
  private bodies: Buffer<ArrayBuffer> = Buffer.allocUnsafe(BODIES_BYTES);
  private leaves: Buffer<ArrayBuffer> = Buffer.allocUnsafe(LEAVES_BYTES);
  private used = 0;
  private count = 0;
  private readonly keepNode: StoredTree['keepNode'];

  constructor(tree: GrowingTree, stored: StoredTree) {
    this.tree = tree;
    this.stored = stored;
    this.keepNode = (level, index, hash) => stored.keepNode(level, index, hash);
  }

  /** @throws EntryRefused when it is too large; nothing has changed then */
  add({ before, after }: EntryText): void {
    const text = `${BODY_START_TEXT}${before}${this.tree.size}${after}`;
    this.makeRoom(text.length);
    const bytes = this.bodies.write(text, this.used, 'utf8');
    if (bytes - 1 > ENTRY_BYTES_MAX) throw entryTooLarge(bytes - 1);
    if (this.used + bytes > ROW_BYTES_MAX) throw new EntryRefused(`it is one of more than fit into a row of ${ROW_BYTES_MAX} bytes`);
    // The text, which is well formed and so has these bytes alone: a view of them would cost more than coding them again.
    this.leaves.write(this.tree.append(text, this.keepNode), this.count * HASH_BYTES, HASH_BYTES, 'latin1');
    this.used += bytes;
    this.count++;
  }

  mark(): BatchMark {
    return { used: this.used, count: this.count, tree: this.tree.mark() };
  }

  reset({ used, count, tree }: BatchMark): void {
    this.used = used;
    this.count = count;
    this.tree.reset(tree);
  }

  get isLarge(): boolean {
    return this.used >= ROW_BYTES;
  }

  /** Writes the row. */
  flush(): void {
    if (this.count === 0) return;
    this.stored.insert({
      first: this.tree.size - this.count,
      leaves: this.leaves.subarray(0, this.count * HASH_BYTES),
      bodies: this.bodies.subarray(0, this.used),
    });
    this.clear();
  }

  clear(): void {
    this.used = 0;
    this.count = 0;
    if (this.bodies.length > BODIES_BYTES) this.bodies = Buffer.allocUnsafe(BODIES_BYTES);
  }

  private makeRoom(chars: number): void {
    // A UTF-16 unit has at most three bytes in UTF-8.
    const bytes = this.used + 3 * chars;
    if (bytes > this.bodies.length) this.bodies = grown(this.bodies, bytes);
    if ((this.count + 1) * HASH_BYTES > this.leaves.length) this.leaves = grown(this.leaves, (this.count + 1) * HASH_BYTES);
  }
}

function grown(buffer: Buffer, bytes: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * buffer.length));
  buffer.copy(larger);
  return larger;
}
