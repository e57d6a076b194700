import { describe, expect, test } from 'vitest';
import {
  AuditTextMalformed,
  checkNote,
  checkpointText,
  EMPTY_FRONTIER,
  formatSignerKey,
  formatVerifierKey,
  frontierRoot,
  isKeyName,
  handoverIn,
  keyRotationEntry,
  parseCheckpoint,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  SEED_BYTES,
  signCheckpoint,
  signerKeyOf,
  signNote,
} from './index.ts';

const keyOf = (byte: number, name = 'example.com/log') => signerKeyOf(name, new Uint8Array(SEED_BYTES).fill(byte));
const [KEY, OTHER] = [keyOf(1), keyOf(2)];
const EMPTY = { origin: 'example.com/log', size: 0, root: frontierRoot(EMPTY_FRONTIER) };
const NOTE = signCheckpoint(EMPTY, [KEY]);

describe('a key', () => {
  test('reads as it was written', () => {
    expect(parseVerifierKey(formatVerifierKey(KEY.verifier))).toEqual(KEY.verifier);
    expect(formatSignerKey(parseSignerKey(formatSignerKey(KEY)))).toBe(formatSignerKey(KEY));
  });

  test('is that of the Go checksum database', () => {
    // The example of golang.org/x/mod/sumdb/note: private key, public key, and what it signs.
    const signer = parseSignerKey('PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz');
    expect(formatVerifierKey(signer.verifier)).toBe('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    expect(
      signNote("If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n", [signer]),
    ).toBe(
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
        '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
    );
  });

  test.each([
    ['an id of another key', formatVerifierKey(KEY.verifier).replace(KEY.verifier.keyId, OTHER.verifier.keyId)],
    ['no name', formatVerifierKey(KEY.verifier).replace('example.com/log', '')],
    ['a space in its name', formatVerifierKey(KEY.verifier).replace('/log', '/ log')],
    ['a shorter key', formatVerifierKey(KEY.verifier).slice(0, -4)],
    ['nothing', ''],
  ])('with %s is none', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(AuditTextMalformed);
  });

  test('that can not be read is not shown', () => {
    const secret = formatSignerKey(KEY);
    for (const text of [secret.slice(1), secret.slice(0, -1), secret.replace(KEY.verifier.keyId, '00000000')])
      expect(() => parseSignerKey(text)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(secret.slice(-20, -2)) }));
  });

  test('has a name without spaces and plus', () => {
    expect(['example.com/log', 'ä'].every(isKeyName)).toBe(true);
    expect(['', 'a b', 'a+b', 'a\u2003b', 'a\n', 'a\u001b'].some(isKeyName)).toBe(false);
  });
});

describe('a signed note', () => {
  test('is signed by those that signed it', () => {
    const note = parseNote(signCheckpoint(EMPTY, [KEY, OTHER]));
    expect(note.text).toBe(checkpointText(EMPTY));
    expect(checkNote(note, [OTHER.verifier, KEY.verifier])).toEqual({ state: 'signed', by: [KEY.verifier, OTHER.verifier] });
  });

  test('says nothing by keys that nobody knows', () => {
    expect(checkNote(parseNote(NOTE), [OTHER.verifier])).toEqual({ state: 'unknown_key' });
    expect(checkNote(parseNote(NOTE), [keyOf(1, 'example.com/other').verifier])).toEqual({ state: 'unknown_key' });
  });

  test('is worth nothing when one known signature is wrong, even beside a right one', () => {
    const text = parseNote(NOTE).text.replace('\n0\n', '\n1\n');
    const wrong = NOTE.split('\n\n')[1] ?? '';
    const both = `${signNote(text, [OTHER])}${wrong}`;
    expect(checkNote(parseNote(both), [OTHER.verifier])).toMatchObject({ state: 'signed' });
    expect(checkNote(parseNote(both), [OTHER.verifier, KEY.verifier])).toEqual({ state: 'wrong_signature', key: KEY.verifier });
  });

  test.each([
    ['without a signature', checkpointText(EMPTY)],
    ['without a signature below its blank line', `${checkpointText(EMPTY)}\n`],
    ['cut off', NOTE.slice(0, -1)],
    ['with carriage returns', NOTE.replaceAll('\n', '\r\n')],
    ['with a hyphen for the dash', NOTE.replace('—', '-')],
    ['with base64 that lacks its padding', NOTE.replace(/=\n$/, '\n')],
    ['with an escape', NOTE.replace('log', 'l\u001bg')],
    ['with more signatures than anybody reads', NOTE + (NOTE.split('\n\n')[1] ?? '').repeat(100)],
  ])('%s is none', (_, text) => {
    expect(() => parseNote(text)).toThrow(AuditTextMalformed);
  });
});

describe('a checkpoint', () => {
  test('reads as it was written, with further lines or without', () => {
    expect(parseCheckpoint(checkpointText(EMPTY))).toEqual({ ...EMPTY, root: new Uint8Array(EMPTY.root) });
    expect(parseCheckpoint(`${checkpointText(EMPTY)}more\n`).size).toBe(0);
  });

  test.each([
    ['a size with a leading zero', checkpointText(EMPTY).replace('\n0\n', '\n00\n')],
    ['a size with a sign', checkpointText(EMPTY).replace('\n0\n', '\n+1\n')],
    ['a size beyond what can be counted', checkpointText(EMPTY).replace('\n0\n', '\n9007199254740992\n')],
    ['a short root', 'example.com/log\n0\nAAAA\n'],
    ['no root', 'example.com/log\n0\n'],
    ['no origin', `\n0\n${checkpointText(EMPTY).split('\n')[2]}\n`],
    ['no line end', checkpointText(EMPTY).slice(0, -1)],
  ])('with %s is none', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(AuditTextMalformed);
  });
});

describe('a key rotation', () => {
  const before = { size: 5, root: new Uint8Array(32).fill(7) };
  const entry = keyRotationEntry(KEY, OTHER, before.size, before.root, 'operator:ann');

  test('leads from the key that signed it to the next', () => {
    expect(handoverIn(entry, KEY.verifier, before)).toEqual(OTHER.verifier);
  });

  test('leads nowhere at another place, after another history, by another key, or with another next key', () => {
    expect(handoverIn(entry, KEY.verifier, { ...before, size: 6 })).toBeNull();
    expect(handoverIn(entry, KEY.verifier, { ...before, root: new Uint8Array(32) })).toBeNull();
    expect(handoverIn(entry, keyOf(3).verifier, before)).toBeNull();
    const to = formatVerifierKey(keyOf(3).verifier);
    expect(handoverIn({ payload: { ...entry.payload, to } }, KEY.verifier, before)).toBeNull();
    expect(handoverIn({ payload: {} }, KEY.verifier, before)).toBeNull();
  });

  test('to a key of another log, or to the same key, is none', () => {
    for (const to of [keyOf(2, 'example.com/other'), KEY])
      expect(handoverIn(keyRotationEntry(KEY, to, 5, before.root, 'grace'), KEY.verifier, before)).toBeNull();
  });
});
