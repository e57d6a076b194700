import { messageOf } from '../../kernel/index.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import type { Findings } from './finding.ts';
import type { KeyChain } from './key-chain.ts';
import { areEqual, type Hash } from './merkle.ts';
import type { AuditReader, StoredCheckpoint } from './ports.ts';
import { checkNote, parseNote, type SignedNote } from './signed-note.ts';

/** Heads with another root that are remembered: of a changed entry all that follow have one. */
const WRONG_MAX = 100;

interface ReadHead {
  readonly note: SignedNote;
  readonly checkpoint: Checkpoint;
}

/** What is wrong with one by itself; `misfiled`: it is kept under another size than its own. */
interface Unread {
  readonly kind: 'misfiled' | 'checkpoint' | 'origin';
  readonly problem: string;
}

/**
 * Holds every checkpoint that a log keeps against the tree as it grows to its size. Proofs lead to them, and the next start goes by
 * the newest; so none of them may be another than was signed.
 */
export class StoredHeads {
  readonly #reader: AuditReader;
  readonly #iterator: AsyncIterator<StoredCheckpoint>;
  readonly #origin: string;
  readonly #from: number;
  readonly #head: string | null;
  readonly #findings: Findings;
  readonly #wrong: number[] = [];
  #wrongMore = 0;
  #lastFit = -1;
  #next: StoredCheckpoint | null = null;

  /**
   * @param from   smaller ones are not looked at: what is before it was believed
   * @param head   that one is checked by others, but for where it is filed
   */
  constructor(reader: AuditReader, origin: string, from: number, head: string | null, findings: Findings) {
    this.#reader = reader;
    this.#iterator = reader.checkpoints()[Symbol.asyncIterator]();
    this.#origin = origin;
    this.#from = from;
    this.#head = head;
    this.#findings = findings;
  }

  /** The next size at which it has to be asked; infinite when there is none. */
  get nextSize(): number {
    return this.#next?.size ?? Infinity;
  }

  async open(): Promise<void> {
    await this.#step();
  }

  /** The tree has `nextSize` entries. */
  async see(root: () => Hash): Promise<void> {
    const { nextSize: size } = this;
    const read = this.#read();
    await this.#step();
    if ('kind' in read) return;
    if (areEqual(root(), read.checkpoint.root)) this.#lastFit = size;
    else if (this.#wrong.length < WRONG_MAX) this.#wrong.push(size);
    else this.#wrongMore++;
  }

  /**
   * What is wrong with them, now that all entries went by and it is known which key signs what.
   * @param lastFit   size of the last other head that the entries fit; they are right up to there, so that the checkpoint is wrong
   * @param head      the newest one, which is looked at by others; later ones came while this one was read
   */
  async end(chain: KeyChain, lastFit: number, head: { readonly size: number; readonly note: string } | null): Promise<void> {
    // Filed beyond the entries that there are: of one that is right others say so.
    for (; this.#next !== null; await this.#step()) this.#read();
    const fits = Math.max(lastFit, this.#lastFit);
    for (const size of this.#wrong)
      if (size <= fits)
        this.#findings.add('checkpoint', `the checkpoint of ${size} entries that is kept has another root than the first ${size} entries`);
    if (this.#wrongMore > 0 && fits >= (this.#wrong.at(-1) ?? Infinity))
      this.#findings.add('checkpoint', `up to ${this.#wrongMore} more checkpoints that are kept have another root than the entries`);
    for await (const stored of this.#reader.checkpoints()) {
      if (stored.size > (head?.size ?? Infinity)) break;
      if (stored.size < this.#from || stored.note === head?.note) continue;
      const read = readStored(stored, this.#origin);
      if (!('kind' in read)) this.#judgeSignature(stored.size, read, chain);
    }
  }

  #judgeSignature(size: number, { note }: ReadHead, chain: KeyChain): void {
    const check = checkNote(note, chain.keysFor(size));
    const name = `the checkpoint of ${size} entries that is kept`;
    if (check.state === 'wrong_signature') this.#findings.add('signature', `${name} has a wrong signature of key ${check.key.keyId}`);
    if (check.state === 'unknown_key') this.#findings.add('unknown_key', `${name} is signed by no known key of the log`);
  }

  #read(): ReadHead | Unread {
    const stored = this.#next as StoredCheckpoint;
    const read = readStored(stored, this.#origin);
    if ('kind' in read && (read.kind === 'misfiled' || stored.note !== this.#head))
      this.#findings.add(read.kind === 'misfiled' ? 'checkpoint' : read.kind, read.problem);
    return read;
  }

  async #step(): Promise<void> {
    do {
      const step = await this.#iterator.next();
      this.#next = step.done === true ? null : step.value;
    } while (this.#next !== null && this.#next.size >= 0 && this.#next.size < this.#from);
  }
}

function readStored({ size, note }: StoredCheckpoint, origin: string): ReadHead | Unread {
  const name = `the checkpoint that is kept as that of ${size} entries`;
  try {
    const parsed = parseNote(note);
    const checkpoint = parseCheckpoint(parsed.text);
    if (checkpoint.origin !== origin) return { kind: 'origin', problem: `${name} is of the log ${JSON.stringify(checkpoint.origin)}` };
    if (checkpoint.size !== size) return { kind: 'misfiled', problem: `${name} covers ${checkpoint.size}` };
    return { note: parsed, checkpoint };
  } catch (error) {
    return { kind: 'checkpoint', problem: `${name}: ${messageOf(error)}` };
  }
}
