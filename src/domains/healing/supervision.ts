import type { Phase } from '../governance/index.ts';
import type { AttemptScope, PlaybookRun } from '../playbooks/index.ts';
import type { ComponentRunner, ComponentSpec, Problem } from '../supervisor/index.ts';
import type { AppliedRun } from './applied-runs.ts';
import { CarriedRuns } from './carried-runs.ts';
import { Dependencies } from './dependencies.ts';
import { FailureDesk } from './failure-desk.ts';
import type { Healer } from './healer.ts';
import { Hold } from './hold.ts';
import { ProcessBringUp } from './process-bring-up.ts';
import { Proof } from './proof.ts';
import { Recovery } from './recovery.ts';
import { SmokeChecks } from './smoke-checks.ts';
import { StageChecks } from './stage-checks.ts';
import { StormWatch } from './storm-watch.ts';
import { SupervisedComponents } from './supervised-components.ts';
import type { SupervisionParts } from './supervision-parts.ts';
import type {
  BringUpResult,
  CheckFailure,
  CheckResult,
  RestartResult,
  SupervisionPorts,
  SupervisionSettings,
} from './supervision-ports.ts';
import { Watch } from './watch.ts';

/** Keeps the components of one service up: starts them, heals what fails, watches, recovers, stops. */
export class Supervision {
  readonly runners: ReadonlyMap<string, ComponentRunner>;
  /** Playbooks that ran and are not proven yet. */
  readonly unconfirmed: AppliedRun[] = [];
  /** `component: playbook` of every fix that was not undone, oldest first. */
  readonly fixes: string[] = [];
  readonly smoke: SmokeChecks;
  readonly desk: FailureDesk;
  private readonly parts: SupervisionParts;
  private readonly dependencies: Dependencies;
  private readonly processes: ProcessBringUp;
  private readonly checks: StageChecks;
  private readonly recovery: Recovery;
  private readonly watching: Watch;

  constructor(ports: SupervisionPorts, settings: SupervisionSettings, healer: Healer, signal: AbortSignal) {
    const components = new SupervisedComponents(ports, settings);
    this.runners = components.runners;
    this.smoke = new SmokeChecks(ports, settings, signal);
    this.desk = new FailureDesk(ports, settings, components.runners);
    const { smoke, desk, unconfirmed, fixes } = this;
    const carried = new CarriedRuns(healer, signal);
    const storms = new StormWatch(ports, settings.components.length);
    const hold = new Hold(ports, signal);
    const parts = { ports, settings, healer, components, smoke, desk, carried, storms, hold, unconfirmed, fixes, signal };
    this.parts = parts;
    const isRecovering = this.isRecovering.bind(this);
    this.dependencies = new Dependencies(parts);
    this.recovery = new Recovery(parts, this.bringUp.bind(this));
    const proof = new Proof(parts, isRecovering);
    this.processes = new ProcessBringUp(parts, this.dependencies, proof);
    this.checks = new StageChecks(parts, proof, isRecovering);
    this.watching = new Watch(parts, this.dependencies, this.recovery);
  }

  spec(name: string): ComponentSpec {
    return this.parts.components.spec(name);
  }

  runner(name: string): ComponentRunner {
    return this.parts.components.runner(name);
  }

  /**
   * Takes over what an earlier Grace left running, and ends what must not run beside it: other versions of a component,
   * and components that are no longer configured.
   */
  async reconcile(): Promise<{ readonly adopted: readonly string[]; readonly ended: readonly string[] }> {
    const { processes, host } = this.parts.ports;
    const adopted: string[] = [];
    const ended: string[] = [];
    const records = new Map((await processes.list()).map((r) => [r.component, r]));
    const names = [...new Set([...records.keys(), ...this.runners.keys()])];
    const left = host.leftOvers(names);
    for (const name of names) {
      const runner = this.runners.get(name);
      const found = records.get(name);
      if (runner && found && host.isAlive(found.identity)) {
        const launch = await this.parts.ports.launchOf(runner.spec);
        if (launch.specHash === found.specHash && runner.adopt(found, launch)) {
          adopted.push(name);
          continue;
        }
      }
      // Whatever carries the mark and was not adopted is a left-over: of a crash of Grace, or of a start that was cut off.
      const { count } = left.has(name) ? await host.endAll(name, 'SIGTERM', runner?.spec.stop.graceMs ?? 5000) : { count: 0 };
      if (count > 0) ended.push(name);
      if (found) await processes.remove(name);
    }
    return { adopted, ended };
  }

