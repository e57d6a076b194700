/** What can be wrong with a log. One word for each kind of tampering, stable, for scripts. */
export type FindingKind =
  /** The bytes of an entry are not those that were hashed when it was written. */
  | 'changed'
  /** Entries that were there are not. */
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'duplicate'
  /** More entries than the signed head covers. */
  | 'unsigned'
  /** Not RFC 8785, or not UTF-8, or not JSON. */
  | 'not_canonical'
  /** A member is missing or of another type; no moment for a timestamp. */
  | 'shape'
  | 'timestamp'
  /** The last line was cut off while it was written. */
  | 'torn'
  /** The entries do not hash to the root that was signed. */
  | 'root'
  /** A hash that the log keeps of its tree is not the one that the entries make. */
  | 'node'
  /** Contents are gone, and no entry says that retention drops them. */
  | 'dropped'
  | 'signature'
  | 'unknown_key'
  | 'origin'
  /** A checkpoint that can not be read, or is not there. */
  | 'checkpoint'
  | 'key_rotation'
  /** A checkpoint held elsewhere covers more entries than there are now. */
  | 'truncated'
  /** A checkpoint held elsewhere covers another history. */
  | 'forked';

/** One thing that is wrong, and where. */
export interface Finding {
  readonly kind: FindingKind;
  /** First entry it is about; null when it is about the log or a checkpoint. */
  readonly from: number | null;
  /** Last entry it is about; null when it is one, or goes on to the end. */
  readonly to: number | null;
  /** What and where, for people. */
  readonly message: string;
}

/** After so many of one kind more would say no more, and hide what else is wrong. */
const FINDINGS_MAX = 20;

/** What was found, in order, and how much of it was left out. */
export class Findings {
  readonly #list: Finding[] = [];
  readonly #counts = new Map<FindingKind, number>();
  #more = 0;

  add(kind: FindingKind, message: string, from: number | null = null, to: number | null = null): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= FINDINGS_MAX) this.#list.push({ kind, from, to, message });
    else this.#more++;
  }

  get list(): readonly Finding[] {
    return this.#list;
  }

  get more(): number {
    return this.#more;
  }

  has(kind: FindingKind): boolean {
    return this.#counts.has(kind);
  }
}
