import type { AuditEntry } from './entry.ts';
import type { Findings } from './finding.ts';
import { nextKey } from './key-rotation.ts';
import { parseVerifierKey, type VerifierKey } from './keys.ts';
import { areEqual, type Hash } from './merkle.ts';

/** Which key signs the heads of which sizes, as the log itself says where keys were handed over. */
export class KeyChain {
  readonly #trusted: VerifierKey;
  readonly #links: { readonly index: number; readonly from: VerifierKey; readonly to: VerifierKey }[] = [];

  /** @param trusted   what the one who checks knows from elsewhere: any key of the chain */
  constructor(trusted: VerifierKey) {
    this.#trusted = trusted;
  }

  /** @param before   size and root of the tree below this entry */
  rotate(entry: Pick<AuditEntry, 'payload'>, before: { readonly size: number; readonly root: Hash }, findings: Findings): void {
    const last = this.#links.at(-1);
    const from = last?.to ?? fromOf(entry);
    const to = from === null ? null : nextKey(entry, from, before);
    if (from === null || to === null)
      findings.add('key_rotation', `entry ${before.size} names a new key without the signature of the one before it`, before.size);
    else this.#links.push({ index: before.size, from, to });
  }

  /**
   * Keys whose signature counts for a head of this size: one, or two right after a handover. None when the trusted key is not
   * part of the chain, since then nothing vouches for the others.
   */
  keysFor(size: number): readonly VerifierKey[] {
    if (this.#links.length === 0) return [this.#trusted];
    const keys = [this.#links[0]?.from, ...this.#links.map((link) => link.to)].filter((key) => key !== undefined);
    if (!keys.some((key) => areEqual(key.publicKey, this.#trusted.publicKey))) return [this.#trusted];
    return keys.filter((_, i) => {
      const since = i === 0 ? 0 : (this.#links[i - 1]?.index ?? 0) + 1;
      const until = (this.#links[i]?.index ?? Infinity) + 1;
      return since <= size && size <= until;
    });
  }
}

function fromOf({ payload: { from } }: Pick<AuditEntry, 'payload'>): VerifierKey | null {
  if (typeof from !== 'string') return null;
  try {
    return parseVerifierKey(from);
  } catch {
    // Whatever is malformed is no key.
    return null;
  }
}
