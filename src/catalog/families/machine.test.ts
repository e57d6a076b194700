import { expect, test } from 'vitest';
import { diskFull } from './disk-full.ts';
import { choose, fact, guardAfter, stepsOf, type World } from './testing.ts';

const oom = [fact('out_of_memory', '', { details: { limitMb: 40 } })];

test('raises a small heap limit four times, at least to 128 MB', async () => {
  expect(stepsOf((await choose({ facts: oom, env: { NODE_OPTIONS: '--max-old-space-size=40' } })).chosen)).toEqual([
    'raise_heap_limit {"toMb":160}',
  ]);
  expect(stepsOf((await choose({ facts: oom, overrides: { heapMb: 24 } })).chosen)).toEqual(['raise_heap_limit {"toMb":128}']);
});

test('never gives more than half of the memory', async () => {
  expect(stepsOf((await choose({ facts: oom, overrides: { heapMb: 2048 } })).chosen)).toEqual(['raise_heap_limit {"toMb":4096}']);
  expect((await choose({ facts: oom, overrides: { heapMb: 4096 } })).chosen).toBeNull();
});

test('takes a process that filled its memory after minutes for a leak', async () => {
  const { chosen } = await choose({
    facts: [fact('out_of_memory', '', { details: { limitMb: 2048 } })],
    afterMs: 600_000,
    stage: 'runtime',
  });
  expect(stepsOf(chosen)).toEqual(['restart_component {"reason":"it ran out of memory"}']);
});

test('raises the limit of open files, and restarts what leaks them', async () => {
  const facts = [fact('too_many_open_files')];
  expect(stepsOf((await choose({ facts, component: { limits: { openFiles: 25, heapMb: null } } })).chosen)).toEqual([
    'raise_open_files {"to":1024}',
  ]);
  expect(stepsOf((await choose({ facts })).chosen)).toEqual(['raise_open_files {"to":8192}']);
  expect(stepsOf((await choose({ facts, overrides: { openFiles: 8192 }, stage: 'runtime', symptom: 'liveness' })).chosen)).toEqual([
    'restart_component {"reason":"it used up its open files"}',
  ]);
});

const full = { data: { freeBytes: 0, totalBytes: 4 * 1024 * 1024, freeInodes: 100 } };
const disk = { 'data/user.db': 'x', 'data/cache/a.tmp': 'x' };

test('frees only what was declared expendable, on the disk that is full', async () => {
  const sick: World = { facts: [fact('disk_full', 'data/user.db')], rooms: full, disk, component: { expendable: ['data/cache/**'] } };
  const { chosen } = await choose(sick);
  expect(stepsOf(chosen)).toEqual([`free_disk_space {"path":"data","bytes":${1024 * 1024}}`]);
  expect(await guardAfter(diskFull, sick, sick)).toContain('is full again');
  expect(await guardAfter(diskFull, sick, { ...sick, rooms: {} })).toBeNull();
});

test('holds when user data fills the disk', async () => {
  for (const expendable of [[], ['logs/**']]) {
    const { best, chosen } = await choose({ symptom: 'smoke', rooms: full, disk, component: { expendable } });
    expect(chosen).toBeNull();
    expect(best.cause).toContain('disk full (ENOSPC) at /srv/app/data');
    expect(best.waitFor).toMatchObject({ kind: 'disk_room', path: '/srv/app/data' });
  }
});

test('does not take the limit of file watches for a full disk', async () => {
  const { best, chosen } = await choose({
    facts: [fact('watch_limit', '', { line: 'ENOSPC: System limit for number of file watchers reached' })],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('file watches');
});

test('runs it with UTF-8, unless the text itself is broken', async () => {
  expect(stepsOf((await choose({ facts: [fact('encoding_error', 'ascii', { runtime: 'python' })], env: { LANG: 'C' } })).chosen)).toEqual([
    'set_env_override {"name":"PYTHONIOENCODING","value":"utf-8"}',
    'set_env_override {"name":"PYTHONUTF8","value":"1"}',
    'set_env_override {"name":"LANG","value":"C.UTF-8"}',
  ]);
  expect((await choose({ facts: [fact('encoding_error', 'utf-8', { code: 'UnicodeDecodeError' })] })).chosen).toBeNull();
});
