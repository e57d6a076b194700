import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../kernel/index.ts';
import type { ForeseenStep, Risk } from '../governance/index.ts';
import { executePlaybook, type Journal } from './execute-playbook.ts';
import { undoRun, type UndoOutcome } from './undo-run.ts';
import { definePlaybook, type JournalEntry, type RunContext } from './playbook.ts';
import type { Primitive, PrimitiveContext, PrimitivePlan } from './primitive.ts';

const keyOf = (params: JsonObject): string => params['key'] as string;

/** What happened, in order: journal entries and acts. */
class World {
  readonly said: string[] = [];
  readonly shown: string[] = [];
  readonly rows = new Map<string, JournalEntry>();
  readonly stop = new AbortController();
  agreed: readonly ForeseenStep[] | null = null;
  /** Time limits that are running; a test lets them end. */
  readonly timers: { readonly ms: number; readonly end: () => void }[] = [];
  readonly primitives = new Map<string, Primitive>();
  knowsSteps = false;

  readonly journal: Journal = {
    write: async (entry) => {
      this.said.push(`journal ${entry.step} ${entry.state}`);
      this.rows.set(`${entry.runId}/${entry.index}`, entry);
    },
    entries: async (runId) => [...this.rows.values()].filter((e) => e.runId === runId).toSorted((a, b) => a.index - b.index),
  };

  /** A primitive that sets its parameter `to` and can go back to what was. */
  readonly settings: Record<string, Json> = {};

  constructor() {
    this.power('set', async (params) => ({
      state: 'ready',
      summary: `set ${keyOf(params)}`,
      targets: ['it'],
      undo: { key: keyOf(params), was: this.settings[keyOf(params)] ?? null },
    }));
  }

  power(
    name: string,
    plan: (params: JsonObject) => Promise<PrimitivePlan>,
    apply?: () => never,
    undo: Primitive['undo'] | 'default' = 'default',
  ): void {
    this.primitives.set(name, {
      name,
      description: '',
      risk: 'low',
      parse: (params) => {
        if (params['wrong'] === true) throw new TypeError('wrong must not be true');
        return params;
      },
      plan: (params) => {
        this.said.push(`plan ${keyOf(params)}`);
        return plan(params);
      },
      apply: async (params) => {
        this.said.push(`act ${keyOf(params)}`);
        apply?.();
        this.settings[keyOf(params)] = params['to'] ?? null;
        return { summary: `did ${keyOf(params)}`, changed: [] };
      },
      undo:
        undo === 'default'
          ? async (record) => {
              const { key, was } = record as { key: string; was: Json };
              this.said.push(`undo ${key}`);
              this.settings[key] = was;
            }
          : undo,
    });
  }

  get context(): PrimitiveContext {
    return { component: { name: 'api' }, signal: this.stop.signal, digest: (text: string) => `digest of ${text}` } as PrimitiveContext;
  }

  run(
    steps: (ctx: RunContext) => Promise<void>,
    params: JsonObject = {},
    tier: 'tier_1' | 'tier_2' | 'tier_4' = 'tier_1',
    risk: Risk = 'low',
  ) {
    const playbook = definePlaybook({
      name: 'mend',
      description: '',
      risk,
      tier: 'tier_1',
      service: 'x',
      match: {},
      params: { a: 1, b: 2 },
      run: steps,
    });
    return executePlaybook({
      runId: 'run_1',
      playbook,
      tier,
      params,
      primitives: this.primitives,
      knowsSteps: this.knowsSteps,
      agreed: this.agreed,
      signal: this.stop.signal,
      limits: {
        stepMs: 60_000,
        endMs: 5000,
        after: (ms) => {
          const timer = new AbortController();
          this.timers.push({ ms, end: () => timer.abort(new Error('time is up')) });
          return timer.signal;
        },
      },
      contextFor: (signal) => ({ ...this.context, signal }),
      journal: this.journal,
      onStep: (step, state, summary) => this.shown.push(`${step} ${state} ${summary}`.trim()),
    });
  }

  undo(): Promise<UndoOutcome> {
    return undoRun('run_1', this.primitives, this.context, this.journal);
  }
}

const set = (key: string, to: Json = 'new') => ['set', { key, to }] as const;

