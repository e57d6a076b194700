import { describe, expect, test } from 'vitest';
import { bootId, type Logger } from '../../kernel/index.ts';
import type { GraceEvent } from '../healing/index.ts';
import { component, SimulatedClock } from '../supervisor/testing.ts';
import { BOOT_PLANS } from './boot-plan.ts';
import { apisOf, type LayerName } from './layers.ts';
import type { StagePart } from './stage-parts.ts';
import { finding, stageTitle, type BootContext, type Stage, type StageOutcome } from './boot-context.ts';
import { renderReport, runPipeline, STAGES } from './pipeline.ts';
import type { BootReport, ReportedFailure, StageReport } from './report.ts';

const good = (change: Partial<StageOutcome> = {}): StageOutcome => ({
  result: 'success',
  metrics: {},
  findings: [],
  fixes: [],
  failure: null,
  detail: '',
  ...change,
});
const failed = good({ result: 'failed', failure: 'no database' });

/** Runs the real pipeline with stages that do what a test says. */
async function boot(
  doing: Partial<Record<number, () => Promise<StageOutcome> | StageOutcome>>,
  options: { isDryRun?: boolean; mode?: BootContext['mode'] } = {},
) {
  const clock = new SimulatedClock();
  const events: GraceEvent[] = [];
  const ran: number[] = [];
  const saved: (readonly string[])[] = [];
  const logged: string[] = [];
  const stop = new AbortController();
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: (message) => logged.push(message) };
  const context = {
    clock,
    logger,
    signal: stop.signal,
    emit: (e: GraceEvent) => events.push(e),
    startedMonotonicMs: 0,
    mode: options.mode ?? 'resilient',
  } as unknown as BootContext;
  const real = STAGES.map((s) => s.run);
  for (const stage of STAGES) {
    (stage as { run: Stage['run'] }).run = async () => {
      ran.push(stage.number);
      await clock.sleep(stage.number * 10);
      return (await doing[stage.number]?.()) ?? good();
    };
  }
  try {
    const result = await clock.until(
      runPipeline(context, {
        isDryRun: options.isDryRun ?? false,
        onStage: async (stages) => void saved.push(stages.map((s) => s.result)),
      }),
    );
    return { ...result, events, ran, saved, logged, stop };
  } finally {
    for (const [i, stage] of STAGES.entries()) (stage as { run: Stage['run'] }).run = real[i] ?? stage.run;
  }
}

describe('the eight stages', () => {
  test('have numbers without gaps, in the order they run', () => {
    expect(STAGES.map((s) => stageTitle(s))).toEqual([
      '1. Preflight Gate',
      '2. Schema Sync & Secrets',
      '3. Core Services',
      '4. Startup Playbooks',
      '5. Codec Validation',
      '6. Autonomy Load',
      '7. Smoke Tests',
      '8. Continuous Monitor',
    ]);
  });

  test('all have a report, in order, and the boot has not failed', async () => {
    const { stages, failed: why, ran } = await boot({});
    expect(ran.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(stages.map((s) => [s.number, s.result, s.success])).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n, 'success', true]));
    expect(why).toBeNull();
  });

  test('run no earlier than those they depend on', async () => {
    const { stages } = await boot({});
    for (const earlier of stages)
      for (const later of stages)
        if (later.number > earlier.number + 1)
          expect(later.startedAfterMs).toBeGreaterThanOrEqual(earlier.startedAfterMs + earlier.durationMs - 1);
  });
});

