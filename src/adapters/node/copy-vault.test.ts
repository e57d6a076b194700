import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../../kernel/index.ts';
import { copyVault, keyedDigest, vaultKey } from './copy-vault.ts';
import { nodeFiles } from './files.ts';

let dir = '';
beforeEach(async () => void (dir = await fs.mkdtemp(join(tmpdir(), 'grace-vault-'))));
afterEach(() => fs.rm(dir, { recursive: true, force: true }));

const SECRET = Buffer.from('DATABASE_PASSWORD=correct horse battery staple\n'.repeat(5));
const DIGEST = sha256Hex(SECRET);
const vaultWith = (key: Uint8Array) => copyVault(join(dir, 'copies'), key, nodeFiles);
const everyFile = async (): Promise<Buffer[]> =>
  Promise.all(
    (await fs.readdir(dir, { recursive: true, withFileTypes: true }))
      .filter((e) => e.isFile())
      .map((e) => fs.readFile(join(e.parentPath, e.name))),
  );

test('gives back exactly what was put in', async () => {
  const vault = vaultWith(randomBytes(32));
  const binary = randomBytes(100_000);
  for (const content of [SECRET, binary, Buffer.alloc(0)]) {
    await vault.put(sha256Hex(content), content);
    expect(Buffer.from((await vault.get(sha256Hex(content))) ?? 'nothing')).toEqual(content);
  }
});

test('what lies on the disk holds no word of it, and no two copies look alike', async () => {
  for (const key of [randomBytes(32), randomBytes(32)])
    await copyVault(join(dir, keyedDigest(key, '')), key, nodeFiles).put(DIGEST, SECRET);
  const [a, b] = await everyFile();
  for (const file of [a, b]) for (const word of ['PASSWORD', 'horse', 'staple']) expect(file?.includes(word)).toBe(false);
  expect(a).not.toEqual(b);
});

test('another key, a changed byte or a cut file give nothing instead of something wrong', async () => {
  const key = randomBytes(32);
  await vaultWith(key).put(DIGEST, SECRET);
  expect(await vaultWith(randomBytes(32)).get(DIGEST)).toBeNull();
  const file = join(dir, 'copies', DIGEST.slice(0, 2), DIGEST);
  const sealed = await fs.readFile(file);
  for (const broken of [
    sealed.with(40, (sealed[40] ?? 0) ^ 1),
    sealed.with(3, (sealed[3] ?? 0) ^ 1),
    sealed.subarray(0, -1),
    sealed.subarray(0, 10),
    Buffer.alloc(0),
  ]) {
    await fs.writeFile(file, broken);
    expect(await vaultWith(key).get(DIGEST)).toBeNull();
  }
});

test('a copy that nobody can read any more is made again', async () => {
  await vaultWith(randomBytes(32)).put(DIGEST, SECRET);
  const vault = vaultWith(randomBytes(32));
  await vault.put(DIGEST, SECRET);
  expect(Buffer.from((await vault.get(DIGEST)) ?? [])).toEqual(SECRET);
});

test('what was never put in is null', async () => {
  expect(await vaultWith(randomBytes(32)).get(DIGEST)).toBeNull();
});

test('forgets what nobody names any more, and only that', async () => {
  const vault = vaultWith(randomBytes(32));
  const other = Buffer.from('other');
  await vault.put(DIGEST, SECRET);
  await vault.put(sha256Hex(other), other);
  await vault.prune(new Set([DIGEST]));
  expect(await vault.get(sha256Hex(other))).toBeNull();
  expect(await vault.get(DIGEST)).not.toBeNull();
});

test('copies and key are for their owner only', async () => {
  await vaultWith(await vaultKey(dir, nodeFiles)).put(DIGEST, SECRET);
  for (const entry of await fs.readdir(dir, { recursive: true, withFileTypes: true })) {
    const { mode } = await fs.stat(join(entry.parentPath, entry.name));
    expect([entry.name, mode & 0o777]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
  }
});

test('the key is made once and found again; a damaged one is replaced', async () => {
  const first = await vaultKey(dir, nodeFiles);
  expect(first).toHaveLength(32);
  expect(Buffer.from(await vaultKey(dir, nodeFiles))).toEqual(Buffer.from(first));
  await fs.writeFile(join(dir, 'key'), 'short');
  expect(await vaultKey(dir, nodeFiles)).toHaveLength(32);
});

test('the digest of a value says whether it changed, and nothing to whoever lacks the key', () => {
  const key = randomBytes(32);
  expect(keyedDigest(key, 'a')).toBe(keyedDigest(key, 'a'));
  expect(keyedDigest(key, 'a')).not.toBe(keyedDigest(key, 'b'));
  expect(keyedDigest(key, 'a')).not.toBe(keyedDigest(randomBytes(32), 'a'));
  expect(sha256Hex('a')).not.toContain(keyedDigest(key, 'a'));
});