describe('a run', () => {
  test('stores how to undo a step before the step acts, and its end after it', async () => {
    const world = new World();
    const outcome = await world.run(async (ctx) => {
      await ctx.step('first', ...set('x'));
      await ctx.step('second', ...set('y'));
    });
    expect(world.said).toEqual([
      'plan x', 'journal first planned', 'act x', 'journal first done',
      'plan y', 'journal second planned', 'act y', 'journal second done',
    ]); // prettier-ignore
    expect(outcome).toMatchObject({
      success: true,
      changes: 2,
      refused: false,
      results: [{ step: 'first', summary: 'did x' }, { step: 'second' }],
    });
    expect(world.rows.get('run_1/0')).toMatchObject({ undo: { key: 'x', was: null }, params: { key: 'x', to: 'new' }, state: 'done' });
  });

  test('acts on nothing when the journal cannot be written', async () => {
    const world = new World();
    world.journal.write = async () => {
      throw new Error('disk full');
    };
    expect(await world.run((ctx) => ctx.step('first', ...set('x')).then(() => undefined))).toMatchObject({ success: false, changes: 0 });
    expect(world.settings).toEqual({});
  });

  test('parameters of a diagnosis win over the defaults of the playbook', async () => {
    const seen: JsonObject[] = [];
    await new World().run(async (ctx) => void seen.push(ctx.params), { b: 3 });
    expect(seen).toEqual([{ a: 1, b: 3 }]);
  });

  test('a step with nothing to do is fine, and changes nothing', async () => {
    const world = new World();
    world.power('look', async () => ({ state: 'nothing_to_do', summary: 'it is there already' }));
    const outcome = await world.run((ctx) => ctx.step('first', 'look', { key: 'x' }).then(() => undefined));
    expect(outcome).toMatchObject({ success: true, changes: 0, results: [{ success: true, summary: 'it is there already' }] });
    expect(world.rows.size).toBe(0);
    expect(world.shown).toEqual(['first start', 'first nothing_to_do it is there already']);
  });

  test('a refusal ends it before anything is stored or done, and says why', async () => {
    const world = new World();
    world.power('no', async () => ({ state: 'refused', reason: 'the process belongs to somebody else' }));
    const outcome = await world.run(async (ctx) => {
      await ctx.step('first', 'no', { key: 'x' });
      await ctx.step('second', ...set('y'));
    });
    expect(outcome).toMatchObject({
      success: false,
      refused: true,
      changes: 0,
      results: [{ success: false, error: 'the process belongs to somebody else' }],
    });
    expect(world.said).toEqual(['plan x']);
  });

  test('a failed step ends it, is journalled as failed, and is no refusal', async () => {
    const world = new World();
    world.power(
      'breaks',
      async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }),
      () => {
        throw new Error('connection reset');
      },
    );
    const outcome = await world.run(async (ctx) => {
      await ctx.step('first', ...set('x'));
      await ctx.step('second', 'breaks', { key: 'y' });
      await ctx.step('third', ...set('z'));
    });
    expect(outcome).toMatchObject({ success: false, refused: false, changes: 1 });
    expect(outcome.results.at(-1)).toMatchObject({ success: false, error: 'connection reset' });
    expect(world.rows.get('run_1/1')).toMatchObject({ state: 'failed', summary: 'connection reset' });
    expect(world.settings).toEqual({ x: 'new' });
  });

  test('a playbook that swallows a refusal and goes on still reports what it did', async () => {
    const world = new World();
    world.power('no', async () => ({ state: 'refused', reason: 'no' }));
    const outcome = await world.run(async (ctx) => {
      await ctx.step('first', 'no', { key: 'x' }).catch(() => undefined);
      await ctx.step('second', ...set('y'));
    });
    expect(outcome).toMatchObject({ success: true, changes: 1 });
  });

  test('a primitive that does not exist is refused by name', async () => {
    expect(await new World().run((ctx) => ctx.step('first', 'rm_rf', {}).then(() => undefined))).toMatchObject({
      success: false,
      refused: true,
      results: [{ error: 'there is no primitive "rm_rf"' }],
    });
  });

  test('wrong parameters stop it before it looks', async () => {
    const world = new World();
    expect(await world.run((ctx) => ctx.step('first', 'set', { wrong: true }).then(() => undefined))).toMatchObject({
      success: false,
      changes: 0,
    });
    expect(world.said).toEqual([]);
  });

  test('steps that it does not wait for are taken one after the other, and none begins after its end', async () => {
    const world = new World();
    let kept: RunContext | undefined;
    await world.run(async (ctx) => {
      kept = ctx;
      await Promise.all([ctx.step('first', ...set('x')), ctx.step('second', ...set('y'))]);
    });
    expect(world.said).toEqual([
      'plan x', 'journal first planned', 'act x', 'journal first done',
      'plan y', 'journal second planned', 'act y', 'journal second done',
    ]); // prettier-ignore
    await expect(kept?.step('late', ...set('z'))).rejects.toThrow('the run of this playbook is over');
    expect(world.settings).toEqual({ x: 'new', y: 'new' });
  });

  test('a step that still acts when the playbook is gone has ended before anything is decided on', async () => {
    const world = new World();
    let started = (): void => undefined;
    const acting = new Promise<void>((resolve) => (started = resolve));
    world.power('slow', async () => {
      started();
      await new Promise((resolve) => setImmediate(resolve));
      return { state: 'ready', summary: '', targets: ['it'], undo: null };
    });
    const outcome = await world.run(async (ctx) => {
      void ctx.step('first', 'slow', { key: 'x', to: 'late' });
      await acting;
      throw new Error('its process ended');
    });
    expect(outcome).toMatchObject({ success: false, changes: 1 });
    expect(world.said.at(-1)).toBe('journal first done');
  });

  test('no step begins once it was told to stop', async () => {
    const world = new World();
    const outcome = await world.run(async (ctx) => {
      await ctx.step('first', ...set('x'));
      world.stop.abort(new Error('Grace is stopping'));
      await ctx.step('second', ...set('y'));
    });
    expect(outcome).toMatchObject({ success: false, changes: 1 });
    expect(world.settings).toEqual({ x: 'new' });
  });
});

