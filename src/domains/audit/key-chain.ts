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
}

/**
 * Which key signs the heads of which sizes, as the log itself says where keys were handed over. Whoever can write the store can put in
 * handovers between keys of their own: what counts are those that lead from the trusted key onwards and back.
 */
export class KeyChain {
  readonly #trusted: VerifierKey;
  readonly #links: Link[] = [];

  /** @param trusted   what the one who checks knows from elsewhere: any key of the chain */
  constructor(trusted: VerifierKey) {
    this.#trusted = trusted;
  }

  /** @param before   size and root of the tree below this entry */
  rotate(entry: Pick<AuditEntry, 'payload'>, before: { readonly size: number; readonly root: Hash }, findings: Findings): void {
    const from = fromOf(entry);
    const to = from === null ? null : handoverIn(entry, from, before);
    if (from === null || to === null)
      findings.add('key_rotation', `entry ${before.size} names a new key without the signatures of both`, before.size);
    else this.#links.push({ index: before.size, from, to });
  }

  /** All entries went by, and the heads were judged: names the handovers that the trusted key has nothing to do with. */
  end(findings: Findings): void {
    const chain = this.#chain();
    // Where nothing is of the key that was given, it is that which is wrong.
    if (chain.length === 0 && findings.has('unknown_key')) return;
    for (const link of this.#links)
      if (!chain.includes(link)) {
        const keys = `key ${link.from.keyId} to ${link.to.keyId}`;
        findings.add('key_rotation', `entry ${link.index} hands over from ${keys}, and the first was no key of the log then`, link.index);
      }
  }

  /** Keys whose signature counts for a head of this size: one, or two right after a handover. */
  keysFor(size: number): readonly VerifierKey[] {
    const chain = this.#chain();
    const [first] = chain;
    if (first === undefined) return [this.#trusted];
    return [first.from, ...chain.map(({ to }) => to)].filter((_, i) => {
      const since = i === 0 ? 0 : (chain[i - 1]?.index ?? 0) + 1;
      const until = (chain[i]?.index ?? Infinity) + 1;
      return since <= size && size <= until;
    });
  }

  /** In the order of the log. Each was signed by both its keys, so that trust goes on, and back. */
  #chain(): readonly Link[] {
    const chain: Link[] = [];
    let [key, after] = [this.#trusted, -1];
    for (let link = this.#introducing(key, Infinity); link !== undefined; link = this.#introducing(key, link.index)) {
      chain.unshift(link);
      after = Math.max(after, link.index);
      key = link.from;
    }
    key = this.#trusted;
    for (let link = this.#following(key, after); link !== undefined; link = this.#following(key, link.index)) {
      chain.push(link);
      key = link.to;
    }
    return chain;
  }

  #introducing(key: VerifierKey, before: number): Link | undefined {
    return this.#links.find(({ to, index }) => areEqual(to.publicKey, key.publicKey) && index < before);
  }

  /** The first: from then on the key hands over no more. */
  #following(key: VerifierKey, after: number): Link | undefined {
    return this.#links.find(({ from, index }) => areEqual(from.publicKey, key.publicKey) && index > after);
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
