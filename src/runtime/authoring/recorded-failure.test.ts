import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeFiles } from '../../adapters/node/files.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { Captured } from '../../domains/learning/index.ts';
import type { LastGood, LastGoodEntry, RemedyStep } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { sha256Hex } from '../../kernel/index.ts';
import { applyBreakage } from './apply-breakage.ts';
import { recordFailure } from './record-failure.ts';
import { parseRecordedFailure, printRecordedFailure, RECORD_BYTES_MAX, recordFileOf, type RecordedFailure } from './recorded-failure.ts';

const SECRET = 'correct-horse-battery';
const VALID = { version: 1, playbook: 'mend', component: 'api', signature: '0123456789abcdef', world: [] };
const parse = (data: unknown): RecordedFailure => parseRecordedFailure('mend.failure.json', JSON.stringify(data));

function folder(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-record-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const CAPTURED = {
  failure: { signature: '0123456789abcdef', facts: [], message: '' },
  pattern: { incidentId: 'x_1' },
  isNew: true,
} as unknown as Captured;

/** A component whose last good boot had these files. */
function component(dir: string, good: Readonly<Record<string, string>>) {
  const entries = Object.entries(good).map(([name, text]): LastGoodEntry => ({
    path: join(dir, name),
    kind: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: text.length,
    digest: sha256Hex(text),
    hasContent: true,
    bootId: '',
  }));
  const lastGood: LastGood = {
    entries: async () => entries,
    entry: async (_, path) => entries.find((e) => e.path === path) ?? null,
    content: async (entry) => Buffer.from(Object.entries(good).find(([name]) => join(dir, name) === entry.path)?.[1] ?? ''),
  };
  const redactor = new Redactor();
  redactor.learnEnvironment({ API_TOKEN: SECRET });
  const spec = { name: 'api', cwd: dir, roots: [dir], envFiles: [join(dir, '.env')], database: null } as unknown as ComponentSpec;
  return (...steps: readonly RemedyStep[]) =>
    recordFailure(
      { playbook: 'mend', captured: CAPTURED, spec, steps, diagnosis: { family: 'f', cause: `it is broken, with ${SECRET}` } },
      { files: nodeFiles, lastGood, redactor, projectDir: dir },
    );
}

const step = (primitive: string, params: RemedyStep['params']): RemedyStep => ({ name: 's', primitive, params });

describe('a recorded failure', () => {
  test('is read back as it was written', async () => {
    const record = await component(folder(), {})(step('make_directory', { path: 'uploads' }));
    expect(parse(JSON.parse(printRecordedFailure(record)))).toEqual(record);
    expect(recordFileOf('/srv/playbooks/mend.ts', 'mend')).toBe('/srv/playbooks/mend.failure.json');
  });

  test.each([
    ['another version', { ...VALID, version: 2 }, /version/],
    ['an unknown key', { ...VALID, wrold: [] }, /wrold/],
    ['an unknown difference', { ...VALID, world: [{ path: 'a', was: 'gone' }] }, /world\.0/],
    ['a signature that is none', { ...VALID, signature: 'x' }, /signature/],
    ['what is no object', 'text', /the file/],
  ])('with %s is refused, and the place is named', (_title, data, message) => {
    expect(() => parse(data)).toThrow(message);
  });

  test('is no JSON, or endless: refused', () => {
    expect(() => parseRecordedFailure('f', '{')).toThrow(/no JSON/);
    expect(() => parseRecordedFailure('f', ' '.repeat(RECORD_BYTES_MAX + 1))).toThrow(/longer/);
  });
});

describe('what is recorded', () => {
  test('is the shape of what differs, and never a secret', async () => {
    const dir = folder();
    writeFileSync(join(dir, '.env'), `API_TOKEN=${SECRET}\nPORT=1\n`);
    writeFileSync(join(dir, 'cut.json'), '{"a"');
    writeFileSync(join(dir, 'broken.json'), `{"token": "${SECRET}",}`);
    writeFileSync(join(dir, 'same.json'), '{}');
    writeFileSync(join(dir, 'app.pid'), '4711\n');
    writeFileSync(join(dir, 'data.bin'), Buffer.from([1, 2, 0, 9, 9]));
    const good = { 'cut.json': '{"a": 1}', 'broken.json': '{}', 'same.json': '{}', 'data.bin': '\u0001\u0002\u0003' };
    const record = await component(dir, good)(
      step('restore_file', { path: 'cut.json' }),
      step('restore_file', { path: 'broken.json' }),
      step('restore_file', { path: 'same.json' }),
      step('restore_file', { path: 'data.bin' }),
      step('restore_file', { path: 'deep/er/gone.txt' }),
      step('remove_stale_lock', { path: 'app.pid' }),
      step('add_env_keys', { file: '.env', keys: ['LOG_LEVEL', 'API_TOKEN'], from: 'last_good' }),
      step('free_port', { port: 3000 }),
    );
    expect(record.world).toEqual([
      { path: 'cut.json', was: 'cut', bytes: 4 },
      { path: 'broken.json', was: 'text', text: expect.stringContaining('[redacted]') as string },
      { path: 'data.bin', was: 'damaged', intactBytes: 2, bytes: 5 },
      { path: 'deep', was: 'missing' },
      { path: 'app.pid', was: 'text', text: '{{dead pid}}\n' },
      { envFile: '.env', missing: ['LOG_LEVEL'], changed: ['API_TOKEN'] },
    ]);
    expect(record.notReplayable).toEqual(['another process held the port']);
    expect(printRecordedFailure(record)).not.toContain(SECRET);
  });
});

describe('a breakage', () => {
  test('makes the world as it was recorded', async () => {
    const dir = folder();
    mkdirSync(join(dir, 'uploads'));
    writeFileSync(join(dir, 'cut.json'), '{"a": 1}');
    writeFileSync(join(dir, 'closed.json'), '{}');
    writeFileSync(join(dir, '.env'), 'A=1\nexport B="2"\nC=3\n');
    const record = parse({
      ...VALID,
      world: [
        { path: 'uploads', was: 'missing' },
        { path: 'cut.json', was: 'cut', bytes: 4 },
        { path: 'closed.json', was: 'mode', mode: '000' },
        { path: 'run/app.pid', was: 'text', text: '{{dead pid}}' },
        { path: 'run/app.sock', was: 'dead socket' },
        { path: 'data.bin', was: 'damaged', intactBytes: 0, bytes: 64 },
        { envFile: '.env', missing: ['B'], changed: ['C'] },
        { variable: 'HOME', was: 'missing' },
      ],
    });
    expect(await applyBreakage(record, 'f', dir, dir)).toEqual(['HOME']);
    expect(statSync(join(dir, 'uploads'), { throwIfNoEntry: false })).toBeUndefined();
    expect(readFileSync(join(dir, 'cut.json'), 'utf8')).toBe('{"a"');
    expect(statSync(join(dir, 'closed.json')).mode & 0o777).toBe(0);
    expect(() => process.kill(Number(readFileSync(join(dir, 'run/app.pid'), 'utf8')), 0)).toThrow(/ESRCH/);
    expect(statSync(join(dir, 'run/app.sock')).isSocket()).toBe(true);
    expect(statSync(join(dir, 'data.bin')).size).toBe(64);
    expect(readFileSync(join(dir, '.env'), 'utf8')).toBe('A=1\nC=grace-placeholder\n');
  });

  test.each(['../outside', '/etc/hostname', '.', 'away/file'])('never reaches %s', async (path) => {
    const home = folder();
    const dir = join(home, 'project');
    mkdirSync(join(home, 'elsewhere'));
    mkdirSync(dir);
    symlinkSync(join(home, 'elsewhere'), join(dir, 'away'));
    const record = parse({ ...VALID, world: [{ path, was: 'text', text: 'x' }] });
    await expect(applyBreakage(record, 'f', dir, dir)).rejects.toThrow(/leads out of the project/);
    const link = parse({ ...VALID, world: [{ path: 'link', was: 'link', to: join(home, 'elsewhere') }] });
    await expect(applyBreakage(link, 'f', dir, dir)).rejects.toThrow(/leads out of the project/);
  });
});
