import { fromBase64, toBase64 } from './base64.ts';
import { AuditTextMalformed } from './errors.ts';
import { isKeyName, signBytes, SIGNATURE_BYTES, verifyBytes, type SignerKey, type VerifierKey } from './keys.ts';

/** A text and who says to have signed it. Read, not checked: `checkNote` does that. @see c2sp.org/signed-note */
export interface SignedNote {
  /** What is signed: lines, each with its line end, without the blank line below them. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** 8 lower-case hex digits. */
  readonly keyId: string;
  /** Without the key id before it. */
  readonly bytes: Uint8Array;
}

/** What the known keys say about a note. */
export type NoteCheck =
  | {
      readonly state: 'signed';
      /** In the order of the note, each once. */
      readonly by: readonly VerifierKey[];
    }
  /** No line is of a key that is known. */
  | { readonly state: 'unknown_key' }
  /** A line of this known key does not fit the text: the whole note is worth nothing. */
  | { readonly state: 'wrong_signature'; readonly key: VerifierKey };

/** A checkpoint has three lines; whoever sends more than this means no good. */
const NOTE_CHARACTERS_MAX = 65_536;
const SIGNATURES_MAX = 100;
const DASH = '\u2014';

/** @param text   lines, the last one with its line end; none of them blank at the end */
export function signNote(text: string, keys: readonly SignerKey[]): string {
  return `${text}\n${keys.map((key) => signatureLine(text, key)).join('')}`;
}

/** @throws AuditTextMalformed */
export function parseNote(note: string): SignedNote {
  const malformed = (problem: string): AuditTextMalformed => new AuditTextMalformed('signed note', problem);
  if (note.length > NOTE_CHARACTERS_MAX) throw malformed(`it is longer than ${NOTE_CHARACTERS_MAX} characters`);
  if (!note.isWellFormed() || /[^\P{Cc}\n]/u.test(note)) throw malformed('it holds control characters');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0) throw malformed('no blank line parts the text from the signatures');
  if (!note.endsWith('\n')) throw malformed('its last line is cut off');
  const lines = note.slice(blank + 2, -1).split('\n');
  if (lines.length === 1 && lines[0] === '') throw malformed('it has no signature');
  if (lines.length > SIGNATURES_MAX) throw malformed(`it has more than ${SIGNATURES_MAX} signatures`);
  return { text: note.slice(0, blank + 1), signatures: lines.map((line) => parseSignature(line, malformed)) };
}

/** Lines of keys that are not known say nothing; one wrong line of a known key spoils the note. */
export function checkNote({ text, signatures }: SignedNote, keys: readonly VerifierKey[]): NoteCheck {
  const by = new Set<VerifierKey>();
  for (const signature of signatures) {
    const key = keys.find((one) => one.name === signature.name && one.keyId === signature.keyId);
    if (key === undefined || by.has(key)) continue;
    if (!isSignedBy(key, text, signature.bytes)) return { state: 'wrong_signature', key };
    by.add(key);
  }
  return by.size === 0 ? { state: 'unknown_key' } : { state: 'signed', by: [...by] };
}

function signatureLine(text: string, key: SignerKey): string {
  const { name, keyId } = key.verifier;
  const bytes = Buffer.concat([Buffer.from(keyId, 'hex'), signBytes(key, Buffer.from(text))]);
  return `${DASH} ${name} ${toBase64(bytes)}\n`;
}

function parseSignature(line: string, malformed: (problem: string) => Error): NoteSignature {
  const [dash, name = '', base64 = '', ...more] = line.split(' ');
  const bytes = fromBase64(base64);
  if (dash !== DASH || more.length > 0 || !isKeyName(name)) throw malformed('a signature line is not "\u2014 name base64"');
  if (bytes === null || bytes.length < 5) throw malformed('a signature is not base64 of a key id and a signature');
  return { name, keyId: Buffer.from(bytes.subarray(0, 4)).toString('hex'), bytes: bytes.subarray(4) };
}

function isSignedBy(key: VerifierKey, text: string, signature: Uint8Array): boolean {
  switch (key.algorithm) {
    case 'ed25519':
      return signature.length === SIGNATURE_BYTES && verifyBytes(key, Buffer.from(text), signature);
    case 'cosignature/v1': {
      // c2sp.org/tlog-cosignature: seconds since 1970 as uint64, then the signature over them and the text
      if (signature.length !== 8 + SIGNATURE_BYTES) return false;
      const seconds = Buffer.from(signature.subarray(0, 8)).readBigUInt64BE();
      return verifyBytes(key, Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`), signature.subarray(8));
    }
    default:
      return key.algorithm satisfies never;
  }
}
