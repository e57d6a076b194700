import { formatDuration } from '../../kernel/index.ts';
import type { ProbeResult } from '../health/index.ts';
import type { ComponentRunner, ComponentSpec, Problem } from '../supervisor/index.ts';
import type { AppliedRun } from './applied-runs.ts';
import { SMOKE_PAUSE_MS } from './smoke-checks.ts';
import type { SupervisionParts } from './supervision-parts.ts';

const SMOKE_TRIES = 3;
/** Time an application gets to find its way back after its dependency did. */
const REJOIN_MS = 6000;

/** Whether a component works after something was done about it. */
export class Proof {
  private readonly parts: Pick<SupervisionParts, 'ports' | 'settings' | 'components' | 'smoke' | 'carried' | 'signal'>;
  private readonly isRecovering: (component: string) => boolean;

  constructor(parts: Proof['parts'], isRecovering: (component: string) => boolean) {
    this.parts = parts;
    this.isRecovering = isRecovering;
  }

  /**
   * After a fix, ready is not enough: it must stay so for the soak time, and really work. What could not be looked at is no proof.
   * @returns null when it holds; what is wrong; or, as a text, why nothing can be told
   */
  async prove(
    spec: ComponentSpec,
    runner: ComponentRunner,
    pending: readonly AppliedRun[],
    withSmoke: boolean,
  ): Promise<Problem | string | null> {
    const { ports, carried, signal } = this.parts;
    const { clock } = ports;
    const startedMs = clock.monotonicMs();
    let untold: string | null = null;
    if (pending.length > 0 || carried.hasAsked(spec.name)) {
      await Promise.race([runner.process?.exited ?? Promise.resolve(), clock.sleep(spec.soakMs, signal)]);
      if (!runner.isRunning())
        return runner.problem('exit', `it ended within its soak time of ${formatDuration(spec.soakMs)}`, startedMs, {
          exit: (await runner.process?.exited) ?? { exitCode: null, signal: null },
        });
      const ready = await this.readyVerdict(runner);
      if (ready.outcome === 'fail')
        return runner.problem('not_ready', `it was ready, but not for its soak time of ${formatDuration(spec.soakMs)}`, startedMs);
      if (ready.outcome === 'unknown') untold = `its readiness could not be looked at: ${ready.detail}`;
    }
    if (!withSmoke) return untold;
    const judged = await this.parts.smoke.judge(this.parts.smoke.of(spec.name), SMOKE_TRIES);
    if (judged.verdict === 'pass') return untold;
    const { smoke, result } = judged;
    if (judged.verdict === 'inconclusive') return `smoke check "${smoke.name}" could not be carried out: ${result.detail}`;
    return runner.problem('smoke', `smoke check "${smoke.name}" failed: ${result.detail}`, startedMs, { detail: result.detail });
  }

  /** Whether it is ready, and the whole service works, at run time: what is wrong, or why nothing can be told. */
  async worksNow(spec: ComponentSpec): Promise<{ readonly wrong: string | null; readonly untold: string | null }> {
    const { components, smoke, settings } = this.parts;
    const recovered = { wrong: null, untold: `${spec.name} was being recovered` };
    if (this.isRecovering(spec.name)) return recovered;
    const runner = components.runners.get(spec.name);
    const ready = runner?.isRunning() === true ? await this.readyVerdict(runner) : null;
    const judged = await smoke.judge(
      settings.smoke.filter(({ critical }) => critical),
      SMOKE_TRIES,
    );
    // A service that is just being started again says nothing about what was done before.
    if (this.isRecovering(spec.name)) return recovered;
    if (ready?.outcome === 'fail') return { wrong: `it is not ready any more: ${ready.detail}`, untold: null };
    if (judged.verdict === 'fail')
      return { wrong: `smoke check "${judged.smoke.name}" fails with it: ${judged.result.detail}`, untold: null };
    if (judged.verdict === 'inconclusive')
      return { wrong: null, untold: `smoke check "${judged.smoke.name}" could not be carried out: ${judged.result.detail}` };
    return { wrong: null, untold: ready?.outcome === 'unknown' ? `its readiness could not be looked at: ${ready.detail}` : null };
  }

  /** Whether it gets well by itself once what it needs is back. */
  async comesBack(spec: ComponentSpec, runner: ComponentRunner): Promise<boolean> {
    const { ports, smoke, signal } = this.parts;
    const deadlineMs = ports.clock.monotonicMs() + REJOIN_MS;
    while (ports.clock.monotonicMs() < deadlineMs && runner.isRunning()) {
      if ((await runner.isReadyNow()) && (await smoke.failed(smoke.of(spec.name), 1)) === null) return true;
      await ports.clock.sleep(SMOKE_PAUSE_MS, signal);
    }
    return false;
  }

  /** A look that could not be carried out is repeated: what it would have said is worth a moment. */
  private async readyVerdict(runner: ComponentRunner): Promise<Pick<ProbeResult, 'outcome' | 'detail'>> {
    const { ports, signal } = this.parts;
    for (let look = 1; ; look++) {
      const seen = await runner.readyNow();
      if (seen.outcome !== 'unknown' || look >= SMOKE_TRIES) return seen;
      await ports.clock.sleep(SMOKE_PAUSE_MS, signal);
    }
  }
}
