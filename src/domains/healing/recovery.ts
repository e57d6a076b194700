import { formatDuration, messageOf } from '../../kernel/index.ts';
import type { Phase } from '../governance/index.ts';
import { commandsAfterRestart } from '../learning/index.ts';
import type { ComponentRunner, ComponentSpec, Problem } from '../supervisor/index.ts';
import { logOf } from './failure-desk.ts';
import { patienceMsAfter } from './hold.ts';
import type { SupervisionParts } from './supervision-parts.ts';
import type { BringUpResult, RestartResult } from './supervision-ports.ts';

/** Between two tries of a recovery that an error of Grace's own broke off. */
const BROKEN_OFF_MS = 2000;

type BringUp = (name: string, phase: Phase, stage: string, first: Problem | null, withSmoke: boolean) => Promise<BringUpResult>;

/** Brings back what fails while the service runs, one recovery per component at a time. */
export class Recovery {
  private readonly parts: Pick<SupervisionParts, 'ports' | 'settings' | 'components' | 'desk' | 'storms' | 'hold' | 'signal'>;
  private readonly recovering = new Map<string, Promise<void>>();
  private readonly bringUp: BringUp;

  constructor(parts: Recovery['parts'], bringUp: BringUp) {
    this.parts = parts;
    this.bringUp = bringUp;
  }

  /** Whether a recovery of this component is going on. */
  isRecovering(name: string): boolean {
    return this.recovering.has(name);
  }

  watch(name: string, runner: ComponentRunner): void {
    runner.watch((problem) => void this.recover(name, problem));
  }

  /** One recovery per component at a time. */
  async guarded(name: string, work: () => Promise<void>): Promise<void> {
    const { signal, ports } = this.parts;
    if (this.recovering.has(name) || signal.aborted) return;
    const running = work().catch((error: unknown) => {
      if (!signal.aborted) ports.emit({ type: 'notice', level: 'error', text: `recovery of ${name} broke off: ${messageOf(error)}` });
    });
    this.recovering.set(name, running);
    await running;
    this.recovering.delete(name);
  }

  async recover(name: string, problem: Problem): Promise<void> {
    const { components, storms, ports } = this.parts;
    const spec = components.spec(name);
    const runner = components.runner(name);
    let isUp = false;
    await this.guarded(name, async () => {
      await storms.note(name);
      if (problem.symptom === 'exit' && !mayRestart(spec, problem)) {
        ports.emit({ type: 'component_stopped', component: name, killed: false });
        await ports.processes.remove(name);
        return;
      }
      isUp = await this.untilItEnds(
        name,
        async () =>
          (problem.symptom === 'exit' && (await this.restartAtOnce(spec, runner, problem))) || this.bringBack(spec, runner, problem),
        async () => (await runner.isReadyNow()) || this.bringBack(spec, runner, null),
      );
    });
    // Not before its recovery is over: a process that has died meanwhile is reported at once, and nobody would listen.
    if (isUp) this.watch(name, runner);
  }

  /**
   * Stops a component, starts it, and waits until it is ready, because a person wants it. Not beside a recovery of the same
   * component, which would do it anyway. When it does not come up again, it is recovered like one that has died.
   */
  async restart(name: string, why: string): Promise<RestartResult> {
    const { components, ports } = this.parts;
    const runner = components.runner(name);
    if (this.recovering.has(name)) return { state: 'busy', detail: `${name} is being recovered already` };
    let result: BringUpResult | null = null;
    await this.guarded(name, async () => {
      ports.emit({ type: 'component_restarting', component: name, delayMs: 0, reason: why });
      runner.stopWatching();
      await runner.stop();
      result = await this.bringUp(name, 'runtime', 'runtime', null, true);
    });
    const ended = result as BringUpResult | null;
    if (ended?.state === 'ready') {
      this.watch(name, runner);
      return { state: 'ready', detail: `${name} is ready again after ${formatDuration(ended.tookMs)}` };
    }
    if (ended?.state === 'completed') return { state: 'ready', detail: `${name} ran to its end` };
    if (ended?.state === 'skipped') return { state: 'failed', detail: `${name} was left out: ${ended.reason}` };
    void this.recover(name, runner.problem('exit', 'it did not come up after a restart', 0));
    return { state: 'failed', detail: ended === null ? `the restart of ${name} broke off` : `${name} did not come up: ${ended.cause}` };
  }