describe('a failed stage', () => {
  test('that aborts leaves the rest alone, and they say so', async () => {
    const { stages, failed: why, ran } = await boot({ 2: () => failed });
    expect(ran).toEqual([1, 2]);
    expect(stages.map((s) => s.result)).toEqual(['success', 'failed', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped']);
    expect(stages.slice(2).every((s) => !s.success && s.durationMs === 0)).toBe(true);
    expect(why).toMatchObject({ number: 2, failure: 'no database' });
  });

  test.each([4, 8])('%d, which does not abort, lets the boot go on', async (number) => {
    const { stages, failed: why } = await boot({ [number]: () => failed });
    expect(why).toBeNull();
    expect(stages.filter((s) => s.result === 'success')).toHaveLength(7);
  });

  test.each([1, 2, 3, 5, 6, 7])('%d aborts', async (number) => {
    expect((await boot({ [number]: () => failed })).failed).toMatchObject({ number });
  });

  test('by exception is a failed stage with the message as its reason, and goes into the log', async () => {
    const {
      stages,
      failed: why,
      logged,
    } = await boot({
      3: () => {
        throw new TypeError('x is undefined');
      },
    });
    expect(why).toMatchObject({ number: 3, result: 'failed', failure: 'x is undefined' });
    expect(stages).toHaveLength(8);
    expect(logged).toEqual(['stage 3. Core Services broke']);
  });

  test('a warning is a success that says something', async () => {
    const {
      stages,
      failed: why,
      events,
    } = await boot({ 1: () => good({ result: 'warned', findings: [finding('warn', 'disk_nearly_full', 'grace', 'm', 'h')] }) });
    expect([stages[0]?.success, why]).toEqual([true, null]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'finding', stage: '1. Preflight Gate' }));
  });
});

test('a stop in the middle ends the boot, and is no failed stage', async () => {
  const stop = new AbortController();
  const context = {
    clock: new SimulatedClock(),
    mode: 'resilient',
    logger: { error() {} },
    signal: stop.signal,
    emit() {},
    startedMonotonicMs: 0,
  } as unknown as BootContext;
  const first = STAGES[0] as { run: Stage['run'] };
  const { run } = first;
  first.run = async () => {
    stop.abort(new Error('Ctrl-C'));
    throw new Error('something that a stop breaks');
  };
  try {
    await expect(runPipeline(context, { isDryRun: false, onStage: async () => undefined })).rejects.toThrow('Ctrl-C');
  } finally {
    first.run = run;
  }
});

test('after every stage it is stored how far the boot has come', async () => {
  const { saved } = await boot({});
  expect(saved).toHaveLength(8);
  expect(saved.map((s) => s.length)).toEqual(saved.map((s) => s.length).toSorted((a, b) => a - b));
  expect(saved.at(-1)).toHaveLength(8);
});

test('a dry run starts nothing and runs no playbook, and looks at the rest', async () => {
  const { ran, stages } = await boot({}, { isDryRun: true });
  expect(ran.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 5]);
  expect(stages.filter((s) => s.result === 'skipped').map((s) => s.number)).toEqual([4, 6, 7, 8]);
});

