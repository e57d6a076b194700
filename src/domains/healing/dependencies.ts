import type { Phase } from '../governance/index.ts';
import { look } from '../health/index.ts';
import type { Captured } from '../learning/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import type { FailureDesk } from './failure-desk.ts';
import type { AppliedRun } from './applied-runs.ts';
import type { Healer } from './healer.ts';
import { Tries } from './tries.ts';
import type { BringUpResult, SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';
import { dropWhatDidNotHelp } from './unproven-runs.ts';

const LOOK_MS = 500;
/** A dependency that is down this long is a failure that is captured and explained, though still waited for. */
const EXPLAIN_MS = 2000;
/** After its start command failed for good, others get this long to start it before the next try. */
const FIRST_PATIENCE_MS = 15_000;

/** What the service needs and Grace does not run: waited for, explained, and started where a start command is declared. */
export class Dependencies {
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly healer: Healer;
  private readonly desk: FailureDesk;
  /** `component: playbook` of every fix that was not undone. */
  private readonly fixes: string[];
  private readonly signal: AbortSignal;

  constructor(
    ports: SupervisionPorts,
    settings: SupervisionSettings,
    healer: Healer,
    desk: FailureDesk,
    fixes: string[],
    signal: AbortSignal,
  ) {
    this.ports = ports;
    this.settings = settings;
    this.healer = healer;
    this.desk = desk;
    this.fixes = fixes;
    this.signal = signal;
  }

  /** Waits until it answers, starting it where that is allowed and healing what keeps it from starting. */
  async bringUp(spec: ComponentSpec, phase: Phase, stage: string, carried: AppliedRun[] = []): Promise<BringUpResult> {
    const { clock, emit, spawner } = this.ports;
    const startedMs = clock.monotonicMs();
    const tries = await Tries.begin(this.ports, spec.name, 'process');
    const pending: AppliedRun[] = carried;
    const asked = { component: spec, phase, scope: 'process' as const, attempts: tries.names, signal: this.signal };
    const waitMs = this.settings.dependencyWaitMs(spec.name);
    let said = '';
    let isExplained = false;
    let captured: Captured | null = null;
    if (await this.answers(spec)) return this.ready(spec, startedMs, pending, tries);
    emit({ type: 'component_starting', component: spec.name, attempt: 1 });
    if (await this.isStopped(spec)) {
      // A start command would find its port and its lock taken.
      captured = await this.captured(spec, stage, '', 'its process is stopped (state T, as by SIGSTOP)');
      const resumed = await this.healer.heal({ ...asked, captured });
      if (resumed.state === 'applied') pending.push(resumed.run);
      if (resumed.state === 'applied' && (await this.waitFor(spec))) return this.ready(spec, startedMs, pending, tries);
    }
    for (;;) {
      if (spec.command.length > 0) {
        const launch = await this.ports.launchOf(spec);
        emit({ type: 'component_waiting', component: spec.name, on: spec.name, text: 'it is down: running its start command' });
        const result = await spawner.run(launch.argv, {
          cwd: spec.cwd,
          env: launch.env,
          timeoutMs: this.settings.dependencyStartMs(spec.name),
          signal: this.signal,
        });
        said = `${result.stdout}\n${result.stderr}`;
        const deadlineMs = clock.monotonicMs() + (result.exitCode === 0 ? this.settings.dependencyStartMs(spec.name) : EXPLAIN_MS);
        while (clock.monotonicMs() < deadlineMs) {
          if (await this.answers(spec)) return this.ready(spec, startedMs, pending, tries);
          await clock.sleep(LOOK_MS, this.signal);
        }
        captured = await this.captured(
          spec,
          stage,
          said,
          `its start command ended with ${result.exitCode ?? result.signal ?? result.spawnErrorCode ?? '?'} and it still does not answer`,
        );
        await dropWhatDidNotHelp(pending, captured, this.healer.applied, this.signal);
        const result2 = (await tries.mayTry(this.settings.maxHealingAttempts)) ? await this.healer.heal({ ...asked, captured }) : null;
        if (result2?.state === 'applied') {
          tries.names.push(result2.run.playbook);
          pending.push(result2.run);
          continue;
        }
        if (result2?.state === 'failed') {
          tries.names.push(result2.playbook);
          continue;
        }
        isExplained = true;
      }
      if (!isExplained && clock.monotonicMs() - startedMs > EXPLAIN_MS) {
        isExplained = true;
        captured = await this.captured(spec, stage, said, 'it does not answer, and nobody here may start it');
        await this.healer.heal({ ...asked, captured });
        emit({
          type: 'held',
          component: spec.name,
          cause: `${spec.name} does not answer at ${spec.host}:${spec.port ?? '?'}`,
          waitingFor: `${spec.name} to answer`,
        });
      }
      if (await this.answers(spec)) return this.ready(spec, startedMs, pending, tries);
      const isLate = waitMs !== null && clock.monotonicMs() - startedMs > waitMs;
      if (isLate || (this.settings.hold === 'never' && isExplained)) {
        captured ??= await this.captured(spec, stage, said, 'it does not answer');
        await tries.end();
        return { state: 'failed', captured, cause: `dependency ${spec.name} does not answer` };
      }
      await clock.sleep(LOOK_MS, this.signal);
      if (spec.command.length > 0) await clock.sleep(EXPLAIN_MS, this.signal);
      if (spec.command.length > 0 && isExplained) {
        // Its start command failed for a reason nobody here can mend; others may start it.
        if (await this.waitFor(spec)) return this.ready(spec, startedMs, pending, tries);
        await tries.renew();
      }
    }
  }

  private async isStopped(spec: ComponentSpec): Promise<boolean> {
    const holder = spec.port === null ? null : await this.ports.view.portHolder(spec.port, spec.name);
    const process = holder === null ? null : await this.ports.view.process(holder.pid);
    return process !== null && process.state.startsWith('T');
  }

  private async waitFor(spec: ComponentSpec): Promise<boolean> {
    const deadlineMs = this.ports.clock.monotonicMs() + FIRST_PATIENCE_MS;
    while (this.ports.clock.monotonicMs() < deadlineMs) {
      if (await this.answers(spec)) return true;
      await this.ports.clock.sleep(LOOK_MS, this.signal);
    }
    return false;
  }

  private async ready(spec: ComponentSpec, startedMs: number, pending: AppliedRun[], tries: Tries): Promise<BringUpResult> {
    await tries.end();
    for (const run of pending.splice(0)) {
      this.fixes.push(`${spec.name}: ${run.playbook}`);
      await this.healer.applied.confirm(run);
    }
    const tookMs = this.ports.clock.monotonicMs() - startedMs;
    this.ports.emit({ type: 'component_ready', component: spec.name, tookMs, pid: null, port: spec.port, adopted: false });
    return { state: 'ready', tookMs, wasAdopted: false };
  }

  async answers(spec: ComponentSpec): Promise<boolean> {
    const probe = spec.readiness ?? spec.liveness;
    if (probe === null) return spec.port === null || (await this.ports.view.canConnect(spec.host, spec.port));
    const result = await look(this.ports.prober, probe.target, {
      cwd: spec.cwd,
      env: (await this.ports.launchOf(spec)).env,
      timeoutMs: probe.timeoutMs,
      pid: null,
      signal: this.signal,
    });
    return result.outcome === 'pass';
  }

  private async captured(spec: ComponentSpec, stage: string, said: string, message: string): Promise<Captured> {
    const problem: Problem = {
      symptom: 'dependency',
      message: `${spec.name}: ${message}`,
      exit: null,
      spawnCode: null,
      afterMs: null,
      probeDetail: message,
      vitals: null,
    };
    return this.desk.capture(spec, stage, problem, null, said);
  }

  /** The dependencies of a component that do not answer now. */
  async down(spec: ComponentSpec): Promise<readonly ComponentSpec[]> {
    const down: ComponentSpec[] = [];
    for (const name of spec.dependsOn) {
      const dependency = this.settings.components.find((c) => c.name === name);
      if (dependency?.kind === 'dependency' && !(await this.answers(dependency))) down.push(dependency);
    }
    return down;
  }
}
