import type { BringUpResult } from '../../healing/index.ts';
import type { Finding } from '../../preflight/index.ts';
import { layersOf, type ComponentSpec } from '../../supervisor/index.ts';
import { finding, stageTitle, type BootContext, type Stage } from '../boot-context.ts';
import { BOOT_PLANS, type BootPlan } from '../boot-plan.ts';
import { apisOf } from '../layers.ts';
import { StageParts } from '../stage-parts.ts';

export const autonomyLoad: Stage = {
  number: 6,
  name: 'Autonomy Load',
  onFailure: 'abort',
  async run(context) {
    const catalog = context.core.metricsCatalog();
    const findings: Finding[] = [];
    const failures: string[] = [];
    const before = context.supervision.fixes.length;
    const parts = new StageParts(context, findings, failures);
    const plan = BOOT_PLANS[context.mode];
    const start = starter(context, plan);
    const results = new Map<string, BringUpResult>();
    const isLayered = plan.layers.length > 0;
    const apis = isLayered ? apisOf(context.components) : new Set<string>();
    const bringUp = async (isWanted: (spec: ComponentSpec) => boolean): Promise<void> => {
      // Where borders are drawn, dependants wait for everything that others of their layer depend on.
      const groups = isLayered ? layersOf(context.components) : [context.components];
      const started: (readonly [string, BringUpResult | null])[] = [];
      for (const group of groups) started.push(...(await allOf(group.filter(isWanted), start)));
      for (const [name, result] of started) {
        if (result === null) continue;
        results.set(name, result);
        if (result.state !== 'failed') continue;
        const spec = context.supervision.spec(name);
        findings.push(finding(spec.critical ? 'error' : 'warn', 'component_failed', name, result.cause, 'see: grace explain'));
        if (spec.critical) failures.push(`${name}: ${result.cause}`);
      }
    };
    await parts.run('services', 'services', 'services', () => bringUp(({ name }) => !apis.has(name)));
    if (apis.size > 0 && failures.length === 0) await parts.run('apis', 'APIs', 'apis', () => bringUp(({ name }) => apis.has(name)));
    const up = [...results.values()].filter((r) => r.state === 'ready').length;
    return {
      result: failures.length > 0 ? 'failed' : findings.length > 0 ? 'warned' : 'success',
      metrics: {
        'startup.components': context.components.length,
        'startup.components_ready': up,
        'startup.metrics_known': catalog.metrics,
        'startup.proactive_rules': catalog.rules,
      },
      findings,
      parts: parts.list,
      fixes: context.supervision.fixes.slice(before),
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail: failures[0] ?? `${up} of ${context.components.length} ready`,
    };
  },
};

type Start = (spec: ComponentSpec) => Promise<BringUpResult | null>;
type Started = readonly (readonly [string, BringUpResult | null])[];

/** Each component starts as soon as what it depends on is ready, and waits for nothing else. Null: what it needs is not there. */
function starter(context: BootContext, plan: BootPlan): Start {
  const running = new Map<string, Promise<BringUpResult | null>>();
  const since = (): number => context.clock.monotonicMs() - context.startedMonotonicMs;

  const start = (spec: ComponentSpec): Promise<BringUpResult | null> => {
    const known = running.get(spec.name);
    if (known !== undefined) return known;
    const promise = (async (): Promise<BringUpResult | null> => {
      let waitedFor: string | null = null;
      let latestMs = 0;
      for (const name of spec.dependsOn) {
        const result = await start(context.supervision.spec(name));
        if (result?.state !== 'ready' && result?.state !== 'completed' && context.supervision.spec(name).critical) {
          context.componentTimes.set(spec.name, { startedAfterMs: since(), readyAfterMs: null, waitedFor: name, state: 'waiting' });
          return null; // what it needs is not there: not its own failure
        }
        const readyMs = context.componentTimes.get(name)?.readyAfterMs ?? 0;
        if (readyMs >= latestMs) [waitedFor, latestMs] = [name, readyMs];
      }
      const startedAfterMs = since();
      context.componentTimes.set(spec.name, { startedAfterMs, readyAfterMs: null, waitedFor, state: 'waiting' });
      const result = await context.supervision.bringUp(spec.name, 'boot', stageTitle(autonomyLoad));
      const state =
        result.state === 'ready' ? (result.wasAdopted ? 'adopted' : 'ready') : result.state === 'completed' ? 'ready' : result.state;
      context.componentTimes.set(spec.name, { startedAfterMs, readyAfterMs: result.state === 'ready' ? since() : null, waitedFor, state });
      if (plan.stopsAtFirst && result.state === 'failed' && spec.critical) context.giveUp(`${spec.name} failed`);
      return result;
    })();
    running.set(spec.name, promise);
    return promise;
  };

  return start;
}

/** All at once. The end of the others after a failure is no failure of theirs. */
async function allOf(components: readonly ComponentSpec[], start: Start): Promise<Started> {
  const settled = await Promise.allSettled(components.map(async (spec) => [spec.name, await start(spec)] as const));
  const started = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const broken = settled.find((one) => one.status === 'rejected');
  if (broken !== undefined && !started.some(([, result]) => result?.state === 'failed')) throw broken.reason;
  return started;
}