describe('an undo', () => {
  const twoSteps = async (world: World): Promise<void> => {
    world.settings['x'] = 'old';
    await world.run(async (ctx) => {
      await ctx.step('first', ...set('x', 'a'));
      await ctx.step('second', ...set('x', 'b'));
    });
    world.said.length = 0;
  };

  test('goes from the last step to the first, so that the oldest state is what is left', async () => {
    const world = new World();
    await twoSteps(world);
    expect(await world.undo()).toMatchObject({ left: [], kept: [] });
    expect(world.said).toEqual(['undo x', 'journal second undone', 'undo x', 'journal first undone']);
    expect(world.settings).toEqual({ x: 'old' });
  });

  test('happens once, however often it is asked for', async () => {
    const world = new World();
    await twoSteps(world);
    await world.undo();
    world.settings['x'] = 'newer';
    expect(await world.undo()).toMatchObject({ left: [], kept: [] });
    expect(world.settings).toEqual({ x: 'newer' });
  });

  test('covers a step that was planned and never reported its end: it may have acted', async () => {
    const world = new World();
    world.settings['x'] = 'half written';
    await world.journal.write({
      runId: 'run_1',
      index: 0,
      step: 'first',
      primitive: 'set',
      params: {},
      targets: ['x'],
      before: null,
      after: null,
      undo: { key: 'x', was: 'old' },
      state: 'planned',
      summary: '',
    });
    expect(await world.undo()).toMatchObject({ left: [], kept: [] });
    expect(world.settings).toEqual({ x: 'old' });
    expect(world.rows.get('run_1/0')?.state).toBe('undone');
  });

  test('covers a step that failed half way', async () => {
    const world = new World();
    await world.journal.write({
      runId: 'run_1',
      index: 0,
      step: 'first',
      primitive: 'set',
      params: {},
      targets: ['x'],
      before: null,
      after: null,
      undo: { key: 'x', was: 'old' },
      state: 'failed',
      summary: '',
    });
    await world.undo();
    expect(world.settings).toEqual({ x: 'old' });
  });

  test('names the step it could not undo, and undoes the others all the same', async () => {
    const world = new World();
    world.power(
      'stuck',
      async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }),
      undefined,
      async () => {
        throw new Error('read-only file system');
      },
    );
    await world.run(async (ctx) => {
      await ctx.step('first', ...set('x'));
      await ctx.step('second', 'stuck', { key: 'y' });
    });
    expect(await world.undo()).toMatchObject({ left: ['second: read-only file system'], kept: [] });
    expect(world.settings['x']).toBeNull();
    expect(world.rows.get('run_1/1')?.state).toBe('done');
  });

  test('is never needed for what has none at tier_1: it is refused when it is asked for', async () => {
    const world = new World();
    world.power('oneway', async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }), undefined, null);
    const outcome = await world.run(async (ctx) => {
      await ctx.step('first', ...set('x'));
      await ctx.step('second', 'oneway', { key: 'y' });
    });
    expect(outcome).toMatchObject({
      success: false,
      refused: true,
      results: [{}, { error: expect.stringMatching(/oneway cannot be undone/) }],
    });
    expect(world.settings).toEqual({ x: 'new' });
  });

  test('has critical risk only where policies saw it, or at tier_4', async () => {
    const world = new World();
    world.power('command', async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }));
    world.primitives.set('command', { ...(world.primitives.get('command') as Primitive), risk: 'critical' });
    const steps = (ctx: RunContext) => ctx.step('first', 'command', { key: 'y', to: 'new' }).then(() => undefined);
    const unseen = await world.run(steps, {}, 'tier_2');
    expect(unseen).toMatchObject({ refused: true, changes: 0, results: [{ error: expect.stringMatching(/it has to be tier_4/) }] });
    expect(world.settings).toEqual({});
    expect(await world.run(steps, {}, 'tier_4')).toMatchObject({ success: true, changes: 1 });
    world.knowsSteps = true;
    expect(await world.run(steps, {}, 'tier_2')).toMatchObject({ success: true, changes: 1 });
  });

  test('has no more risk than its playbook claims where no policy saw it', async () => {
    const world = new World();
    for (const risk of ['medium', 'high'] as const) {
      world.power(risk, async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }));
      world.primitives.set(risk, { ...(world.primitives.get(risk) as Primitive), risk });
    }
    const take = (primitive: string) => (ctx: RunContext) => ctx.step('first', primitive, { key: primitive, to: 1 }).then(() => undefined);
    expect(await world.run(take('high'))).toMatchObject({
      refused: true,
      changes: 0,
      results: [{ error: expect.stringMatching(/high has high risk.* let the playbook claim risk: 'high', not 'low'/) }],
    });
    expect(world.settings).toEqual({});
    expect(await world.run(take('high'), {}, 'tier_1', 'high')).toMatchObject({ success: true });
    expect(await world.run(take('medium'))).toMatchObject({ success: true });
  });

  test('is called with what people have agreed to, and with nothing else', async () => {
    const world = new World();
    const take = (to: string) => (ctx: RunContext) => ctx.step('first', 'set', { key: 'x', to }).then(() => undefined);
    const paramsDigest = world.context.digest(JSON.stringify({ key: 'x', to: 'told' }));
    world.agreed = [{ step: 'first', primitive: 'set', state: 'ready', summary: 'set x', targets: ['it'], paramsDigest }];
    expect(await world.run(take('another'))).toMatchObject({
      refused: true,
      results: [{ error: expect.stringMatching(/not what was approved: "first" has other parameters/) }],
    });
    expect(world.settings).toEqual({});
    expect(await world.run(take('told'))).toMatchObject({ success: true });
  });

  test('is asked of each use: a migration of a database that is no file has none', async () => {
    const world = new World();
    world.power('migrate', async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null, irreversible: 'it stays' }));
    const steps = (ctx: RunContext) => ctx.step('first', 'migrate', { key: 'y' }).then(() => undefined);
    expect(await world.run(steps)).toMatchObject({ refused: true, results: [{ error: expect.stringMatching(/it stays/) }] });
    expect(await world.run(steps, {}, 'tier_2')).toMatchObject({ success: true });
  });

  test('says which finished step cannot be undone at all', async () => {
    const world = new World();
    world.power('oneway', async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }), undefined, null);
    await world.run((ctx) => ctx.step('first', 'oneway', { key: 'y' }).then(() => undefined), {}, 'tier_2');
    expect(await world.undo()).toMatchObject({ left: ['first: oneway cannot be undone'], kept: [] });
  });

  test('has nothing to say of what needs no undo, and everything of what beside it has none', async () => {
    const world = new World();
    const plan = async (): Promise<PrimitivePlan> => ({ state: 'ready', summary: '', targets: ['it'], undo: null });
    world.power('oneway', plan, undefined, null);
    world.power('again', plan, undefined, null);
    world.primitives.set('again', { ...(world.primitives.get('again') as Primitive), needsNoUndo: true });
    await world.run((ctx) => ctx.step('first', 'again', { key: 'x' }).then(() => undefined), {}, 'tier_2');
    expect(await world.undo()).toMatchObject({ left: [], kept: [] });
    await world.run((ctx) => ctx.step('first', 'oneway', { key: 'y' }).then(() => undefined), {}, 'tier_2');
    expect(await world.undo()).toMatchObject({ left: ['first: oneway cannot be undone'] });
  });

  test('has nothing to say of a step that found all done when it was about to act, which is no change either', async () => {
    const world = new World();
    world.power('oneway', async () => ({ state: 'ready', summary: '', targets: ['it'], undo: null }), undefined, null);
    const idle = { ...(world.primitives.get('oneway') as Primitive), apply: async () => ({ summary: 'it was so', changed: [], didNothing: true as const }) }; // prettier-ignore
    world.primitives.set('oneway', idle);
    const outcome = await world.run((ctx) => ctx.step('first', 'oneway', { key: 'y' }).then(() => undefined), {}, 'tier_2');
    expect(outcome).toMatchObject({ success: true, changes: 0 });
    expect(await world.undo()).toMatchObject({ left: [], kept: [] });
  });

  test('leaves the steps of other runs alone', async () => {
    const world = new World();
    await world.journal.write({
      runId: 'run_2',
      index: 0,
      step: 'first',
      primitive: 'set',
      params: {},
      targets: ['x'],
      before: null,
      after: null,
      undo: { key: 'x', was: 'old' },
      state: 'planned',
      summary: '',
    });
    await world.undo();
    expect(world.settings).toEqual({});
  });
});

