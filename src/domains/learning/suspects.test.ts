import { describe, expect, test } from 'vitest';
import type { Fact, FactKind, Frame } from '../incidents/index.ts';
import type { Drift } from './drift.ts';
import type { FingerprintChange } from './fingerprint-changes.ts';
import { describeSuspect, LIKELY_WEIGHT, rankSuspects, type SuspectCase } from './suspects.ts';

const fact = (kind: FactKind, subject = '', details: Fact['details'] = {}): Fact => ({
  kind,
  runtime: 'node',
  code: '',
  subject,
  details,
  line: '',
  lineIndex: 0,
});
const frame = (path: string, inDependency: string | null = null): Frame => ({
  path,
  function: 'f',
  line: 1,
  inDependency: inDependency !== null,
  package: inDependency,
});
const change = (kind: FingerprintChange['kind'], subject: string, detail = '', what: FingerprintChange['change'] = 'changed') => ({
  kind,
  subject,
  change: what,
  detail,
});
const drift = (kind: Drift['kind'], subject: string, isBroken = false): Drift => ({
  kind,
  subject,
  message: `${subject} is another`,
  isBroken,
  canRestore: true,
  suspicion: 1,
});

/** Everything that usually changes between two boots, and has nothing to do with any failure. */
const NOISE: readonly FingerprintChange[] = [
  change('file', '/srv/app/readme.txt'),
  change('package', 'npm chalk', '5.0.0 -> 5.1.0'),
  change('env', 'api: THEME'),
  change('limit', 'core size', '0 -> unlimited'),
  change('machine', 'kernel', '6.1 -> 6.2'),
  change('schema', 'api: table audits'),
  change('disk', '/', 'room: 9 MiB -> nearly full: 2 MiB'),
  change('runtime', 'node', '22.18.0 -> 22.19.0'),
];

function suspectsOf(parts: {
  facts?: readonly Fact[];
  frames?: readonly Frame[];
  said?: string;
  changes?: readonly FingerprintChange[];
  drift?: readonly Drift[];
  touched?: SuspectCase['touched'];
  now?: SuspectCase['now'];
}) {
  const { facts = [], frames = [], said = 'Error: it broke', changes = [] } = parts;
  return rankSuspects({
    failure: { facts, frames, output: [said], headline: said, message: 'it ended' },
    component: { name: 'api', cwd: '/srv/app', command: ['node', 'server.js', '--config=conf/app.ini'], envFiles: ['/srv/app/.env'] },
    changes: [...NOISE, ...changes],
    drift: parts.drift ?? [],
    touched: parts.touched ?? null,
    now: parts.now ?? null,
    nowMs: Date.UTC(2026, 5, 1),
  });
}

describe('the change that the failure points at comes first', () => {
  test.each<[string, Parameters<typeof suspectsOf>[0], string, RegExp]>([
    [
      'a commit that touched the file of the stack',
      { frames: [frame('/srv/app/lib/price.js')], changes: [change('git', 'commit', 'a -> b')], touched: ['/srv/app/lib/price.js'] },
      'commit',
      /lib\/price\.js, where the error comes from/,
    ],
    [
      'a commit that touched the lock file, for a missing module',
      { facts: [fact('module_missing', 'nowhere')], changes: [change('git', 'commit', 'a -> b')], touched: ['/srv/app/package-lock.json'] },
      'commit',
      /touched package-lock\.json/,
    ],
    [
      'the package that is missed',
      { facts: [fact('module_missing', '@acme/money/round')], changes: [change('package', 'npm @acme/money', '1 -> (none)', 'removed')] },
      'npm @acme/money',
      /is missed/,
    ],
    [
      'a Python package whose module is spelled differently',
      { facts: [fact('module_missing', 'ruamel_yaml.main')], changes: [change('package', 'pip ruamel-yaml', '1 -> 2')] },
      'pip ruamel-yaml',
      /could not be used/,
    ],
    [
      'the package inside which it broke',
      { frames: [frame('/srv/app/node_modules/pg/index.js', 'pg')], changes: [change('package', 'npm pg', '8.0.0 -> 9.0.0')] },
      'npm pg',
      /comes from inside it/,
    ],
    ['the variable that is missed', { facts: [fact('env_missing', 'REGION')], changes: [change('env', 'api: REGION', '', 'removed')] }, 'api: REGION', /is missed/],
    ['what logs in, when a login is refused', { facts: [fact('auth_failed', 'app')], changes: [change('env', 'api: DB_PASSWORD')] }, 'api: DB_PASSWORD', /login/],
    ['where to connect, when that fails', { facts: [fact('connection_refused', 'db:5432')], changes: [change('env', 'api: DATABASE_URL')] }, 'api: DATABASE_URL', /connection/],
    ['the limit of open files for EMFILE', { facts: [fact('too_many_open_files')], changes: [change('limit', 'api: open files', '1024 -> 64')] }, 'api: open files', /no more files/],
    ['the memory for a heap that ran over', { facts: [fact('out_of_memory')], changes: [change('limit', 'memory (cgroup)', '9 -> 5')] }, 'memory (cgroup)', /memory/],
    ['a file that the output names', { said: 'Error in tariff.dat: bad line', changes: [change('file', '/srv/app/data/tariff.dat')] }, '/srv/app/data/tariff.dat', /output names it/],
    ['a file that the failure is about', { facts: [fact('config_invalid', 'conf/app.ini')], changes: [change('file', '/srv/app/conf/app.ini')] }, '/srv/app/conf/app.ini', /is about this file/],
    ['a mount that is read-only now', { facts: [fact('read_only_file_system', '/srv/app/data/x')], changes: [change('mount', '/srv/app/data', 'sda ext4 rw -> sda ext4 ro')] }, '/srv/app/data', /could not be written/],
    ['a mount that is gone, for what lay on it', { facts: [fact('path_missing', '/srv/app/media/a.png')], changes: [change('mount', '/srv/app/media', 'x -> (none)', 'removed')] }, '/srv/app/media', /lay on it/],
    ['a full disk', { facts: [fact('disk_full', '/var/x')], changes: [change('disk', '/var', 'room: 90 MiB -> full: 0 MiB')] }, '/var', /no room/],
    ['the table that is missed', { facts: [fact('relation_missing', 'orders')], changes: [change('schema', 'api: table orders', '', 'removed')] }, 'api: table orders', /database misses/],
    ['the column that is missed', { facts: [fact('relation_missing', 'total')], changes: [change('schema', 'api: column orders.total', 'int -> (none)', 'removed')] }, 'api: column orders.total', /database misses/],
    ['whoever holds the port', { facts: [fact('port_in_use', '3000')], changes: [change('port', 'api: 3000', 'nobody else -> nginx of root')] }, 'api: 3000', /could not be had/],
    ['the time zone, where dates are spoken of', { said: "TypeError: can't compare offset-naive and offset-aware datetimes", changes: [change('machine', 'time zone', 'UTC -> Asia/Tokyo')] }, 'time zone', /dates/],
    ['the locale for an encoding', { facts: [fact('encoding_error', 'ascii')], changes: [change('machine', 'locale', 'C.UTF-8 -> C')] }, 'locale', /encoding/],
    ['the version, for what was built for another', { facts: [fact('native_module_broken', 'bcrypt')], changes: [] }, 'node', /built for another version/],
    ['a broken file above all', { facts: [fact('connection_refused', 'db:1')], changes: [change('env', 'api: DB_URL')], drift: [drift('changed', '/srv/app/x.json', true)] }, '/srv/app/x.json', /in order at the last good boot/],
    ['an owner, for what was denied', { facts: [fact('permission_denied', '/srv/app/data/x')], drift: [drift('owner', '/srv/app/data')] }, '/srv/app/data', /denied/],
    ['a change that was not committed, in the file of the stack', { frames: [frame('lib/price.js')], changes: [change('git', 'changed /srv/app/lib/price.js')] }, 'changed /srv/app/lib/price.js', /comes from this file/],
  ])('%s', (_, parts, subject, reason) => {
    const [first] = suspectsOf(parts);
    expect(first?.subject).toBe(subject);
    expect(first?.reason).toMatch(reason);
    expect(first?.weight).toBeGreaterThanOrEqual(LIKELY_WEIGHT);
  }); // prettier-ignore
});

