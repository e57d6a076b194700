import type { Findings } from './finding.ts';
import { areEqual, type Hash } from './merkle.ts';

/** Gaps, and entries that came before their time, remembered to tell what was moved from what was removed. */
const PLACES_MAX = 1000;

interface Range {
  readonly from: number;
  /** The last one. */
  readonly to: number;
}

interface Gap extends Range {
  /** Where it shows. */
  readonly line: number;
  /** Nothing that belongs there has come since: all entries since then may be what is in the wrong place. */
  readonly isFresh: boolean;
}

/** Watches the sequence numbers go by, and says what happened where they do not count up by one. */
export class SequenceCheck {
  #gaps: Gap[] = [];
  #early: Range[] = [];
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
    if (sequence !== this.#next) this.#passEarly();
    if (sequence < this.#next) this.#stepBack(sequence, findings);
    if (sequence === this.#next) {
      if (this.#takeEarly(sequence)) findings.add('duplicate', `entry ${sequence} stands at place ${line} a second time`, sequence);
      this.#next++;
    } else if (sequence > this.#next) {
      this.#addGap({ from: this.#next, to: sequence - 1, line, isFresh: true });
      this.#next = sequence + 1;
    } else if (this.#fills(sequence)) findings.add('reordered', `entry ${sequence} stands at place ${line}, after later ones`, sequence);
    else if (sequence === this.#next - 1 && this.#last !== null && areEqual(this.#last, leaf))
      findings.add('duplicate', `entry ${sequence} stands at place ${line} a second time`, sequence);
    else findings.add('inserted', `a further entry says at place ${line} that it is entry ${sequence}`, sequence);
    this.#last = leaf;
  }

  /** An entry that tells no sequence: it is taken for the one that belongs here. */
  skip(): void {
    this.#passEarly();
    this.#next++;
    this.#last = null;
  }

  /** Says what is missing: only now it is known that it does not come later. */
  end(findings: Findings): void {
    this.#passEarly();
    for (const { from, to, line } of this.#gaps)
      findings.add('removed', `${entriesText(from, to)} ${from === to ? 'is' : 'are'} missing at place ${line}`, from, to);
    if (this.#lost > 0) findings.add('removed', `entries are missing at ${this.#lost} more places`);
  }

  /**
   * The count goes back to where it was before the last gap, or goes on there as if what came since stood in the place of as many
   * others: then those came too early, and nothing is missing between.
   */
  #stepBack(sequence: number, findings: Findings): void {
    const gap = this.#gaps.at(-1);
    if (gap === undefined || !gap.isFresh || this.#early.length >= PLACES_MAX) return;
    const early: Range = { from: gap.to + 1, to: this.#next - 1 };
    const count = early.to - early.from + 1;
    const missing: Range = { from: gap.from, to: sequence - 1 };
    const isInFront = sequence === gap.from && count <= gap.to - gap.from + 1;
    const isInPlaceOf = sequence === gap.from + count && sequence <= gap.to + 1;
    if (!isInFront && !isInPlaceOf) return;
    const stand = count === 1 ? 'stands' : 'stand';
    findings.add(
      'reordered',
      `${entriesText(early.from, early.to)} ${stand} at place ${gap.line}, before earlier ones`,
      early.from,
      count === 1 ? null : early.to,
    );
    this.#gaps.pop();
    if (isInPlaceOf) this.#addGap({ ...missing, line: gap.line, isFresh: false });
    this.#early.push(early);
    this.#next = sequence;
  }

  /** Those that came before their time are not waited for. */
  #passEarly(): void {
    for (let early = this.#earlyAt(this.#next); early !== undefined; early = this.#earlyAt(this.#next)) {
      this.#early = this.#early.filter((range) => range !== early);
      this.#next = early.to + 1;
    }
  }

  #takeEarly(sequence: number): boolean {
    const early = this.#earlyAt(sequence);
    if (early === undefined) return false;
    this.#early = this.#early.filter((range) => range !== early);
    if (early.to > sequence) this.#early.push({ from: sequence + 1, to: early.to });
    return true;
  }

  #earlyAt(sequence: number): Range | undefined {
    return this.#early.length === 0 ? undefined : this.#early.find(({ from, to }) => from <= sequence && sequence <= to);
  }

  #addGap(gap: Gap): void {
    if (this.#gaps.length < PLACES_MAX) this.#gaps.push(gap);
    else this.#lost++;
  }

  #fills(sequence: number): boolean {
    const at = this.#gaps.findIndex((gap) => gap.from <= sequence && sequence <= gap.to);
    const gap = this.#gaps[at];
    if (gap === undefined) return false;
    const rest = [
      { ...gap, isFresh: false, to: sequence - 1 },
      { ...gap, isFresh: false, from: sequence + 1 },
    ].filter((one) => one.from <= one.to);
    this.#gaps.splice(at, 1, ...rest);
    // What fills a gap makes two of it: each look at them would take longer.
    if (this.#gaps.length > PLACES_MAX) {
      this.#gaps.pop();
      this.#lost++;
    }
    return true;
  }
}

export function entriesText(from: number, to: number): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`;
}
