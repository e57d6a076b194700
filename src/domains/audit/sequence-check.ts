import type { Findings } from './finding.ts';
import { areEqual, type Hash } from './merkle.ts';

/** Gaps remembered to tell what was moved from what was removed. */
const GAPS_MAX = 1000;

interface Gap {
  from: number;
  /** Last one missing. */
  to: number;
  /** Where it shows. */
  readonly line: number;
}

/** Watches the sequence numbers go by, and says what happened where they do not count up by one. */
export class SequenceCheck {
  readonly #gaps: Gap[] = [];
  #lost = 0;
  #next: number;
  #last: Hash | null = null;

  constructor(first: number) {
    this.#next = first;
  }

  /**
   * @param line   zero-based place at which it stands
   * @param leaf   its hash, valid until the next call only if the caller keeps it
   */
  see(sequence: number, line: number, leaf: Hash, findings: Findings): void {
    if (sequence === this.#next) this.#next++;
    else if (sequence > this.#next) {
      if (this.#gaps.length < GAPS_MAX) this.#gaps.push({ from: this.#next, to: sequence - 1, line });
      else this.#lost++;
      this.#next = sequence + 1;
    } else if (this.#fills(sequence)) findings.add('reordered', `entry ${sequence} stands at place ${line}, after later ones`, sequence);
    else if (sequence === this.#next - 1 && this.#last !== null && areEqual(this.#last, leaf))
      findings.add('duplicate', `entry ${sequence} stands at place ${line} a second time`, sequence);
    else findings.add('inserted', `a further entry says at place ${line} that it is entry ${sequence}`, sequence);
    this.#last = leaf;
  }

  /** An entry that tells no sequence: it is taken for the one that belongs here. */
  skip(): void {
    this.#next++;
    this.#last = null;
  }

  /** Says what is missing: only now it is known that it does not come later. */
  end(findings: Findings): void {
    for (const { from, to, line } of this.#gaps)
      findings.add('removed', `${entriesText(from, to)} ${from === to ? 'is' : 'are'} missing at place ${line}`, from, to);
    if (this.#lost > 0) findings.add('removed', `entries are missing at ${this.#lost} more places`);
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
    // What fills a gap makes two of it: each look at them would take longer.
    if (this.#gaps.length > GAPS_MAX) {
      this.#gaps.pop();
      this.#lost++;
    }
    return true;
  }
}

export function entriesText(from: number, to: number): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`;
}