describe('the three modes', () => {
  const part = (layer: LayerName, state: StagePart['state'] = 'ok'): StagePart => ({
    name: layer,
    title: layer,
    layer,
    startedAfterMs: 0,
    durationMs: 5,
    state,
    reasons: state === 'ok' ? [] : [`${layer} is broken`],
  });
  const homes: Readonly<Record<number, readonly LayerName[]>> = {
    1: ['store'],
    2: ['services'],
    3: ['store', 'spine'],
    4: ['spine', 'mission_control'],
    5: ['logging'],
    6: ['services', 'apis'],
    7: ['apis'],
  };
  const wellBut = (number: number, broken?: LayerName) =>
    Object.fromEntries(
      Object.entries(homes).map(([n, names]) => {
        const isBroken = Number(n) === number && broken !== undefined;
        const parts = names.map((name) => part(name, isBroken && name === broken ? 'failed' : 'ok'));
        return [n, () => good(isBroken ? { result: 'failed', failure: 'broken', parts } : { parts })];
      }),
    );

  test('go through the same stages', () => {
    for (const { steps } of Object.values(BOOT_PLANS)) expect(steps.flat().filter((n) => STAGES[n - 1]?.number !== n)).toEqual([]);
    expect(new Set(BOOT_PLANS.layered.steps.flat())).toEqual(new Set(BOOT_PLANS.resilient.steps.flat()));
  });

  test('fast leaves out what only looks after the service', async () => {
    const { ran, stages } = await boot({}, { mode: 'fast' });
    expect(ran).toEqual([1, 3, 6, 7, 8]);
    expect(stages.filter((s) => s.result === 'skipped').map((s) => s.number)).toEqual([2, 4, 5]);
  });

  test('a dry run looks at everything in each of them', async () => {
    for (const mode of ['fast', 'layered', 'resilient'] as const) {
      const { ran } = await boot({}, { mode, isDryRun: true });
      expect(
        ran.toSorted((a, b) => a - b),
        mode,
      ).toEqual([1, 2, 3, 5]);
    }
  });

  test('layered tells its six layers from the ground up, each when it is through', async () => {
    const { layers, events } = await boot(wellBut(0), { mode: 'layered' });
    expect(layers.map((l) => [l.number, l.state])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, 'ok']));
    expect(events.flatMap((e) => (e.type === 'layer_ended' ? [e.number] : []))).toEqual([1, 2, 3, 4, 5, 6]);
    const at = (wanted: string) => events.findIndex((e) => (e.type === 'layer_ended' ? e.layer : 'stage' in e ? e.stage : '') === wanted);
    expect(at('Mission control')).toBeLessThan(at('6. Autonomy Load'));
  });

  test.each([
    ['logging', 5, 'Logging and telemetry'],
    ['mission_control', 4, 'Mission control'],
  ] as const)('layered goes on without %s', async (name, stage, title) => {
    const { layers, failed: why, ran } = await boot(wellBut(stage, name), { mode: 'layered' });
    expect(why).toBeNull();
    expect(ran).toContain(8);
    expect(layers.filter((l) => l.state !== 'ok')).toMatchObject([{ layer: title, state: 'degraded', reasons: [`${name} is broken`] }]);
  });

  test.each([
    ['store', 1, ['failed', 'not_reached', 'not_reached', 'not_reached', 'not_reached', 'not_reached']],
    ['spine', 3, ['ok', 'not_reached', 'failed', 'not_reached', 'not_reached', 'not_reached']],
    ['services', 2, ['ok', 'ok', 'ok', 'ok', 'failed', 'not_reached']],
    ['services', 6, ['ok', 'ok', 'ok', 'ok', 'failed', 'ok']],
    ['apis', 7, ['ok', 'ok', 'ok', 'ok', 'ok', 'failed']],
  ] as const)('layered stops when %s fails in stage %d, and names it', async (name, stage, states) => {
    const { layers, failed: why, events } = await boot(wellBut(stage, name), { mode: 'layered' });
    expect(why?.number).toBe(stage);
    expect(layers.map((l) => l.state)).toEqual(states);
    expect(events).toContainEqual(expect.objectContaining({ type: 'layer_ended', state: 'failed', reasons: [`${name} is broken`] }));
  });

  test('resilient and fast draw no layers, and stop at a failure of logging', async () => {
    const { layers, failed: why } = await boot(wellBut(5, 'logging'), { mode: 'resilient' });
    expect([layers, why?.number]).toEqual([[], 5]);
  });

  test('the top layer has what answers over HTTP, and whatever needs it', () => {
    const http = {
      target: { kind: 'http' as const, url: 'http://x/', expectStatus: null, caFile: null },
      intervalMs: 1,
      timeoutMs: 1,
      failureThreshold: 1,
    };
    const all = [
      component({ name: 'worker' }),
      component({ name: 'search', kind: 'dependency', readiness: http }),
      component({ name: 'api', readiness: http, dependsOn: ['worker', 'search'] }),
      component({ name: 'mailer', dependsOn: ['api'] }),
    ];
    expect([...apisOf(all)]).toEqual(['api', 'mailer']);
  });
});

