import { expect, test } from 'vitest';
import { compareFingerprints, fingerprintFrom, type Fingerprint } from './fingerprint.ts';

const base: Fingerprint = {
  commands: { api: 'node server.js' },
  env: { api: { PORT: 'aaa', DB_PASSWORD: 'bbb' } },
  files: { '/srv/app/config.yaml': 'd1' },
  machine: { grace_node: 'v26.10.0', commit: 'abc' },
};

test('nothing is different from itself', () => {
  expect(compareFingerprints(base, structuredClone(base))).toEqual([]);
});

test('says what came, what went and what changed, of every kind', () => {
  const now: Fingerprint = {
    commands: { api: 'node server.js --inspect' },
    env: { api: { PORT: 'aaa', LOG: 'ccc' }, worker: { PORT: 'aaa' } },
    files: { '/srv/app/config.yaml': 'd2', '/srv/app/new.yaml': 'd3' },
    machine: { grace_node: 'v26.10.0', commit: 'def' },
  };
  expect(compareFingerprints(base, now)).toEqual([
    { kind: 'machine', subject: 'commit', change: 'changed', detail: 'abc -> def' },
    { kind: 'command', subject: 'api', change: 'changed', detail: 'node server.js -> node server.js --inspect' },
    { kind: 'env', subject: 'api: DB_PASSWORD', change: 'removed', detail: '' },
    { kind: 'env', subject: 'api: LOG', change: 'added', detail: '' },
    { kind: 'env', subject: 'worker: PORT', change: 'added', detail: '' },
    { kind: 'file', subject: '/srv/app/config.yaml', change: 'changed', detail: '' },
    { kind: 'file', subject: '/srv/app/new.yaml', change: 'added', detail: '' },
  ]);
});

test('never shows a digest of a value or a file', () => {
  const now = { ...base, env: { api: { PORT: 'zzz', DB_PASSWORD: 'yyy' } }, files: { '/srv/app/config.yaml': 'xxx' } };
  expect(JSON.stringify(compareFingerprints(base, now))).not.toMatch(/aaa|bbb|zzz|yyy|xxx|d1/);
});

test('a boot of an older Grace, which stored less, is compared as far as it goes', () => {
  expect(compareFingerprints(fingerprintFrom({ machine: { commit: 'abc' } }), { ...base, files: {}, env: {}, commands: {} })).toEqual([
    { kind: 'machine', subject: 'grace_node', change: 'added', detail: '(none) -> v26.10.0' },
  ]);
  expect(fingerprintFrom({})).toEqual({ commands: {}, env: {}, files: {}, machine: {} });
});
