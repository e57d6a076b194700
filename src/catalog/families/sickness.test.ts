import { expect, test } from 'vitest';
import { families } from './index.ts';
import { choose, fact, stepsOf } from './testing.ts';

test('lets a stopped process go on instead of restarting it', async () => {
  const { chosen } = await choose({ stage: 'runtime', symptom: 'liveness', pid: 77, processes: { 77: { state: 'T' } } });
  expect(stepsOf(chosen)).toEqual(['resume_process {}']);
  expect(chosen?.remedy?.restart).toBe(false);
});

test('leaves a process to its debugger', async () => {
  expect((await choose({ stage: 'runtime', symptom: 'liveness', pid: 77, processes: { 77: { state: 't' } } })).chosen).toBeNull();
});

test.each([
  ['liveness', 'no answer within 2000 ms', 'hung'],
  ['liveness', 'HTTP 500', 'errors'],
  ['smoke', 'smoke check failed', 'errors'],
  ['latency', 'p95 4000 ms', 'slow'],
  ['memory', 'grows', 'memory_growth'],
  ['exit', 'exit code 1', 'crash'],
] as const)('restarts on %s (%s) while it runs, once nothing better explains it', async (symptom, message, family) => {
  const { chosen } = await choose({ stage: 'runtime', symptom, message });
  expect(chosen?.family).toBe(family);
  expect(stepsOf(chosen).at(-1)).toContain('restart_component');
});

test('what answers with errors is asked what it said before the restart takes that away', async () => {
  const { chosen } = await choose({ stage: 'runtime', symptom: 'liveness', message: 'HTTP 503' });
  expect(chosen?.remedy).toMatchObject({ playbook: 'investigate_error_spike', tier: 'tier_2', restart: false });
  expect(stepsOf(chosen)).toEqual(['group_recent_errors {"minutes":5}', 'restart_component {"reason":"it answers with errors"}']);
});

test('a better explanation of the errors heals as before', async () => {
  const { chosen } = await choose({
    stage: 'runtime',
    symptom: 'liveness',
    message: 'HTTP 500',
    facts: [fact('writes_refused', 'redis')],
  });
  expect(chosen?.family).toBe('writes_refused');
});

test('restarts a server that refuses writes', async () => {
  expect((await choose({ stage: 'runtime', symptom: 'smoke', facts: [fact('writes_refused', 'redis')] })).chosen?.family).toBe(
    'writes_refused',
  );
});

test('restarts nothing at boot: it is fresh already', async () => {
  for (const symptom of ['exit', 'not_ready', 'smoke', 'crash_loop'] as const)
    expect((await choose({ symptom })).chosen, symptom).toBeNull();
});

test('always explains, and proposes nothing without a cause', async () => {
  const { best } = await choose({ output: ['Segmentation fault'] });
  expect(best).toMatchObject({ family: 'unexplained', confidence: 0.05, remedy: null });
  expect(best.cause).toContain('Segmentation fault');
});

test('has one name for each family', () => {
  const names = families.map((f) => f.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.at(-1)).toBe('unexplained');
});
