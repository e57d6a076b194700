import { fromBase64, toBase64 } from './base64.ts';
import { AuditTextMalformed } from './errors.ts';
import type { SignerKey } from './keys.ts';
import { HASH_BYTES, type Hash } from './merkle.ts';
import { signNote } from './signed-note.ts';

/** The head of the log: who holds one can tell later whether anything before it was changed. @see c2sp.org/tlog-checkpoint */
export interface Checkpoint {
  /** Which log: the name of its key. */
  readonly origin: string;
  /** How many entries it covers. */
  readonly size: number;
  /** Root of the tree of these entries. */
  readonly root: Hash;
}

/** The lines that are signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/**
 * A checkpoint with its signatures, as it is stored, exported and handed out.
 * @param keys   more than one only while a key is rotated
 */
export function signCheckpoint(checkpoint: Checkpoint, keys: readonly SignerKey[]): string {
  return signNote(checkpointText(checkpoint), keys);
}

/**
 * @param text   of a signed note; further lines below the root are legal and say nothing to Grace
 * @throws AuditTextMalformed
 */
export function parseCheckpoint(text: string): Checkpoint {
  const malformed = (problem: string): AuditTextMalformed => new AuditTextMalformed('checkpoint', problem);
  if (!text.endsWith('\n')) throw malformed('its last line is cut off');
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  if (origin === '') throw malformed('it has no origin');
  if (!/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw malformed('its size is not a whole number from 0 to 2^53 - 1');
  const hash = fromBase64(root);
  if (hash?.length !== HASH_BYTES) throw malformed('its root is not the base64 of 32 bytes');
  if (extensions.includes('')) throw malformed('it has a blank line');
  return { origin, size: Number(size), root: hash };
}
