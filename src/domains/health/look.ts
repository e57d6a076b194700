import { messageOf } from '../../kernel/index.ts';
import type { ProbeContext, Prober, ProbeResult, ProbeTarget } from './probe.ts';

/**
 * Asks a component how it is, and takes only a clear answer for one: a probe that breaks, or that answers what is no answer, has not
 * been carried out. Nothing that was not seen to pass may count as passed.
 * @throws the reason of the signal of the context, once that is aborted
 */
export async function look(prober: Prober, target: ProbeTarget, context: ProbeContext): Promise<ProbeResult> {
  try {
    // Whatever a prober of somebody else's may return.
    const seen = (await prober.probe(target, context)) as Partial<ProbeResult> | null | undefined;
    const { outcome, latencyMs = Number.NaN, detail = '' } = seen ?? {};
    if (outcome === 'fail') return { outcome, latencyMs: Number.isFinite(latencyMs) ? latencyMs : 0, detail };
    if (outcome === 'pass' && Number.isFinite(latencyMs)) return { outcome, latencyMs, detail };
    return { outcome: 'unknown', latencyMs: 0, detail: detail === '' ? 'it gave no answer' : detail };
  } catch (error) {
    context.signal?.throwIfAborted();
    return { outcome: 'unknown', latencyMs: 0, detail: messageOf(error) };
  }
}
