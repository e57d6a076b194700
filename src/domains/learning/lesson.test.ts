import { describe, expect, test } from 'vitest';
import { bootId, signatureOf } from '../../kernel/index.ts';
import type { Fact, FactKind, Failure } from '../incidents/index.ts';
import { component } from '../supervisor/testing.ts';
import type { ComponentState, PathTrace } from './component-state.ts';
import { lessonFrom, type Lesson } from './lesson.ts';
import { stateDifferences, type ComparedStates } from './state-differences.ts';

const LAUNCHED_MS = 1000;
const SPEC = component({
  name: 'api',
  cwd: '/srv/app',
  roots: ['/srv/app'],
  envFiles: ['/srv/app/.env'],
  migrate: ['npm', 'run', 'migrate'],
});
const POSTGRES = component({ name: 'postgres', kind: 'dependency', port: 5432, command: ['start-postgres'] });

const fact = (kind: FactKind, subject = ''): Fact => ({ kind, runtime: 'node', code: '', subject, details: {}, line: '', lineIndex: 0 });
const file = (digest: string, more: Partial<PathTrace> = {}): PathTrace => ({
  kind: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  digest,
  mtimeMs: 1,
  ...more,
});
const dir = (more: Partial<PathTrace> = {}): PathTrace => ({ ...file(''), kind: 'directory', mode: 0o755, ...more });

interface World {
  readonly paths?: ComponentState['paths'];
  readonly env?: Readonly<Record<string, string>>;
  readonly envKeys?: ComponentState['envKeys'];
  readonly reachable?: ComponentState['reachable'];
  readonly parts?: ComponentState['fingerprint']['parts'];
  readonly machine?: Readonly<Record<string, string>>;
}

const state = ({ paths = {}, env = {}, envKeys = {}, reachable = {}, parts = {}, machine = {} }: World): ComponentState => ({
  component: 'api',
  bootId: 'boot_20260101_000000',
  atMs: 0,
  fingerprint: { commands: { api: 'node server.js' }, env: { api: env }, files: {}, machine, parts },
  paths,
  envKeys,
  reachable,
});

function failureOf(facts: readonly Fact[], said: string, symptom: Failure['symptom'] = 'exit'): Failure {
  return {
    id: 'f1',
    bootId: bootId('boot_20260101_000000'),
    atMs: 0,
    stage: '6. Autonomy Load',
    component: 'api',
    symptom,
    message: 'it ended',
    exitCode: 1,
    signal: null,
    output: [said],
    headline: said,
    subject: '',
    facts,
    frames: [],
    family: '',
    signature: signatureOf('0123456789abcdef'),
    signatureParts: [],
    afterMs: 1,
    context: {},
  };
}

interface Story {
  readonly facts?: readonly Fact[];
  readonly said?: string;
  readonly symptom?: Failure['symptom'];
  readonly wasTreated?: boolean;
  readonly values?: Readonly<Record<string, string>>;
  readonly compared?: Partial<ComparedStates>;
}

function lessonOf(failed: World | readonly World[], good: World, story: Story = {}): Lesson | null {
  const failure = failureOf(story.facts ?? [], story.said ?? 'Error: it broke', story.symptom);
  const goodState = state(good);
  const differences = stateDifferences({
    failed: (Array.isArray(failed) ? (failed as readonly World[]) : [failed as World]).map(state),
    later: [],
    good: goodState,
    cwd: '/srv/app',
    touched: null,
    launchedAtMs: LAUNCHED_MS,
    restless: new Set(),
    isNamed: (path) => failure.headline.includes(path),
    ...story.compared,
  });
  return lessonFrom({
    failure,
    component: SPEC,
    components: [SPEC, POSTGRES],
    differences,
    touched: story.compared?.touched ?? null,
    nowMs: 0,
    wasTreated: story.wasTreated ?? false,
    hasCopy: (path) => (goodState.paths[path]?.digest ?? '') !== '',
    isPossible: () => true,
    valueOf: (name) => story.values?.[name] ?? null,
  });
}

const steps = (lesson: Lesson | null) => lesson?.steps.map((s) => [s.primitive, s.params]) ?? [];

