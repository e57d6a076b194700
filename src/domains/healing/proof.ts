import { formatDuration } from '../../kernel/index.ts';
import type { ProbeResult } from '../health/index.ts';
import type { ComponentRunner, ComponentSpec, Problem } from '../supervisor/index.ts';
import type { CarriedRuns } from './carried-runs.ts';
import type { AppliedRun } from './applied-runs.ts';
import { SMOKE_PAUSE_MS, type SmokeChecks } from './smoke-checks.ts';
import type { SupervisedComponents } from './supervised-components.ts';
import type { SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';

const SMOKE_TRIES = 3;
/** Time an application gets to find its way back after its dependency did. */
const REJOIN_MS = 6000;

/** Whether a component works after something was done about it. */
export class Proof {
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly components: SupervisedComponents;
  private readonly smoke: SmokeChecks;
  private readonly carried: CarriedRuns;
  private readonly isRecovering: (component: string) => boolean;
  private readonly signal: AbortSignal;

  constructor(
    ports: SupervisionPorts,
    settings: SupervisionSettings,
    components: SupervisedComponents,
    smoke: SmokeChecks,
    carried: CarriedRuns,
    isRecovering: (component: string) => boolean,
    signal: AbortSignal,
  ) {
    this.ports = ports;
    this.settings = settings;
    this.components = components;
    this.smoke = smoke;
    this.carried = carried;
    this.isRecovering = isRecovering;
    this.signal = signal;
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
    const { clock } = this.ports;
    const startedMs = clock.monotonicMs();
    let untold: string | null = null;
    if (pending.length > 0 || this.carried.hasAsked(spec.name)) {
      await Promise.race([runner.process?.exited ?? Promise.resolve(), clock.sleep(spec.soakMs, this.signal)]);
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
    const judged = await this.smoke.judge(this.smoke.of(spec.name), SMOKE_TRIES);
    if (judged.verdict === 'pass') return untold;
    const { smoke, result } = judged;
    if (judged.verdict === 'inconclusive') return `smoke check "${smoke.name}" could not be carried out: ${result.detail}`;
    return runner.problem('smoke', `smoke check "${smoke.name}" failed: ${result.detail}`, startedMs, { detail: result.detail });
  }

  /** Whether it is ready, and the whole service works, at run time: what is wrong, or why nothing can be told. */
  async worksNow(spec: ComponentSpec): Promise<{ readonly wrong: string | null; readonly untold: string | null }> {
    const recovered = { wrong: null, untold: `${spec.name} was being recovered` };
    if (this.isRecovering(spec.name)) return recovered;
    const runner = this.components.runners.get(spec.name);
    const ready = runner?.isRunning() === true ? await this.readyVerdict(runner) : null;
    const judged = await this.smoke.judge(
      this.settings.smoke.filter(({ critical }) => critical),
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
    const deadlineMs = this.ports.clock.monotonicMs() + REJOIN_MS;
    while (this.ports.clock.monotonicMs() < deadlineMs && runner.isRunning()) {
      if ((await runner.isReadyNow()) && (await this.smoke.failed(this.smoke.of(spec.name), 1)) === null) return true;
      await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
    }
    return false;
  }

  /** A look that could not be carried out is repeated: what it would have said is worth a moment. */
  private async readyVerdict(runner: ComponentRunner): Promise<Pick<ProbeResult, 'outcome' | 'detail'>> {
    for (let look = 1; ; look++) {
      const seen = await runner.readyNow();
      if (seen.outcome !== 'unknown' || look >= SMOKE_TRIES) return seen;
      await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
    }
  }
}
