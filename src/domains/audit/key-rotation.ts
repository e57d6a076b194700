import { beginsWith, entryStart, type AuditDraft, type AuditEntry } from './entry.ts';
import { toBase64 } from './base64.ts';
import { formatVerifierKey, parseVerifierKey, type SignerKey, type VerifierKey } from './keys.ts';
import { areEqual, type Hash } from './merkle.ts';
import { checkNote, parseNote, signNote } from './signed-note.ts';

// A new key is made known by an entry, which holds a note that both keys signed: for this log, at this place, after this history, from
// this key to that one. So whoever trusts the old key can follow, whoever trusts the new one knows that it has taken over what is before
// it, and a handover can not be carried over into another history, nor be claimed by a key that the new one never heard of.

export const KEY_ROTATION_ACTION = 'audit.key_rotated';
const ENTRY_START = entryStart(KEY_ROTATION_ACTION);
/** Its first line is no origin, so it never reads as a checkpoint. */
const HANDOVER = 'grace-audit-key-handover/v2';

/** Whether a canonical entry says that another key signs from now on. */
export function isRotation(entry: Uint8Array): boolean {
  return beginsWith(entry, ENTRY_START);
}

/**
 * The entry that must come next, at index `size`. From then on checkpoints are signed by the new key; the first of them,
 * of size `size + 1`, may carry both signatures.
 * @param root   of the `size` entries before it
 */
export function keyRotationEntry(from: SignerKey, to: SignerKey, size: number, root: Hash, actor: string): AuditDraft {
  return {
    actor,
    action: KEY_ROTATION_ACTION,
    resource: 'audit/key',
    subsystem: 'audit',
    result: 'ok',
    payload: {
      from: formatVerifierKey(from.verifier),
      to: formatVerifierKey(to.verifier),
      handover: signNote(handoverText(from.verifier, to.verifier, size, root), [from, to]),
    },
  };
}

/**
 * To which key `current` really handed over: both signed that, since otherwise anybody could hand over to any key whose public half is
 * known, and have it vouch for what is before.
 * @param before   size and root of the tree below the entry
 * @returns null when the entry does not hold what it must
 */
export function handoverIn(
  entry: Pick<AuditEntry, 'payload'>,
  current: VerifierKey,
  before: { readonly size: number; readonly root: Hash },
): VerifierKey | null {
  const { to: named, handover } = entry.payload;
  if (typeof named !== 'string' || typeof handover !== 'string') return null;
  try {
    const to = parseVerifierKey(named);
    const note = parseNote(handover);
    const isTheirs = to.name === current.name && to.algorithm === 'ed25519' && !areEqual(to.publicKey, current.publicKey);
    if (!isTheirs || note.text !== handoverText(current, to, before.size, before.root)) return null;
    const check = checkNote(note, [current, to]);
    return check.state === 'signed' && check.by.includes(current) && check.by.includes(to) ? to : null;
  } catch {
    // Whatever is malformed hands over nothing.
    return null;
  }
}

function handoverText(from: VerifierKey, to: VerifierKey, size: number, root: Hash): string {
  return `${HANDOVER}\n${from.name}\n${size}\n${toBase64(root)}\n${formatVerifierKey(from)}\n${formatVerifierKey(to)}\n`;
}
