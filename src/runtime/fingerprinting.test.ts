import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { keyedDigest } from '../adapters/node/copy-vault.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { LastGoodKeeper, type StoredEntry } from '../domains/learning/index.ts';
import type { HostView } from '../domains/playbooks/index.ts';
import { component } from '../domains/supervisor/testing.ts';
import { Fingerprinting, type FingerprintSources } from './fingerprinting.ts';

const SECRET = 'hunter2-is-the-word';
const KEY = new Uint8Array(32).fill(7);

function fingerprintingOf(change: Partial<FingerprintSources> = {}) {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-fingerprint-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'node_modules'));
  writeFileSync(join(dir, 'node_modules', '.package-lock.json'), '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
  writeFileSync(join(dir, '.env'), `DB_PASSWORD=${SECRET}\nMODE=fast\n`);
  writeFileSync(join(dir, 'settings.json'), `{"password":"${SECRET}"}`);
  const stored = new Map<string, readonly StoredEntry[]>();
  const spec = component({ name: 'api', cwd: dir, roots: [dir], envFiles: [join(dir, '.env')], port: 3999 });
  const redactor = new Redactor();
  redactor.learn([SECRET]);
  const env = { DB_PASSWORD: SECRET, MODE: 'fast', GRACE_MARK: 'x/y', SHLVL: '3' };
  const sources: FingerprintSources = {
    clock: nodeClock,
    files: nodeFiles,
    spawner: nodeSpawner,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    redactor,
    view: { portHolder: async () => null, canConnect: async (_: string, port: number) => port === 1 } as unknown as HostView,
    lastGood: new LastGoodKeeper({
      clock: nodeClock,
      files: nodeFiles,
      store: {
        load: async (name) => stored.get(name) ?? [],
        replace: async (name, e) => void stored.set(name, e),
        digests: async () => [],
      },
      vault: { put: async () => undefined, get: async () => null, prune: async () => undefined },
      checkContent: async () => 'unknown',
      ownDirs: [],
      keptFiles: () => [],
    }),
    components: [spec],
    projectDir: dir,
    bootId: 'boot_1',
    caller: { TZ: 'UTC' },
    digest: (text) => keyedDigest(KEY, text),
    launchOf: async () => ({ argv: [process.execPath, 'server.js', `--token=${SECRET}`], env, openFiles: 512, heapMb: 64 }),
    schemaOutline: async () => ({ 'table orders': 'f00' }),
    ...change,
  };
  return { dir, spec, env, fingerprinting: new Fingerprinting(sources) };
}

test('names, versions and keyed digests, and no value of anything', async () => {
  const { dir, spec, fingerprinting } = fingerprintingOf();
  const maps = await fingerprinting.presentFiles();
  const print = await fingerprinting.take(maps);
  expect(Object.keys(print.env['api'] ?? {})).toEqual(['DB_PASSWORD', 'MODE']);
  expect(Object.keys(print.files).toSorted()).toEqual([join(dir, '.env'), join(dir, 'settings.json')]);
  expect(print.parts).toMatchObject({
    packages: { 'npm a': '1.0.0' },
    runtimes: { node: process.versions.node },
    limits: { 'api: open files': '512', 'api: heap MiB': '64' },
    schema: { 'api: table orders': 'f00' },
    ports: { 'api: 3999': 'nobody else' },
    certificates: {},
  });
  expect(print.machine['time zone']).toBe('UTC');
  const state = await fingerprinting.stateOf(spec, print, maps.get('api') ?? [], ['there:1', 'nowhere:2']);
  expect(state.reachable).toEqual({ 'there:1': true, 'nowhere:2': false });
  expect(Object.keys(state.envKeys[join(dir, '.env')] ?? {})).toEqual(['DB_PASSWORD', 'MODE']);
  expect(JSON.stringify([print, state])).not.toContain(SECRET);
});

test('the digest of a value says nothing without the key, and changes with the value', async () => {
  const { env, fingerprinting } = fingerprintingOf();
  const first = (await fingerprinting.take(new Map())).env['api'];
  env.MODE = 'slow';
  const second = (await fingerprinting.take(new Map())).env['api'];
  expect(second?.['DB_PASSWORD']).toBe(first?.['DB_PASSWORD']);
  expect(second?.['MODE']).not.toBe(first?.['MODE']);
});

test('a part that breaks, or takes too long, is left out; the others are there', async () => {
  const broken = fingerprintingOf({ schemaOutline: () => Promise.reject(new Error('the database is gone')) });
  const never = fingerprintingOf({
    schemaOutline: () => new Promise(() => undefined),
    clock: { ...nodeClock, sleep: (_, signal) => (signal?.aborted ? Promise.reject(new Error('late')) : nodeClock.sleep(400, signal)) },
  });
  for (const { fingerprinting } of [broken, never]) {
    const { parts } = await fingerprinting.take(new Map());
    expect(parts.schema).toBeUndefined();
    expect(parts.packages).toEqual(expect.objectContaining({ 'npm a': '1.0.0' }));
  }
});
