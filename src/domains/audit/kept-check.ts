import type { Findings } from './finding.ts';
import { HASH_BYTES, type Hash } from './merkle.ts';
import type { KeptNodes } from './ports.ts';
import type { NodeWatch } from './running-tree.ts';
import { entriesText } from './sequence-check.ts';

/** Hashes read at once. */
const RUN_HASHES = 256;
/** Wrong ones named one by one; after so many more would say no more. */
const NAMED_MAX = 10;
/** Wrong ones remembered: most may be so because of the entries. */
const WRONG_MAX = 1000;

/** Hashes of one level, one after the other. */
interface Run {
  readonly first: number;
  readonly hashes: Uint8Array;
}

interface WrongNode {
  readonly level: number;
  readonly index: number;
  /** One below it was wrong already: where the entries themselves were changed, that is why this is. */
  readonly isAboveWrong: boolean;
}

/**
 * Holds the hashes that a log keeps of its tree against those that its entries make, while these go by. A kept hash that was
 * changed alone spoils no root, but proofs and the next start go by it.
 */
export class KeptCheck implements NodeWatch {
  readonly #kept: KeptNodes;
  readonly #runs = new Map<number, Run>();
  readonly #wrong: WrongNode[] = [];
  #more = 0;
  /** Last entry below a hash that was wrong. */
  #lastWrong = -1;

  constructor(kept: KeptNodes) {
    this.#kept = kept;
  }

  holds(level: number): boolean {
    return this.#kept.holds(level);
  }

  /** Before the tree grows over these entries: reads what will be compared. */
  async prepare(from: number, to: number): Promise<void> {
    for (let level = 0, width = 1; width <= to; level++, width *= 2) {
      if (!this.#kept.holds(level)) continue;
      const [first, end] = [Math.floor(from / width), Math.floor(to / width)];
      if (end <= first) continue;
      const run = this.#runs.get(level);
      if (run !== undefined && run.first <= first && end <= run.first + run.hashes.length / HASH_BYTES) continue;
      this.#runs.set(level, { first, hashes: await this.#kept.hashes(level, first, Math.max(end - first, RUN_HASHES)) });
    }
  }

  see(level: number, index: number, hash: Hash): void {
    const run = this.#runs.get(level);
    if (run !== undefined && isAt(run.hashes, (index - run.first) * HASH_BYTES, hash)) return;
    const first = index * 2 ** level;
    if (this.#wrong.length < WRONG_MAX) this.#wrong.push({ level, index, isAboveWrong: this.#lastWrong >= first });
    else this.#more++;
    this.#lastWrong = first + 2 ** level - 1;
  }

  /** @param changedFrom   from here on the entries may not be what was hashed; what is wrong with them is said elsewhere */
  end(findings: Findings, changedFrom: number): void {
    let named = 0;
    let left = changedFrom === Infinity ? this.#more : 0;
    for (const { level, index, isAboveWrong } of this.#wrong) {
      const [first, last] = [index * 2 ** level, (index + 1) * 2 ** level - 1];
      if (last >= changedFrom && (level === 0 || isAboveWrong)) continue;
      if (++named > NAMED_MAX) {
        left++;
        continue;
      }
      const what =
        level === 0 ? `the hash that is kept of entry ${index}` : `node ${index} of level ${level}, above ${entriesText(first, last)},`;
      findings.add('node', `${what} is missing or not the one that the entries make`, first, last === first ? null : last);
    }
    if (left > 0) findings.add('node', `${left} more hashes that are kept are missing or not those that the entries make`);
  }
}

function isAt(hashes: Uint8Array, start: number, hash: Hash): boolean {
  if (start < 0 || start + HASH_BYTES > hashes.length) return false;
  for (let i = 0; i < HASH_BYTES; i++) if (hashes[start + i] !== hash[i]) return false;
  return true;
}