describe('what a person did becomes the step that does it again', () => {
  test.each<[string, World, World, Story, readonly unknown[], readonly string[]]>([
    [
      'a changed file',
      { paths: { '/srv/app/a.ini': file('1') } },
      { paths: { '/srv/app/a.ini': file('2') } },
      {},
      [['restore_file', { path: '/srv/app/a.ini' }]],
      ['changed a.ini'],
    ],
    [
      'a file that was made',
      {},
      { paths: { '/srv/app/conf': dir(), '/srv/app/conf/a.ini': file('2') } },
      {},
      [['restore_file', { path: '/srv/app/conf/a.ini' }]],
      ['made conf/a.ini'],
    ],
    [
      'a directory',
      {},
      { paths: { '/srv/app/data': dir() } },
      { facts: [fact('path_missing', '/srv/app/data')] },
      [['make_directory', { path: '/srv/app/data' }]],
      ['made the directory data'],
    ],
    [
      'owner and mode',
      { paths: { '/srv/app/data': dir({ mode: 0o500 }) } },
      { paths: { '/srv/app/data': dir({ mode: 0o750, mtimeMs: 5000 }) } },
      { facts: [fact('permission_denied', '/srv/app/data/x')] },
      [['restore_permissions', { path: '/srv/app/data' }]],
      ['gave data another owner or mode (0:0 500 -> 0:0 750)'],
    ],
    [
      'a lock that was left over',
      { paths: { '/srv/app/server.pid': file('') } },
      {},
      { facts: [fact('lock_held', 'server.pid')] },
      [['remove_stale_lock', { path: '/srv/app/server.pid' }]],
      ['removed server.pid'],
    ],
    [
      'keys of an env file, together',
      { paths: { '/srv/app/.env': file('1') }, envKeys: { '/srv/app/.env': { A: '1', D: '1' } } },
      { paths: { '/srv/app/.env': file('2') }, envKeys: { '/srv/app/.env': { A: '1', B: '2', C: '3', D: '1' } } },
      { said: 'Error: B and C are wanted' },
      [['add_env_keys', { file: '/srv/app/.env', keys: ['B', 'C'], from: 'last_good' }]],
      ['set B in .env', 'set C in .env'],
    ],
    [
      'a key with another value',
      { paths: { '/srv/app/.env': file('1') }, envKeys: { '/srv/app/.env': { HOST: '1' } }, env: { HOST: '1' } },
      { paths: { '/srv/app/.env': file('2') }, envKeys: { '/srv/app/.env': { HOST: '2' } }, env: { HOST: '2' } },
      {},
      [['add_env_keys', { file: '/srv/app/.env', keys: ['HOST'], from: 'last_good', replace: true }]],
      ['changed HOST in .env'],
    ],
    [
      'a whole env file, and not its variables one by one',
      {},
      { paths: { '/srv/app/.env': file('2') }, envKeys: { '/srv/app/.env': { A: '1', B: '2' } }, env: { A: '1', B: '2' } },
      { values: { A: 'x', B: 'y' } },
      [['restore_file', { path: '/srv/app/.env' }]],
      ['made .env'],
    ],
    [
      'a variable from outside',
      {},
      { env: { MODE: '1' } },
      { values: { MODE: 'gold' } },
      [['set_env_override', { name: 'MODE', value: 'gold' }]],
      ['set MODE in the environment'],
    ],
    [
      'packages, once',
      { parts: { packages: {} } },
      { parts: { packages: { 'npm a': '1', 'npm b': '2', 'npm (installed at)': 'x' } } },
      { facts: [fact('module_missing', 'a')] },
      [['install_packages', { directory: '/srv/app' }]],
      ['installed npm a ((none) -> 1)', 'installed the packages anew', 'installed npm b ((none) -> 2)'],
    ],
    [
      'packages that were built for another runtime',
      { parts: { packages: { 'npm (installed at)': 'x' } } },
      { parts: { packages: { 'npm (installed at)': 'y' } } },
      { facts: [fact('native_module_broken', 'bcrypt')] },
      [['rebuild_packages', { directory: '/srv/app' }]],
      ['installed the packages anew'],
    ],
    [
      'migrations',
      { parts: { schema: { 'api: pending migrations': '0003_x' } } },
      { parts: { schema: { 'api: table x': 'd' } } },
      { facts: [fact('relation_missing', 'x')] },
      [['run_migrations', {}]],
      ['changed the schema: table x', 'applied migrations (0003_x -> (none))'],
    ],
    [
      'a limit',
      { parts: { limits: { 'api: open files': '64' } } },
      { parts: { limits: { 'api: open files': '4096' } } },
      { facts: [fact('too_many_open_files')] },
      [['raise_open_files', { to: 4096 }]],
      ['changed the limit of open files (64 -> 4096)'],
    ],
    [
      'a port that got free',
      { parts: { ports: { 'api: 3000': 'nginx of root' } } },
      { parts: { ports: { 'api: 3000': 'nobody else' } } },
      { facts: [fact('port_in_use', '3000')] },
      [['wait_for_port', { port: 3000, timeoutMs: 60_000 }]],
      ['freed port 3000 (nginx of root -> nobody else)'],
    ],
    [
      'a dependency that Grace may start',
      { reachable: { '127.0.0.1:5432': false } },
      { reachable: { '127.0.0.1:5432': true } },
      { facts: [fact('connection_refused', '127.0.0.1:5432')] },
      [['start_dependency', { name: 'postgres' }]],
      ['brought 127.0.0.1:5432 back'],
    ],
    [
      'something elsewhere that came back',
      { reachable: { 'mq:5672': false } },
      { reachable: { 'mq:5672': true } },
      { facts: [fact('connection_refused', 'mq:5672')] },
      [['wait_for_dependency', { host: 'mq', port: 5672, timeoutMs: 60_000 }]],
      ['brought mq:5672 back'],
    ],
    [
      'a lock file before the packages it lists',
      { parts: { packages: {} }, paths: { '/srv/app/package-lock.json': file('1') } },
      { parts: { packages: { 'npm a': '1' } }, paths: { '/srv/app/package-lock.json': file('2') } },
      { facts: [fact('module_missing', 'a')] },
      [
        ['restore_file', { path: '/srv/app/package-lock.json' }],
        ['install_packages', { directory: '/srv/app' }],
      ],
      ['installed npm a ((none) -> 1)', 'changed package-lock.json'],
    ],
  ])('%s', (_, failed, good, story, expected, did) => {
    const lesson = lessonOf(failed, good, story);
    expect(steps(lesson)).toEqual(expected);
    expect(lesson?.did).toEqual(did);
  });
});