describe('the time a step may take', () => {
  /** A primitive that acts until a test lets it end. */
  function slow(world: World, heeds: boolean) {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const power = world.primitives.get('set');
    if (power === undefined) throw new TypeError('there is no primitive');
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    world.primitives.set('slow', {
      ...power,
      name: 'slow',
      apply: async (params, context, undo) => {
        begin();
        if (heeds) await new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)));
        await ended;
        return power.apply(params, context, undo);
      },
    });
    return { begun, end };
  }
  const timeOf = (world: World, ms: number) => world.timers.findLast((t) => t.ms === ms);

  test('is limited: the step ends, has failed, and is undone', async () => {
    const world = new World();
    world.settings['x'] = 'old';
    const { begun } = slow(world, true);
    const run = world.run(async (ctx) => void (await ctx.step('first', 'slow', { key: 'x', to: 'new' })));
    await begun;
    timeOf(world, 60_000)?.end();
    expect(await run).toMatchObject({
      success: false,
      unended: null,
      results: [{ error: '"first" did not end within 1 min 00 s: time is up' }],
    });
    expect(world.rows.get('run_1/0')).toMatchObject({ state: 'failed' });
    expect(await world.undo()).toMatchObject({ left: [], kept: [] });
    expect(world.settings['x']).toBe('old');
  });

  test('a step that does not listen is waited for a while, and then it is said that it may act still', async () => {
    const world = new World();
    const { begun, end } = slow(world, false);
    const run = world.run(async (ctx) => {
      await ctx.step('first', ...set('y'));
      await ctx.step('deaf', 'slow', { key: 'x', to: 'new' }).catch(() => undefined);
      await ctx.step('third', ...set('z'));
    });
    await begun;
    timeOf(world, 60_000)?.end();
    expect(timeOf(world, 5000), 'it is waited for').toBeDefined();
    timeOf(world, 5000)?.end();
    const outcome = await run;
    expect(outcome).toMatchObject({
      success: false,
      unended: { detail: expect.stringContaining('did not within 5.0 s: it may act still') },
    });
    expect(world.rows.get('run_1/1')).toMatchObject({ state: 'failed', summary: expect.stringContaining('may act still') });
    expect(world.said, 'nothing is done beside it').not.toContain('act z');
    let isOver = false;
    void outcome.unended?.ended.then(() => (isOver = true));
    expect(isOver).toBe(false);
    end();
    await outcome.unended?.ended;
    expect(world.settings['x'], 'it did act').toBe('new');
  });

  test('one that ends while it is waited for has ended', async () => {
    const world = new World();
    const { begun, end } = slow(world, false);
    const run = world.run(async (ctx) => void (await ctx.step('first', 'slow', { key: 'x', to: 'new' })));
    await begun;
    timeOf(world, 60_000)?.end();
    end();
    expect(await run).toMatchObject({ success: true, unended: null });
    timeOf(world, 5000)?.end();
    expect(world.rows.get('run_1/0')).toMatchObject({ state: 'done' });
  });

  test('the time of a step that has ended does not run on into the next one', async () => {
    const world = new World();
    const { begun, end } = slow(world, false);
    const run = world.run(async (ctx) => {
      await ctx.step('first', ...set('y'));
      await ctx.step('second', 'slow', { key: 'x', to: 'new' });
    });
    await begun;
    world.timers[0]?.end();
    expect(world.timers.map((t) => t.ms)).toEqual([60_000, 60_000]);
    end();
    expect(await run).toMatchObject({ success: true, unended: null, changes: 2 });
  });
});
