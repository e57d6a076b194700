import { type AuditDraft, type AuditEntry } from './entry.ts';
import { toBase64 } from './base64.ts';
import { formatVerifierKey, parseVerifierKey, type SignerKey, type VerifierKey } from './keys.ts';
import { areEqual, type Hash } from './merkle.ts';
import { checkNote, parseNote, signNote } from './signed-note.ts';

// A new key is made known by an entry, which holds a note that the old key signed: for this log, at this place, after this
// history. So whoever trusts the old key can follow, and a handover can not be carried over into another history.

export const KEY_ROTATION_ACTION = 'audit.key_rotated';
/** Its first line is no origin, so it never reads as a checkpoint. */
const HANDOVER = 'grace-audit-key-handover/v1';

/**
 * The entry that must come next, at index `size`. From then on checkpoints are signed by the new key; the first of them,
 * of size `size + 1`, may carry both signatures.
 * @param root   of the `size` entries before it
 */
export function keyRotationEntry(from: SignerKey, to: VerifierKey, size: number, root: Hash, actor: string): AuditDraft {
  return {
    actor,
    action: KEY_ROTATION_ACTION,
    resource: 'audit/key',
    subsystem: 'audit',
    result: 'ok',
    payload: {
      from: formatVerifierKey(from.verifier),
      to: formatVerifierKey(to),
      handover: signNote(handoverText(from.verifier, to, size, root), [from]),
    },
  };
}

/**
 * The key that follows, when `current` really handed over.
 * @param before   size and root of the tree below the entry
 * @returns null when the entry does not hold what it must
 */
export function nextKey(
  entry: Pick<AuditEntry, 'payload'>,
  current: VerifierKey,
  before: { readonly size: number; readonly root: Hash },
): VerifierKey | null {
  const { to, handover } = entry.payload;
  if (typeof to !== 'string' || typeof handover !== 'string') return null;
  try {
    const key = parseVerifierKey(to);
    const note = parseNote(handover);
    const isTheirs = key.name === current.name && key.algorithm === 'ed25519' && !areEqual(key.publicKey, current.publicKey);
    if (!isTheirs || note.text !== handoverText(current, key, before.size, before.root)) return null;
    return checkNote(note, [current]).state === 'signed' ? key : null;
  } catch {
    // Whatever is malformed hands over nothing.
    return null;
  }
}

function handoverText(from: VerifierKey, to: VerifierKey, size: number, root: Hash): string {
  return `${HANDOVER}\n${from.name}\n${size}\n${toBase64(root)}\n${formatVerifierKey(to)}\n`;
}