test('nothing that only happened too counts as likely', () => {
  const likely = suspectsOf({ facts: [fact('port_in_use', '3000')] }).filter((s) => s.weight > LIKELY_WEIGHT);
  expect(likely).toEqual([]);
});

test('a certificate that ran out is suspicious though nobody changed it', () => {
  const certificates = { '/srv/app/tls.pem': 'CN=a, issued by CN=b, valid 2025-01-01T00:00Z to 2026-05-31T00:00Z, SHA-256 AA' };
  const now = { commands: {}, env: {}, files: {}, machine: {}, parts: { certificates } };
  expect(suspectsOf({ facts: [fact('certificate_problem', 'a')], now })[0]).toMatchObject({ subject: '/srv/app/tls.pem', weight: 0.95 });
  expect(suspectsOf({ now }).some((s) => s.kind === 'certificate')).toBe(false);
});

test('a variable that an env file and the environment tell of is told once', () => {
  const twice = suspectsOf({ changes: [change('env', 'api: REGION')], drift: [drift('env_key_changed', 'REGION')] });
  expect(twice.filter((s) => s.kind === 'env' && s.subject.includes('REGION'))).toHaveLength(1);
});

test('a file that git knows to be changed is told once', () => {
  const path = '/srv/app/lib/price.js';
  const changes = [change('git', `changed ${path}`), change('file', path)];
  expect(suspectsOf({ frames: [frame(path)], changes }).filter((s) => s.subject.endsWith(path))).toMatchObject([{ kind: 'file' }]);
});

test("another component's variables and command are hardly suspicious", () => {
  const suspects = suspectsOf({
    said: 'Error: bad QUEUE',
    changes: [change('env', 'worker: QUEUE'), change('command', 'worker', 'a -> b')],
  });
  expect(suspects.filter((s) => s.subject.startsWith('worker')).map((s) => s.weight)).toEqual([0.1, 0.1]);
});

test('names are found as words, not inside of others, and hostile ones cost nothing', () => {
  const inside = suspectsOf({ said: 'Error: myregions', changes: [change('env', 'api: region')] }).find((s) => s.subject === 'api: region');
  expect(inside?.weight).toBeLessThan(LIKELY_WEIGHT);
  const hostile = suspectsOf({ said: '('.repeat(50_000), changes: [change('env', 'api: (((((')] });
  expect(hostile.length).toBeGreaterThan(0);
});

test('is told in one line, with what it was and why it counts', () => {
  const [first] = suspectsOf({ facts: [fact('module_missing', 'pg')], changes: [change('package', 'npm pg', '8.0.0 -> 9.0.0')] });
  expect(first === undefined ? '' : describeSuspect(first)).toBe('package npm pg 8.0.0 -> 9.0.0: it is what could not be used');
});