describe('what no step does is told', () => {
  test.each<[string, World, World, Story, readonly string[]]>([
    ['a secret from outside', {}, { env: { API_TOKEN: '1' } }, {}, ['set API_TOKEN in the environment']],
    [
      'another commit, and not the files that it brought',
      { parts: { git: { commit: 'abc', branch: 'main' } }, paths: { '/srv/app/a.js': file('1') } },
      { parts: { git: { commit: 'def', branch: 'main' } }, paths: { '/srv/app/a.js': file('2') } },
      { compared: { touched: ['/srv/app/a.js'] } },
      ['checked out another commit (abc -> def)'],
    ],
    ['another runtime', { parts: { runtimes: { node: '20.1.0' } } }, { parts: { runtimes: { node: '22.0.0' } } }, {}, ['changed the version of node (20.1.0 -> 22.0.0)']],
    ['another mount', { parts: { mounts: {} } }, { parts: { mounts: { '/data': 'sdb ext4 rw' } } }, {}, ['changed the mount /data ((none) -> sdb ext4 rw)']],
    ['a file of which no copy is kept', { paths: { '/srv/app/big.bin': file('1') } }, { paths: { '/srv/app/big.bin': { ...file(''), mode: 0o644 } } }, {}, ['changed big.bin']],
    ['what Grace itself was told', { paths: { '/srv/app/grace.config.json': file('1') } }, { paths: { '/srv/app/grace.config.json': file('2') } }, {}, ['changed grace.config.json']],
  ])('%s', (_, failed, good, story, did) => {
    const lesson = lessonOf(failed, good, story);
    expect(lesson).toMatchObject({ steps: [], did, byHand: did });
  }); // prettier-ignore
});

