import type { Findings } from './finding.ts';
import { areEqual, type Hash } from './merkle.ts';

/** Gaps, and entries before their time, that are remembered to tell what was moved from what was removed. */
const GAPS_MAX = 1000;

interface Gap {
  from: number;
  /** Last one missing. */
  to: number;
  /** Where it shows. */
  readonly line: number;
}

/** An entry that came too early: either those before it are missing, or it alone is in the wrong place. The next one tells. */
interface Jump {
  readonly expected: number;
  readonly sequence: number;
  readonly line: number;
  /** Entries since then that tell no sequence. */
  skipped: number;
}

/** Watches the sequence numbers go by, and says what happened where they do not count up by one. */
export class SequenceCheck {
  readonly #gaps: Gap[] = [];
  readonly #early = new Set<number>();
  #jump: Jump | null = null;
  #lost = 0;
  #next: number;
  #last: Hash | null = null;

  constructor(first: number) {
    this.#next = first;
  }

  /** The one after the last that was in its place: so many there must have been. */
  get next(): number {
    return this.#next;
  }

  /**
   * @param line   zero-based place at which it stands
   * @param leaf   its hash, valid until the next call only if the caller keeps it
   */
  see(sequence: number, line: number, leaf: Hash, findings: Findings): void {
    if (this.#jump !== null) this.#judge(this.#jump, sequence, findings);
    if (sequence !== this.#next) while (this.#early.delete(this.#next)) this.#next++;
    if (sequence === this.#next) {
      if (this.#early.delete(sequence)) findings.add('duplicate', `entry ${sequence} stands at place ${line} a second time`, sequence);
      this.#next++;
    } else if (sequence > this.#next) this.#jump = { expected: this.#next, sequence, line, skipped: 0 };
    else if (this.#fills(sequence)) findings.add('reordered', `entry ${sequence} stands at place ${line}, after later ones`, sequence);
    else if (sequence === this.#next - 1 && this.#last !== null && areEqual(this.#last, leaf))
      findings.add('duplicate', `entry ${sequence} stands at place ${line} a second time`, sequence);
    else findings.add('inserted', `a further entry says at place ${line} that it is entry ${sequence}`, sequence);
    this.#last = leaf;
  }

  /** An entry that tells no sequence: it is taken for the one that belongs here. */
  skip(): void {
    if (this.#jump !== null) this.#jump.skipped++;
    else this.#next++;
    this.#last = null;
  }

  /** Says what is missing: only now it is known that it does not come later. */
  end(findings: Findings): void {
    if (this.#jump !== null) this.#takeForGap(this.#jump);
    while (this.#early.delete(this.#next)) this.#next++;
    for (const { from, to, line } of this.#gaps)
      findings.add('removed', `${entriesText(from, to)} ${from === to ? 'is' : 'are'} missing at place ${line}`, from, to);
    if (this.#lost > 0) findings.add('removed', `entries are missing at ${this.#lost} more places`);
  }

  #judge(jump: Jump, sequence: number, findings: Findings): void {
    const { expected, line, skipped } = jump;
    const isInFront = sequence === expected + skipped;
    const isInPlaceOf = sequence === expected + skipped + 1;
    if ((isInFront || isInPlaceOf) && this.#early.size < GAPS_MAX) {
      findings.add('reordered', `entry ${jump.sequence} stands at place ${line}, before earlier ones`, jump.sequence);
      this.#early.add(jump.sequence);
      if (isInPlaceOf) this.#addGap(expected, expected, line);
      this.#next = sequence;
      this.#jump = null;
    } else this.#takeForGap(jump);
  }

  #takeForGap({ expected, sequence, line, skipped }: Jump): void {
    this.#addGap(expected, sequence - 1, line);
    this.#next = sequence + 1 + skipped;
    this.#jump = null;
  }

  #addGap(from: number, to: number, line: number): void {
    if (this.#gaps.length < GAPS_MAX) this.#gaps.push({ from, to, line });
    else this.#lost++;
  }

  #fills(sequence: number): boolean {
    const at = this.#gaps.findIndex((gap) => gap.from <= sequence && sequence <= gap.to);
    const gap = this.#gaps[at];
    if (gap === undefined) return false;
    const rest = [
      { ...gap, to: sequence - 1 },
      { ...gap, from: sequence + 1 },
    ].filter((one) => one.from <= one.to);
    this.#gaps.splice(at, 1, ...rest);
    return true;
  }
}

export function entriesText(from: number, to: number): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`;
}
