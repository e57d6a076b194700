import type { Phase } from '../governance/index.ts';
import { look } from '../health/index.ts';
import type { Captured } from '../learning/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import type { AppliedRun } from './applied-runs.ts';
import type { SupervisionParts } from './supervision-parts.ts';
import type { BringUpResult } from './supervision-ports.ts';
import { Tries } from './tries.ts';
import { dropWhatDidNotHelp } from './unproven-runs.ts';

const LOOK_MS = 500;
/** A dependency that is down this long is a failure that is captured and explained, though still waited for. */
const EXPLAIN_MS = 2000;
/** After its start command failed for good, others get this long to start it before the next try. */
const FIRST_PATIENCE_MS = 15_000;

/** What the service needs and Grace does not run: waited for, explained, and started where a start command is declared. */
export class Dependencies {
  private readonly parts: Pick<SupervisionParts, 'ports' | 'settings' | 'healer' | 'desk' | 'fixes' | 'signal'>;

  constructor(parts: Dependencies['parts']) {
    this.parts = parts;
  }

  /** Waits until it answers, starting it where that is allowed and healing what keeps it from starting. */
  async bringUp(spec: ComponentSpec, phase: Phase, stage: string, carried: AppliedRun[] = []): Promise<BringUpResult> {
    const { ports, signal, settings, healer } = this.parts;
    const { clock, emit, spawner } = ports;
    const startedMs = clock.monotonicMs();
    const tries = await Tries.begin(ports, spec.name, 'process');
    const pending: AppliedRun[] = carried;
    const asked = { component: spec, phase, scope: 'process' as const, attempts: tries.names, signal };
    const waitMs = settings.dependencyWaitMs(spec.name);
    let said = '';
    let isExplained = false;
    let captured: Captured | null = null;
    if (await this.answers(spec)) return this.ready(spec, startedMs, pending, tries);
    emit({ type: 'component_starting', component: spec.name, attempt: 1 });
    if (await this.isStopped(spec)) {
      // A start command would find its port and its lock taken.
      captured = await this.captured(spec, stage, '', 'its process is stopped (state T, as by SIGSTOP)');
      const resumed = await healer.heal({ ...asked, captured });
      if (resumed.state === 'applied') pending.push(resumed.run);
      if (resumed.state === 'applied' && (await this.waitFor(spec))) return this.ready(spec, startedMs, pending, tries);
    }
    for (;;) {
      if (spec.command.length > 0) {
        const launch = await ports.launchOf(spec);
        emit({ type: 'component_waiting', component: spec.name, on: spec.name, text: 'it is down: running its start command' });
        const result = await spawner.run(launch.argv, {
          cwd: spec.cwd,
          env: launch.env,
          timeoutMs: settings.dependencyStartMs(spec.name),
          signal,
        });
        said = `${result.stdout}\n${result.stderr}`;
        const deadlineMs = clock.monotonicMs() + (result.exitCode === 0 ? settings.dependencyStartMs(spec.name) : EXPLAIN_MS);
        while (clock.monotonicMs() < deadlineMs) {
          if (await this.answers(spec)) return this.ready(spec, startedMs, pending, tries);
          await clock.sleep(LOOK_MS, signal);
        }
        captured = await this.captured(
          spec,
          stage,
          said,
          `its start command ended with ${result.exitCode ?? result.signal ?? result.spawnErrorCode ?? '?'} and it still does not answer`,
        );
        await dropWhatDidNotHelp(pending, captured, healer.applied, signal);
        const result2 = (await tries.mayTry(settings.maxHealingAttempts)) ? await healer.heal({ ...asked, captured }) : null;
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
        await healer.heal({ ...asked, captured });
        emit({
          type: 'held',
          component: spec.name,
          cause: `${spec.name} does not answer at ${spec.host}:${spec.port ?? '?'}`,
          waitingFor: `${spec.name} to answer`,
        });
      }
      if (await this.answers(spec)) return this.ready(spec, startedMs, pending, tries);
      const isLate = waitMs !== null && clock.monotonicMs() - startedMs > waitMs;
      if (isLate || (settings.hold === 'never' && isExplained)) {
        captured ??= await this.captured(spec, stage, said, 'it does not answer');
        await tries.end();
        return { state: 'failed', captured, cause: `dependency ${spec.name} does not answer` };
      }
      await clock.sleep(LOOK_MS, signal);
      if (spec.command.length > 0) await clock.sleep(EXPLAIN_MS, signal);
      if (spec.command.length > 0 && isExplained) {
        // Its start command failed for a reason nobody here can mend; others may start it.
        if (await this.waitFor(spec)) return this.ready(spec, startedMs, pending, tries);
        await tries.renew();
      }
    }
  }

  private async isStopped(spec: ComponentSpec): Promise<boolean> {
    const { ports } = this.parts;
    const holder = spec.port === null ? null : await ports.view.portHolder(spec.port, spec.name);
    const process = holder === null ? null : await ports.view.process(holder.pid);
    return process !== null && process.state.startsWith('T');
  }

  private async waitFor(spec: ComponentSpec): Promise<boolean> {
    const { ports, signal } = this.parts;
    const deadlineMs = ports.clock.monotonicMs() + FIRST_PATIENCE_MS;
    while (ports.clock.monotonicMs() < deadlineMs) {
      if (await this.answers(spec)) return true;
      await ports.clock.sleep(LOOK_MS, signal);
    }
    return false;
  }

  private async ready(spec: ComponentSpec, startedMs: number, pending: AppliedRun[], tries: Tries): Promise<BringUpResult> {
    const { fixes, healer, ports } = this.parts;
    await tries.end();
    for (const run of pending.splice(0)) {
      fixes.push(`${spec.name}: ${run.playbook}`);
      await healer.applied.confirm(run);
    }
    const tookMs = ports.clock.monotonicMs() - startedMs;
    ports.emit({ type: 'component_ready', component: spec.name, tookMs, pid: null, port: spec.port, adopted: false });
    return { state: 'ready', tookMs, wasAdopted: false };
  }

  async answers(spec: ComponentSpec): Promise<boolean> {
    const { ports, signal } = this.parts;
    const probe = spec.readiness ?? spec.liveness;
    if (probe === null) return spec.port === null || (await ports.view.canConnect(spec.host, spec.port));
    const result = await look(ports.prober, probe.target, {
      cwd: spec.cwd,
      env: (await ports.launchOf(spec)).env,
      timeoutMs: probe.timeoutMs,
      pid: null,
      signal,
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
    return this.parts.desk.capture(spec, stage, problem, null, said);
  }

  /** The dependencies of a component that do not answer now. */
  async down(spec: ComponentSpec): Promise<readonly ComponentSpec[]> {
    const down: ComponentSpec[] = [];
    for (const name of spec.dependsOn) {
      const dependency = this.parts.settings.components.find((c) => c.name === name);
      if (dependency?.kind === 'dependency' && !(await this.answers(dependency))) down.push(dependency);
    }
    return down;
  }
}
