import { expect, test } from 'vitest';
import { compareFingerprints } from './fingerprint-changes.ts';
import { fingerprintFrom, type Fingerprint } from './fingerprint.ts';

const base: Fingerprint = {
  commands: { api: 'node server.js' },
  env: { api: { PORT: 'aaa', DB_PASSWORD: 'bbb' } },
  files: { '/srv/app/config.yaml': 'd1' },
  machine: { kernel: '6.1', 'time zone': 'UTC' },
  parts: {
    packages: { 'npm express': '4.18.2' },
    git: { commit: 'abc', branch: 'main', 'changed /srv/app/x.js': 'e1' },
    runtimes: { node: '22.18.0' },
    limits: { 'open files': '1024' },
    schema: { 'api: table orders': 'f1', 'api: column orders.total': 'integer' },
    ports: { 'api: 3000': 'nobody else' },
    disks: { '/': 'room: 900 MiB and 10 inodes free' },
    mounts: { '/': '/dev/sda1 ext4 rw' },
    certificates: { '/srv/app/tls.pem': 'CN=a, issued by CN=b, valid 2026-01-01T00:00Z to 2027-01-01T00:00Z, SHA-256 AA' },
  },
};

test('nothing is different from itself', () => {
  expect(compareFingerprints(base, structuredClone(base))).toEqual([]);
});

test('says what came, what went and what changed, of every kind', () => {
  const now: Fingerprint = {
    commands: { api: 'node server.js --inspect' },
    env: { api: { PORT: 'aaa', LOG: 'ccc' }, worker: { PORT: 'aaa' } },
    files: { '/srv/app/config.yaml': 'd2', '/srv/app/new.yaml': 'd3' },
    machine: { kernel: '6.1', 'time zone': 'Europe/Zurich' },
    parts: {
      packages: { 'npm express': '4.19.0', 'npm left-pad': '1.3.0' },
      git: { commit: 'def', branch: 'main', 'changed /srv/app/x.js': 'e2' },
      runtimes: { node: '20.0.0' },
      limits: { 'open files': '64' },
      schema: { 'api: table orders': 'f2', 'api: column orders.total': 'text' },
      ports: { 'api: 3000': 'nginx of root' },
      disks: { '/': 'full: 0 MiB and 10 inodes free' },
      mounts: { '/': '/dev/sda1 ext4 ro' },
      certificates: {},
    },
  };
  expect(compareFingerprints(base, now).map((c) => [c.kind, c.subject, c.change, c.detail])).toEqual([
    ['machine', 'time zone', 'changed', 'UTC -> Europe/Zurich'],
    ['command', 'api', 'changed', 'node server.js -> node server.js --inspect'],
    ['package', 'npm express', 'changed', '4.18.2 -> 4.19.0'],
    ['package', 'npm left-pad', 'added', '(none) -> 1.3.0'],
    ['git', 'commit', 'changed', 'abc -> def'],
    ['git', 'changed /srv/app/x.js', 'changed', ''],
    ['runtime', 'node', 'changed', '22.18.0 -> 20.0.0'],
    ['limit', 'open files', 'changed', '1024 -> 64'],
    ['schema', 'api: table orders', 'changed', ''],
    ['schema', 'api: column orders.total', 'changed', 'integer -> text'],
    ['port', 'api: 3000', 'changed', 'nobody else -> nginx of root'],
    ['disk', '/', 'changed', 'room: 900 MiB and 10 inodes free -> full: 0 MiB and 10 inodes free'],
    ['mount', '/', 'changed', '/dev/sda1 ext4 rw -> /dev/sda1 ext4 ro'],
    ['certificate', '/srv/app/tls.pem', 'removed', expect.stringContaining('-> (none)')],
    ['env', 'api: DB_PASSWORD', 'removed', ''],
    ['env', 'api: LOG', 'added', ''],
    ['env', 'worker: PORT', 'added', ''],
    ['file', '/srv/app/config.yaml', 'changed', ''],
    ['file', '/srv/app/new.yaml', 'added', ''],
  ]);
});

test('never shows a digest: of a value, a file, a table, or a change that was not committed', () => {
  const now: Fingerprint = {
    ...base,
    env: { api: { PORT: 'zzz', DB_PASSWORD: 'yyy' } },
    files: { '/srv/app/config.yaml': 'xxx' },
    parts: { git: { commit: 'abc', branch: 'main', 'changed /srv/app/x.js': 'www' }, schema: { 'api: table orders': 'vvv' } },
  };
  const changes = compareFingerprints(base, now);
  expect(changes.length).toBeGreaterThanOrEqual(5);
  expect(JSON.stringify(changes)).not.toMatch(/aaa|bbb|zzz|yyy|xxx|www|vvv|"[def]1"|f1/);
});

test('how full a disk is counts when it matters, not each mebibyte', () => {
  const disk = (value: string): Fingerprint => ({ ...base, parts: { disks: { '/': value } } });
  expect(compareFingerprints(disk('room: 900 MiB'), disk('room: 300 MiB'))).toEqual([]);
  expect(compareFingerprints(disk('room: 900 MiB'), disk('nearly full: 3 MiB'))).toMatchObject([{ kind: 'disk' }]);
});

test('a part that one of the two did not look at is not compared', () => {
  expect(compareFingerprints({ ...base, parts: {} }, base)).toEqual([]);
  expect(compareFingerprints(base, { ...base, parts: {} })).toEqual([]);
});

test('a boot of an older Grace, which knew less, is compared as far as it goes', () => {
  const old = fingerprintFrom({
    commands: { api: 'node server.js' },
    machine: { grace_node: 'v22.0.0', platform: 'linux x64', commit: 'abc' },
  });
  expect(old).toEqual({
    commands: { api: 'node server.js' },
    env: {},
    files: {},
    machine: { grace_node: 'v22.0.0', platform: 'linux x64' },
    parts: { git: { commit: 'abc' } },
  });
  const now: Fingerprint = {
    ...base,
    env: {},
    files: {},
    machine: { ...base.machine, grace_node: 'v26.0.0', platform: 'linux x64' },
    parts: { ...base.parts, git: { commit: 'def', branch: 'main', 'changed /srv/app/x.js': 'e1' } },
  };
  expect(compareFingerprints(old, now)).toEqual([
    { kind: 'machine', subject: 'grace_node', change: 'changed', detail: 'v22.0.0 -> v26.0.0' },
    { kind: 'git', subject: 'commit', change: 'changed', detail: 'abc -> def' },
  ]);
  expect(fingerprintFrom({})).toEqual({ commands: {}, env: {}, files: {}, machine: {}, parts: {} });
});
