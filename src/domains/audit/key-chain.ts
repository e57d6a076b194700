import type { AuditEntry } from './entry.ts';
import type { Findings } from './finding.ts';
import { handoverIn } from './key-rotation.ts';
import { parseVerifierKey, type VerifierKey } from './keys.ts';
import { areEqual, type Hash } from './merkle.ts';

interface Link {
  /** Of the entry that hands over. */
  readonly index: number;
  readonly from: VerifierKey;
  readonly to: VerifierKey;
  readonly isByBoth: boolean;
}

/** Which key signs the heads of which sizes, as the log itself says where keys were handed over. */
export class KeyChain {
  readonly #trusted: VerifierKey;
  readonly #links: Link[] = [];

  /** @param trusted   what the one who checks knows from elsewhere: any key of the chain */
  constructor(trusted: VerifierKey) {
    this.#trusted = trusted;
  }

  /** @param before   size and root of the tree below this entry */
  rotate(entry: Pick<AuditEntry, 'payload'>, before: { readonly size: number; readonly root: Hash }, findings: Findings): void {
    const last = this.#links.at(-1);
    const from = last?.to ?? fromOf(entry);
    const handover = from === null ? null : handoverIn(entry, from, before);
    if (from === null || handover === null)
      findings.add('key_rotation', `entry ${before.size} names a new key without the signature of the one before it`, before.size);
    else this.#links.push({ index: before.size, from, ...handover });
  }

  /**
   * Keys whose signature counts for a head of this size: one, or two right after a handover. Trust goes on from the trusted key to those
   * after it, and back to one before it only where the later one has signed the handover, too: who hands over to a key of somebody
   * else becomes nobody by that.
   */
  keysFor(size: number): readonly VerifierKey[] {
    const keys = this.#keys();
    const oldest = this.#oldest(keys);
    if (oldest === null) return [this.#trusted];
    return keys.filter((_, i) => {
      const since = i === 0 ? 0 : (this.#links[i - 1]?.index ?? 0) + 1;
      const until = (this.#links[i]?.index ?? Infinity) + 1;
      return i >= oldest && since <= size && size <= until;
    });
  }

  /** The handover to the first key that counts, where nothing leads back over it: heads up to it, and their keys, are not vouched for. */
  get startsAfter(): number | null {
    const oldest = this.#oldest(this.#keys());
    return oldest === null || oldest === 0 ? null : (this.#links[oldest - 1]?.index ?? null);
  }

  #keys(): readonly VerifierKey[] {
    const [first] = this.#links;
    return first === undefined ? [] : [first.from, ...this.#links.map(({ to }) => to)];
  }

  /** Null when the trusted key is none of them, since then nothing vouches for any. */
  #oldest(keys: readonly VerifierKey[]): number | null {
    let at = keys.findIndex((key) => areEqual(key.publicKey, this.#trusted.publicKey));
    if (at < 0) return null;
    while (at > 0 && this.#links[at - 1]?.isByBoth === true) at--;
    return at;
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