test('every stage that begins is announced, and every one that ends', async () => {
  const { events } = await boot({ 7: () => failed });
  const of = (type: GraceEvent['type']) =>
    events.flatMap((e) => (e.type === type && 'number' in e ? [e.number] : [])).toSorted((a, b) => a - b);
  expect([of('stage_started'), of('stage_ended')]).toEqual([
    [1, 2, 3, 4, 5, 6, 7],
    [1, 2, 3, 4, 5, 6, 7],
  ]);
});

describe('the report in words', () => {
  const stage = (number: number, change: Partial<StageReport> = {}): StageReport => ({
    number,
    stage: `${number}. Stage`,
    success: true,
    startedAfterMs: 0,
    durationMs: 12,
    ...good(),
    ...change,
  });
  const report = (change: Partial<BootReport> = {}): BootReport => ({
    boot_id: bootId('boot_20260101_000000'),
    boot_timestamp: '2026-01-01T00:00:00.000Z',
    service: 'shop',
    mode: 'layered',
    outcome: 'success',
    stages: [stage(1), stage(2, { result: 'failed', success: false, failure: 'no database', fixes: ['made a directory'] })],
    components: [
      { name: 'api', state: 'ready', startedAfterMs: 1, readyAfterMs: 123.4, waitedFor: 'db', starts: 2, pid: 1, port: 1 },
      { name: 'job', state: 'failed', startedAfterMs: 1, readyAfterMs: null, waitedFor: null, starts: 1, pid: null, port: null },
    ],
    incidents: ['autonomy_load_01234567'],
    playbooks: ['free_port_3000'],
    summary: { success: true, stages_passed: 1, stages_failed: 1, fixes: 1, duration_ms: 500 },
    ...change,
  });

  test('says how it went, stage by stage and component by component', () => {
    const text = renderReport(report());
    for (const part of [
      'Success:       YES (success)',
      'Stages Passed: 1/2',
      'Failure: no database',
      'Fix applied: made a directory',
      'api: ready ready after 123 ms, waited for db, 2 starts',
      'Incidents: autonomy_load_01234567',
      'Playbooks: free_port_3000',
    ])
      expect(text).toContain(part);
  });

  test('tells each failure whole, with the commands for it', () => {
    const failure: ReportedFailure = {
      incident: 'autonomy_load_01234567',
      component: 'api',
      class: 'port_in_use',
      what: 'it ended with exit code 1',
      cause: 'port 3000 is in use',
      confidence: 0.95,
      evidence: ['one', 'two', 'three', 'four'],
      changes: ['.env changed'],
      action: 'nothing',
      playbook: null,
      risk: null,
      verified: false,
      outcome: 'waiting',
      advice: ['stop it'],
      commands: [{ command: "ss -ltnp 'sport = :3000'", why: 'who listens on port 3000' }],
      alternatives: ['crash (0.30): it crashed'],
      boot: 'boot_20260101_000000',
      at: '2026-01-01T00:00:00.000Z',
    };
    const text = renderReport(report({ failures: [failure] }));
    for (const part of [
      'Failure of api: it ended with exit code 1',
      'Incident:      autonomy_load_01234567 (port_in_use, 95 % sure), at 2026-01-01T00:00:00.000Z',
      'Evidence:      one\n               two\n               three\n               four',
      'Changed:       .env changed',
      'You can:       stop it',
      "Commands:      ss -ltnp 'sport = :3000'    (who listens on port 3000)",
      'Or else:       crash (0.30): it crashed',
    ])
      expect(text).toContain(part);
    expect(renderReport(report({ failures: [{ ...failure, outcome: 'healed', playbook: 'free_port', risk: 'low' }] }))).not.toContain(
      'You can:',
    );
  });

  test('says no where it did not', () => {
    expect(renderReport(report({ outcome: 'failed', summary: { ...report().summary, success: false } }))).toContain(
      'Success:       NO (failed)',
    );
  });

  test('leaves out what there is none of', () => {
    const text = renderReport(report({ components: [], incidents: [], playbooks: [], stages: [stage(1)] }));
    expect(text).not.toMatch(/Components|Incidents|Playbooks|Failure/);
  });
});