  /** Starts a component, or waits for a dependency, healing what fails on the way. */
  async bringUp(name: string, phase: Phase, stage: string, first: Problem | null = null, withSmoke = false): Promise<BringUpResult> {
    const spec = this.spec(name);
    return spec.kind === 'dependency'
      ? this.dependencies.bringUp(spec, phase, stage, this.parts.carried.carriedFor(name, 'process'))
      : this.processes.bringUp(spec, phase, stage, first, withSmoke);
  }

  /** Fixes of an earlier Grace that nobody has proven: what a component does now proves them, or takes them back. */
  carryOver(runs: readonly (AppliedRun & { readonly scope: AttemptScope })[]): void {
    this.parts.carried.carryOver(runs);
  }

  /** Rollbacks that people asked for: likewise, whatever it is that fails then. */
  carryAsked(runs: readonly PlaybookRun[]): void {
    this.parts.carried.carryAsked(runs);
  }

  /**
   * Makes a check of a stage pass: what it finds wrong is captured, diagnosed and healed like any failure of the component.
   * @param look   null when all is well
   * @param phase  at run time nobody waits for a person, and the policy for run time decides
   */
  async passCheck(
    spec: ComponentSpec,
    stage: string,
    look: () => Promise<CheckFailure | null>,
    phase: Phase = 'boot',
  ): Promise<CheckResult> {
    return this.checks.pass(spec, stage, look, phase);
  }

  /** Whether a recovery of this component is going on. */
  isRecovering(name: string): boolean {
    return this.recovery.isRecovering(name);
  }

  /** What is wrong with a component that is up and passes its checks, by its own words; null when nothing is clear. */
  async complaintOf(name: string, stage: string): Promise<Problem | null> {
    const runner = this.runners.get(name);
    if (!runner?.isRunning() || runner.process?.wasAdopted !== false) return null;
    const line = await this.desk.complaintOf(this.spec(name), runner, stage);
    return line === null ? null : runner.problem('smoke', `it is up, and says: ${line}`, 0, { detail: '' });
  }

  /** Called when the smoke checks of the whole service have passed. */
  async confirmAll(untold: string | null = null): Promise<void> {
    for (const run of [...this.unconfirmed.splice(0), ...this.parts.carried.takeCarried()])
      await (untold === null ? this.parts.healer.applied.confirm(run) : this.parts.healer.applied.leaveOpen(run, untold));
    // This boot is over: what fails from here on is no word on what people had asked for before it. Untold, the next boot proves it.
    const asked = this.parts.carried.takeAsked();
    if (untold === null) await this.parts.healer.asked.confirm();
    else await this.parts.healer.asked.leaveOpen(asked, untold);
  }

  /** Watches everything that is up; problems are recovered from one at a time per component. */
  watchAll(): void {
    this.watching.watchAll();
  }

  /**
   * Stops a component, starts it, and waits until it is ready, because a person wants it. Not beside a recovery of the same
   * component, which would do it anyway. When it does not come up again, it is recovered like one that has died.
   */
  async restart(name: string, why: string): Promise<RestartResult> {
    return this.recovery.restart(name, why);
  }

  /** What a recovery that waits before its next try may have waited for is there: it tries again now. */
  hurry(name: string, why: string): void {
    this.parts.hold.hurry(name, why);
  }

  /** Brings back what should run and does not, and is in nobody's hands. */
  async recoverMissing(): Promise<void> {
    await this.recovery.recoverMissing();
  }

  /** Stops everything in reverse order of dependence. */
  async stopAll(order: readonly (readonly ComponentSpec[])[]): Promise<void> {
    this.watching.stop();
    for (const layer of order.toReversed()) {
      await Promise.all(
        layer.map(async (spec) => {
          const runner = this.runners.get(spec.name);
          if (!runner) return;
          const { killed, count } = await runner.stop();
          // A record that stays is known by its identity to be of nobody: it must not keep the next one from being stopped.
          await this.parts.ports.processes.remove(spec.name).catch(() => undefined);
          if (count > 0) this.parts.ports.emit({ type: 'component_stopped', component: spec.name, killed });
        }),
      );
    }
  }
}
