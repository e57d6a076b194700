import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { invariant, sha256 } from '../../kernel/index.ts';
import { fromBase64, toBase64 } from './base64.ts';
import { AuditTextMalformed } from './errors.ts';

/** What a key signs: the text itself, or the text with the time at which a witness saw it. */
export type KeyAlgorithm = 'ed25519' | 'cosignature/v1';

/** The public half: who holds it can check what was signed. */
export interface VerifierKey {
  /** The origin of the log, or the name of a witness. */
  readonly name: string;
  /** 8 lower-case hex digits. */
  readonly keyId: string;
  readonly algorithm: KeyAlgorithm;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** The private half. Never logged, never part of an error. */
export interface SignerKey {
  readonly verifier: VerifierKey;
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const TYPE_OF: Readonly<Record<KeyAlgorithm, number>> = { ed25519: 0x01, 'cosignature/v1': 0x04 };
/** RFC 8410: what comes before the 32 bytes in DER. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SIGNER_PREFIX = 'PRIVATE+KEY+';
const TEXT_LIMIT = 1024;

/**
 * @param seed   32 random bytes, which are the private key
 * @param name   without spaces and `+`; for a log its origin, such as `example.com/audit`
 */
export function signerKeyOf(name: string, seed: Uint8Array): SignerKey {
  invariant(seed.length === SEED_BYTES, 'an Ed25519 seed has 32 bytes');
  invariant(isKeyName(name), 'a key name has no spaces and no +');
  const der = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return { verifier: verifierKeyOf(name, 'ed25519', new Uint8Array(der.subarray(SPKI_PREFIX.length))), seed };
}

export function verifierKeyOf(name: string, algorithm: KeyAlgorithm, publicKey: Uint8Array): VerifierKey {
  return { name, algorithm, publicKey, keyId: keyIdOf(name, TYPE_OF[algorithm], publicKey) };
}

/** `<name>+<key id>+<base64(type || public key)>` */
export function formatVerifierKey({ name, keyId, algorithm, publicKey }: VerifierKey): string {
  return `${name}+${keyId}+${toBase64(typed(TYPE_OF[algorithm], publicKey))}`;
}

/** @throws AuditTextMalformed */
export function parseVerifierKey(text: string): VerifierKey {
  const { name, keyId, type, bytes } = partsOf(text, 'verifier key');
  const algorithm = (Object.keys(TYPE_OF) as KeyAlgorithm[]).find((a) => TYPE_OF[a] === type);
  if (algorithm === undefined) throw new AuditTextMalformed('verifier key', `type ${type} is not known`);
  const key = verifierKeyOf(name, algorithm, bytes);
  if (key.keyId !== keyId) throw new AuditTextMalformed('verifier key', 'its key id does not fit the key');
  return key;
}

/** `PRIVATE+KEY+<name>+<key id>+<base64(type || seed)>`: for the key file, and nothing else. */
export function formatSignerKey({ verifier: { name, keyId }, seed }: SignerKey): string {
  return `${SIGNER_PREFIX}${name}+${keyId}+${toBase64(typed(TYPE_OF.ed25519, seed))}`;
}

/** @throws AuditTextMalformed, without any part of the text */
export function parseSignerKey(text: string): SignerKey {
  if (!text.startsWith(SIGNER_PREFIX)) throw new AuditTextMalformed('signer key', `it does not begin with ${SIGNER_PREFIX}`);
  const { name, keyId, type, bytes } = partsOf(text.slice(SIGNER_PREFIX.length), 'signer key');
  if (type !== TYPE_OF.ed25519) throw new AuditTextMalformed('signer key', `type ${type} is not known`);
  const key = signerKeyOf(name, bytes);
  if (key.verifier.keyId !== keyId) throw new AuditTextMalformed('signer key', 'its key id does not fit the key');
  return key;
}

/** @returns 64 bytes, always the same for the same text */
export function signBytes({ seed }: SignerKey, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, privateKeyOf(seed));
}

export function verifyBytes({ publicKey }: VerifierKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, publicKeyOf(publicKey), signature);
}

/** @see c2sp.org/signed-note: not empty, no Unicode spaces, no plus; and nothing that a terminal would obey */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s+\p{Cc}]/u.test(name);
}

function keyIdOf(name: string, type: number, key: Uint8Array): string {
  const digest = sha256(Buffer.concat([Buffer.from(`${name}\n`), typed(type, key)]));
  return Buffer.from(digest.subarray(0, 4)).toString('hex');
}

function typed(type: number, key: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(type), key]);
}

function partsOf(text: string, what: string) {
  if (text.length > TEXT_LIMIT) throw new AuditTextMalformed(what, `it is longer than ${TEXT_LIMIT} characters`);
  // The base64 part may hold a plus itself.
  const [name = '', keyId = '', ...rest] = text.split('+');
  const bytes = fromBase64(rest.join('+'));
  if (!isKeyName(name)) throw new AuditTextMalformed(what, 'its name is empty or has spaces');
  if (!/^[0-9a-f]{8}$/.test(keyId)) throw new AuditTextMalformed(what, 'its key id is not 8 lower-case hex digits');
  if (bytes?.length !== 33) throw new AuditTextMalformed(what, 'its key is not the base64 of 33 bytes');
  return { name, keyId, type: bytes[0] as number, bytes: bytes.subarray(1) };
}

/** Made once for each seed: it takes as long as signing does. */
const privateKeys = new WeakMap<Uint8Array, KeyObject>();

function privateKeyOf(seed: Uint8Array): KeyObject {
  let key = privateKeys.get(seed);
  if (key === undefined) {
    key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    privateKeys.set(seed, key);
  }
  return key;
}

const publicKeys = new WeakMap<Uint8Array, KeyObject>();

/** Made once for each key, too: a log has many heads of one. */
function publicKeyOf(bytes: Uint8Array): KeyObject {
  let key = publicKeys.get(bytes);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' });
    publicKeys.set(bytes, key);
  }
  return key;
}
