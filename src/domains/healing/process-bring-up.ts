import type { Phase } from '../governance/index.ts';
import type { Captured, WaitFor } from '../learning/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import type { CarriedRuns } from './carried-runs.ts';
import type { Dependencies } from './dependencies.ts';
import { logOf, type FailureDesk } from './failure-desk.ts';
import type { AppliedRun } from './applied-runs.ts';
import type { Healer } from './healer.ts';
import { patienceMsAfter, type Hold } from './hold.ts';
import type { Proof } from './proof.ts';
import type { StormWatch } from './storm-watch.ts';
import type { SupervisedComponents } from './supervised-components.ts';
import type { BringUpResult, SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';
import { Tries } from './tries.ts';
import { dropWhatDidNotHelp, GUESS } from './unproven-runs.ts';
import { describeWait } from './wait-for-cause.ts';

/** Tries of one bring-up, whatever they were for: a limit that nothing can talk its way around. */
export const ROUNDS_MAX = 12;
/** Between two looks whether the playbook that acts on a component has ended; as many as a bring-up has rounds. */
export const BUSY_MS = 2000;

/** What bringing a process up shares with the rest of the supervision. */
export interface BringUpParts {
  readonly ports: SupervisionPorts;
  readonly settings: SupervisionSettings;
  readonly healer: Healer;
  readonly components: SupervisedComponents;
  readonly carried: CarriedRuns;
  readonly dependencies: Dependencies;
  readonly storms: StormWatch;
  readonly desk: FailureDesk;
  readonly proof: Proof;
  readonly hold: Hold;
  /** Playbooks that ran and are not proven yet. */
  readonly unconfirmed: AppliedRun[];
  /** `component: playbook` of every fix that was not undone. */
  readonly fixes: string[];
  readonly signal: AbortSignal;
}

/** Starts a process until it is ready, healing what fails on the way. */
export class ProcessBringUp {
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly healer: Healer;
  private readonly components: SupervisedComponents;
  private readonly carried: CarriedRuns;
  private readonly dependencies: Dependencies;
  private readonly storms: StormWatch;
  private readonly desk: FailureDesk;
  private readonly proof: Proof;
  private readonly hold: Hold;
  private readonly unconfirmed: AppliedRun[];
  private readonly fixes: string[];
  private readonly signal: AbortSignal;

  constructor(parts: BringUpParts) {
    this.ports = parts.ports;
    this.settings = parts.settings;
    this.healer = parts.healer;
    this.components = parts.components;
    this.carried = parts.carried;
    this.dependencies = parts.dependencies;
    this.storms = parts.storms;
    this.desk = parts.desk;
    this.proof = parts.proof;
    this.hold = parts.hold;
    this.unconfirmed = parts.unconfirmed;
    this.fixes = parts.fixes;
    this.signal = parts.signal;
  }

  async bringUp(spec: ComponentSpec, phase: Phase, stage: string, first: Problem | null, withSmoke: boolean): Promise<BringUpResult> {
    const { emit } = this.ports;
    const runner = this.components.runner(spec.name);
    const tries = await Tries.begin(this.ports, spec.name, 'process');
    const pending: AppliedRun[] = this.carried.carriedFor(spec.name, 'process');
    let problem = first;
    let holds = 0;
    let keepsRunning = first?.symptom === 'smoke';
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (problem === null) {
        const launch = await this.ports.launchOf(spec);
        if (launch.skip) {
          emit({ type: 'component_skipped', component: spec.name, reason: 'left out: it is optional and its command is missing' });
          return { state: 'skipped', reason: 'its command is missing' };
        }
        if (!keepsRunning && runner.process !== null && !runner.process.wasAdopted) await runner.stop();
        emit({ type: 'component_starting', component: spec.name, attempt: round + 1 });
        const outcome = await runner.start(
          launch,
          this.signal,
          (handle) => this.components.remember(spec, handle, launch.specHash),
          () => this.desk.isClear(spec, runner, stage, tries.names),
        );
        if (outcome.state === 'completed') {
          await tries.end();
          return outcome;
        }
        const proof = outcome.state === 'failed' ? outcome.problem : await this.proof.prove(spec, runner, pending, withSmoke);
        problem = typeof proof === 'string' ? null : proof;
        if (problem === null && outcome.state === 'ready') {
          await this.settle(pending, withSmoke, typeof proof === 'string' ? proof : null);
          await tries.end();
          emit({
            type: 'component_ready',
            component: spec.name,
            tookMs: outcome.tookMs,
            pid: runner.process?.identity.pid ?? null,
            port: runner.port,
            adopted: outcome.wasAdopted,
          });
          return { state: 'ready', tookMs: outcome.tookMs, wasAdopted: outcome.wasAdopted };
        }
        if (problem === null) continue;
      }
      emit({ type: 'component_failed', component: spec.name, symptom: problem.symptom, message: problem.message });
      if (phase === 'runtime') this.storms.noteAgain();
      const captured = await this.desk.capture(spec, stage, problem, logOf(runner), '');
      if (await this.carried.tookBackAsked(spec, phase)) {
        problem = null;
        keepsRunning = false;
        continue;
      }
      await dropWhatDidNotHelp(pending, captured, this.healer.applied, this.signal);
      for (const run of await this.healer.relapses.takeBack(captured, spec, phase, this.signal)) tries.names.push(run.playbook);
      const down = await this.dependencies.down(spec);
      if (down.length > 0) {
        for (const dependency of down) await this.dependencies.bringUp(dependency, phase, stage);
        if (runner.isRunning() && (await this.proof.comesBack(spec, runner))) {
          problem = null;
          keepsRunning = true;
          continue;
        }
      }
      const mayAct = await tries.mayTry(this.settings.maxHealingAttempts);
      const asked = { captured, component: spec, phase, scope: 'process' as const, attempts: tries.names, signal: this.signal, mayAct };
      const result = await this.healer.heal(asked);
      problem = null;
      keepsRunning = false;
      if (result?.state === 'applied') {
        tries.names.push(result.run.playbook);
        pending.push(result.run);
        keepsRunning = !result.run.restart;
      } else if (result?.state === 'failed') {
        tries.names.push(result.playbook);
      } else if (result?.state === 'busy') {
        await this.ports.clock.sleep(BUSY_MS, this.signal);
      } else if (result?.state === 'observed') {
        // The remedy only observes at run time; a restart is supervision and always allowed within its limits.
        const verdict = this.components.intensityOf(spec.name).next(this.ports.clock.monotonicMs());
        if (verdict.state === 'exhausted') return this.fail(spec, captured, pending, result.diagnosis.cause, tries);
        emit({ type: 'component_restarting', component: spec.name, delayMs: verdict.delayMs, reason: result.diagnosis.cause });
        await this.ports.clock.sleep(verdict.delayMs, this.signal);
      } else {
        const cause = result?.diagnosis.cause ?? captured.failure.message;
        const waitFor: WaitFor | null = result?.state === 'hold' ? result.waitFor : null;
        const mayHold =
          this.settings.hold === 'always' || (this.settings.hold === 'auto' && (waitFor !== null || result?.state === 'needs_approval'));
        if (!mayHold) return this.fail(spec, captured, pending, cause, tries);
        // Ready but not quite well is better than nothing while somebody is waited for.
        const isServing = captured.failure.symptom === 'smoke' && runner.isRunning();
        if (!isServing) await runner.stop();
        const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
        const suspects = await this.ports.suspectFiles(spec);
        emit({ type: 'held', component: spec.name, cause, waitingFor });
        const patienceMs = patienceMsAfter(holds++);
        const why =
          result?.state === 'needs_approval'
            ? await this.hold.approvalOrChange(result, spec)
            : await this.hold.waitForChange(waitFor, spec, patienceMs, suspects);
        emit({ type: 'component_waiting', component: spec.name, on: waitingFor, text: `trying again: ${why}` });
        keepsRunning = isServing;
        await tries.renew();
        round = 0;
      }
    }
    const last = this.desk.captured.at(-1);
    if (!last) throw new TypeError('a bring-up that ends without success has captured a failure');
    return this.fail(spec, last, pending, last.failure.message, tries);
  }

  private async fail(spec: ComponentSpec, captured: Captured, pending: AppliedRun[], cause: string, tries: Tries): Promise<BringUpResult> {
    await tries.end();
    for (const run of pending.splice(0))
      if (run.confidence < GUESS) await this.healer.applied.reject(run, 'the component still fails', this.signal);
    await this.components.runner(spec.name).stop();
    await this.ports.processes.remove(spec.name);
    return { state: 'failed', captured, cause };
  }

  private async settle(pending: AppliedRun[], withSmoke: boolean, untold: string | null): Promise<void> {
    for (const run of pending.splice(0)) {
      this.fixes.push(`${run.component.name}: ${run.playbook}`);
      this.components.intensityOf(run.component.name).reset();
      if (untold !== null) await this.healer.applied.leaveOpen(run, untold);
      else if (withSmoke || this.settings.smoke.length === 0) await this.healer.applied.confirm(run);
      else this.unconfirmed.push(run); // stage 7 proves them
    }
  }
}