  /** Brings back what should run and does not, and is in nobody's hands. */
  async recoverMissing(): Promise<void> {
    for (const [name, runner] of this.parts.components.runners) {
      const isIdle = runner.process !== null && !runner.isRunning() && !this.recovering.has(name);
      if (isIdle && runner.spec.restart.policy === 'always')
        await this.recover(name, runner.problem('exit', 'it does not run, though it should', 0));
    }
  }

  /** What breaks a recovery off (a locked store, a full disk) passes: a component must not stay down and unwatched for it. */
  private async untilItEnds(name: string, first: () => Promise<boolean>, again: () => Promise<boolean>): Promise<boolean> {
    const { signal, ports } = this.parts;
    for (let work = first; ; work = again) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        ports.emit({ type: 'notice', level: 'error', text: `recovery of ${name} broke off: ${messageOf(error)}; trying again` });
        await ports.clock.sleep(BROKEN_OFF_MS, signal);
      }
    }
  }

  /** Most crashes are single ones: start again first, ask afterwards. @returns whether it is ready again */
  private async restartAtOnce(spec: ComponentSpec, runner: ComponentRunner, problem: Problem): Promise<boolean> {
    const { ports, components, signal, desk, settings } = this.parts;
    const { clock, emit } = ports;
    // Its output ends here: what follows in the log is the next run's.
    const log = logOf(runner, (await ports.files.stat(spec.logFile))?.sizeBytes);
    const verdict = components.intensityOf(spec.name).next(clock.monotonicMs());
    emit({ type: 'component_failed', component: spec.name, symptom: problem.symptom, message: problem.message });
    if (verdict.state === 'exhausted') return false;
    if (verdict.delayMs > 0) {
      emit({ type: 'component_restarting', component: spec.name, delayMs: verdict.delayMs, reason: problem.message });
      await clock.sleep(verdict.delayMs, signal);
    }
    const launch = await ports.launchOf(spec);
    emit({ type: 'component_starting', component: spec.name, attempt: 1 });
    const outcome = await runner.start(
      launch,
      signal,
      (handle) => components.remember(spec, handle, launch.specHash),
      async () => false,
    );
    if (outcome.state !== 'ready') return false;
    emit({
      type: 'component_ready',
      component: spec.name,
      tookMs: outcome.tookMs,
      pid: runner.process?.identity.pid ?? null,
      port: runner.port,
      adopted: false,
    });
    const captured = await desk.capture(spec, 'runtime', problem, log, '');
    const cause = captured.failure.headline === '' ? problem.message : captured.failure.headline;
    await ports.capture.incidents.savePattern({ ...captured.pattern, familyName: 'crash', rootCause: cause });
    await ports.capture.incidents.saveExplanation({
      failureId: captured.failure.id,
      signature: captured.failure.signature,
      bootId: captured.failure.bootId,
      atMs: captured.failure.atMs,
      component: spec.name,
      what: problem.message,
      cause,
      familyName: 'crash',
      confidence: 0.5,
      evidence: captured.failure.output.slice(-3),
      changes: [],
      action: 'restarted it',
      playbook: null,
      risk: 'low',
      outcome: 'healed',
      advice: [`read the output before the crash: grace explain ${captured.pattern.incidentId}`],
      alternatives: [],
      commands: commandsAfterRestart(spec, settings.projectDir),
    });
    return true;
  }

  /** Heals until it is ready and works; after that fails, tries again slowly, and at once when something changes. */
  private async bringBack(spec: ComponentSpec, runner: ComponentRunner, problem: Problem | null): Promise<boolean> {
    const { ports, hold } = this.parts;
    const { emit } = ports;
    let current: Problem | null = problem;
    for (let round = 0; ; round++) {
      const result = await this.bringUp(spec.name, 'runtime', 'runtime', current, true);
      if (result.state === 'ready') return true;
      if (result.state !== 'failed') return false;
      const patienceMs = patienceMsAfter(round);
      const suspects = await ports.suspectFiles(spec);
      emit({
        type: 'held',
        component: spec.name,
        cause: result.cause,
        waitingFor: `a change of its files, or ${formatDuration(patienceMs)}`,
      });
      await hold.untilHurried(spec, patienceMs, suspects);
      current = runner.isRunning() ? current : null;
    }
  }
}

/** What its restart policy says of a process that has ended. */
function mayRestart(spec: ComponentSpec, problem: Problem): boolean {
  return spec.restart.policy === 'always' || (spec.restart.policy === 'on_failure' && problem.exit?.exitCode !== 0);
}
