import type { BringUpResult } from '../../healing/index.ts';
import type { Finding } from '../../preflight/index.ts';
import { layersOf, type ComponentSpec } from '../../supervisor/index.ts';
import { finding, stageTitle, type BootContext, type Stage } from '../boot-context.ts';

export const autonomyLoad: Stage = {
  number: 6,
  name: 'Autonomy Load',
  onFailure: 'abort',
  async run(context) {
    const catalog = context.core.metricsCatalog();
    const findings: Finding[] = [];
    const failures: string[] = [];
    const before = context.supervision.fixes.length;
    const results = await bringUpAll(context);
    for (const [name, result] of results) {
      if (result.state !== 'failed') continue;
      const spec = context.supervision.spec(name);
      findings.push(finding(spec.critical ? 'error' : 'warn', 'component_failed', name, result.cause, 'see: grace explain'));
      if (spec.critical) failures.push(`${name}: ${result.cause}`);
    }
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
      fixes: context.supervision.fixes.slice(before),
      failure: failures.length > 0 ? failures.join('; ') : null,
      detail: failures[0] ?? `${up} of ${context.components.length} ready`,
    };
  },
};

/** Each component starts as soon as what it depends on is ready, and waits for nothing else. */
async function bringUpAll(context: BootContext): Promise<ReadonlyMap<string, BringUpResult>> {
  const results = new Map<string, BringUpResult>();
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
      results.set(spec.name, result);
      return result;
    })();
    running.set(spec.name, promise);
    return promise;
  };

  // `layered` draws a clear border: nothing of a layer starts before the layer below is through.
  if (context.mode === 'layered') for (const layer of layersOf(context.components)) await Promise.all(layer.map(start));
  else await Promise.all(context.components.map(start));
  return results;
}
