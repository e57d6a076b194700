import { expect, test } from 'vitest';
import type { Logger } from '../../kernel/index.ts';
import { SimulatedClock } from '../supervisor/testing.ts';
import type { Check, CheckContext } from './check.ts';
import type { Finding } from './finding.ts';
import { runChecks, type CheckMemory } from './run-checks.ts';

const LOGGER: Logger = { debug() {}, info() {}, warn() {}, error() {} };

function check(name: string, change: Partial<Check> = {}): Check {
  return {
    name,
    title: name,
    timeLimitMs: 1000,
    when: 'beside_start',
    isNeeded: () => Promise.resolve(true),
    run: () => Promise.resolve([]),
    ...change,
  };
}

function seen(message: string, severity: Finding['severity'] = 'warn'): Finding {
  return { severity, code: 'seen', component: 'api', message, evidence: [], hint: '', fix: null };
}

function run(checks: readonly Check[], options: { skip?: readonly string[]; memory?: CheckMemory; signal?: AbortSignal } = {}) {
  const clock = new SimulatedClock();
  const context = {
    clock,
    signal: options.signal ?? new AbortController().signal,
    settings: { skip: options.skip ?? [] },
  } as unknown as CheckContext;
  const memory: CheckMemory = options.memory ?? { recall: () => Promise.resolve(null), keep: () => Promise.resolve() };
  return clock.until(runChecks(checks, context, { clock, logger: LOGGER, memory }));
}

test('checks run side by side, and each has its own time', async () => {
  const slow = (ms: number) => (context: CheckContext) => context.clock.sleep(ms).then(() => [seen(`after ${ms}`)]);
  const reports = await run([check('a', { run: slow(300) }), check('b', { run: slow(200) })]);
  expect(reports.map(({ name, durationMs }) => [name, durationMs])).toEqual([
    ['a', 300],
    ['b', 200],
  ]);
});

test('one that hangs costs its time limit and one finding, and is told to end', async () => {
  let aborted = false;
  const hangs = check('hangs', {
    run: (context) => {
      context.signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => undefined);
    },
  });
  const [hung, other] = await run([hangs, check('other', { run: () => Promise.resolve([seen('fine')]) })]);
  expect(hung?.durationMs).toBe(1000);
  expect(hung?.findings).toMatchObject([{ severity: 'warn', code: 'check_timed_out' }]);
  expect(other?.findings).toMatchObject([{ message: 'fine' }]);
  expect(aborted).toBe(true);
});

test('one that throws is one finding, of the severity that it asks for', async () => {
  const throws = (): never => {
    throw new Error('no such thing');
  };
  const [a, b] = await run([check('a', { run: throws }), check('b', { run: throws, severityWhenBroken: 'error' })]);
  expect(a?.findings).toMatchObject([{ severity: 'warn', code: 'check_broke', message: 'the check "a" could not look: no such thing' }]);
  expect(b?.findings).toMatchObject([{ severity: 'error' }]);
});

test('ten megabytes of words become one short line without control characters', async () => {
  const [report] = await run([check('loud', { run: () => Promise.resolve([seen(`\u001B[2J\n${'x'.repeat(10_000_000)}`)]) })]);
  expect(report?.findings[0]?.message).toMatch(/^ \[2J x+…$/);
  expect(report?.findings[0]?.message).toHaveLength(300);
});

test('of a thousand findings twenty are kept, errors first, and the rest is counted', async () => {
  const many = [...Array.from({ length: 1000 }, (_, i) => seen(`warning ${i}`)), seen('the error', 'error')];
  const [report] = await run([check('many', { run: () => Promise.resolve(many) })]);
  expect(report?.findings).toHaveLength(20);
  expect(report?.findings[0]?.message).toBe('the error');
  expect(report?.findings.at(-1)?.evidence).toEqual(['981 more of the check "many" are not shown']);
});

test('one that has nothing to look at, or is left out, is not reported', async () => {
  const idle = check('idle', { isNeeded: () => Promise.resolve(false), run: () => Promise.reject(new Error('was run')) });
  expect(await run([idle, check('skipped')], { skip: ['skipped'] })).toEqual([]);
});

test('the same inputs are looked at once, others again', async () => {
  const kept = new Map<string, readonly Finding[]>();
  const memory: CheckMemory = {
    recall: (name, inputs) => Promise.resolve(kept.get(`${name} ${inputs}`) ?? null),
    keep: (name, inputs, findings) => Promise.resolve(void kept.set(`${name} ${inputs}`, findings)),
  };
  let runs = 0;
  const of = (inputs: string) =>
    check('files', { inputs: () => Promise.resolve(inputs), run: () => Promise.resolve([seen(`run ${++runs}`)]) });
  const first = await run([of('a')], { memory });
  const second = await run([of('a')], { memory });
  await run([of('b')], { memory });
  expect(runs).toBe(2);
  expect(first[0]?.isRemembered).toBe(false);
  expect(second[0]).toMatchObject({ isRemembered: true, findings: [{ message: 'run 1' }] });
});

test('what hung, threw, or found more than is kept says that it could not look at everything', async () => {
  const reports = await run([
    check('hangs', { run: () => new Promise(() => undefined) }),
    check('throws', { run: () => Promise.reject(new Error('no such thing')) }),
    check('finds too much', { run: () => Promise.resolve(Array.from({ length: 21 }, (_, i) => seen(`warning ${i}`))) }),
    check('saw one of two', { run: () => Promise.resolve({ findings: [], unseen: ['web'] }) }),
    check('looks', { run: () => Promise.resolve([seen('fine')]) }),
  ]);
  expect(reports.map(({ name, couldLook, unseen }) => [name, couldLook, unseen])).toEqual([
    ['hangs', false, undefined],
    ['throws', false, undefined],
    ['finds too much', false, undefined],
    ['saw one of two', true, ['web']],
    ['looks', true, undefined],
  ]);
});

test('a stop of Grace ends all of them', async () => {
  const stop = new AbortController();
  const hangs = check('hangs', {
    run: () => {
      stop.abort(new Error('stopped'));
      return new Promise(() => undefined);
    },
  });
  await expect(run([hangs], { signal: stop.signal })).rejects.toThrow('stopped');
});