describe('what made no difference is left out', () => {
  test('everything else, when the failure points at something', () => {
    const failed = { paths: { '/srv/app/a.ini': file('1'), '/srv/app/b.ini': file('1') }, env: { THEME: '1' } };
    const good = { paths: { '/srv/app/a.ini': file('2'), '/srv/app/b.ini': file('2') }, env: { THEME: '2' } };
    const lesson = lessonOf(failed, good, { facts: [fact('config_invalid', 'b.ini')], values: { THEME: 'x' } });
    expect(steps(lesson)).toEqual([['restore_file', { path: '/srv/app/b.ini' }]]);
    expect(lesson?.did).toEqual(['changed b.ini']);
  });

  test('what the service wrote since it was started, logs, and what differs between good boots too', () => {
    const before = { '/srv/app/state.json': file('1'), '/srv/app/logs/x.txt': file('1'), '/srv/app/counter.json': file('1') };
    const after = {
      '/srv/app/state.json': file('2', { mtimeMs: LAUNCHED_MS }),
      '/srv/app/logs/x.txt': file('2'),
      '/srv/app/counter.json': file('2'),
      '/srv/app/cache': dir({ mtimeMs: LAUNCHED_MS + 1 }),
    };
    expect(lessonOf({ paths: before }, { paths: after }, { compared: { restless: new Set(['/srv/app/counter.json']) } })).toBeNull();
  });

  test('what was tried before and did not help', () => {
    const [a, b] = ['/srv/app/a.ini', '/srv/app/b.ini'];
    const tried = [{ paths: { [a]: file('1'), [b]: file('1') } }, { paths: { [a]: file('2'), [b]: file('1') } }];
    // The first try was taken back: `a` is as it was when it failed first.
    const lesson = lessonOf(tried, { paths: { [a]: file('1'), [b]: file('2') } });
    expect(steps(lesson)).toEqual([['restore_file', { path: b }]]);
  });

  test('what was for another failure that came after', () => {
    const [a, b] = ['/srv/app/a.ini', '/srv/app/b.ini'];
    const later = [state({ paths: { [a]: file('2'), [b]: file('1') } })];
    const lesson = lessonOf(
      { paths: { [a]: file('1'), [b]: file('1') } },
      { paths: { [a]: file('2'), [b]: file('2') } },
      { compared: { later } },
    );
    expect(steps(lesson)).toEqual([['restore_file', { path: a }]]);
  });

  test('too much at once, when nothing points at any of it: it is told, and nothing is done', () => {
    const paths = (digest: string): World => ({
      paths: Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`/srv/app/${n}.ini`, file(digest)])),
    });
    const lesson = lessonOf(paths('1'), paths('2'));
    expect(lesson?.steps).toEqual([]);
    expect(lesson?.did).toHaveLength(5);
  });

  test('where a shell was started, and by whom', () => {
    expect(lessonOf({ env: { PATH: '1', HOME: '1' } }, { env: { PATH: '2', HOME: '2', EDITOR: '3' } })).toBeNull();
  });

  test('nothing, when nothing is different', () => {
    expect(lessonOf({ paths: { '/srv/app/a.ini': file('1') } }, { paths: { '/srv/app/a.ini': file('1') } })).toBeNull();
  });

  test('chance, when Grace has mended something else meanwhile', () => {
    const change = [{ paths: { '/srv/app/a.ini': file('1') } }, { paths: { '/srv/app/a.ini': file('2') } }] as const;
    expect(lessonOf(...change, { wasTreated: true })).toBeNull();
    expect(lessonOf(...change, { wasTreated: true, said: 'Error: a.ini is wrong' })).not.toBeNull();
  });

  test('chance, when what ails it passes by itself', () => {
    const change = [{ paths: { '/srv/app/a.ini': file('1') } }, { paths: { '/srv/app/a.ini': file('2') } }] as const;
    expect(lessonOf(...change, { symptom: 'liveness' })).toBeNull();
    expect(lessonOf(...change, { symptom: 'liveness', said: 'Error: a.ini is wrong' })).not.toBeNull();
  });
});

test('code and migrations are a higher risk than settings', () => {
  const changed = (path: string) => lessonOf({ paths: { [path]: file('1') } }, { paths: { [path]: file('2') } });
  expect(changed('/srv/app/a.js')?.risk).toBe('high');
  expect(changed('/srv/app/a.json')?.risk).toBe('medium');
});
