import type { Phase } from '../governance/index.ts';
import type { Captured, WaitFor } from '../learning/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import type { AppliedRun } from './applied-runs.ts';
import type { Dependencies } from './dependencies.ts';
import { logOf } from './failure-desk.ts';
import { patienceMsAfter } from './hold.ts';
import type { Proof } from './proof.ts';
import type { SupervisionParts } from './supervision-parts.ts';
import type { BringUpResult } from './supervision-ports.ts';
import { Tries } from './tries.ts';
import { dropWhatDidNotHelp, GUESS } from './unproven-runs.ts';
import { describeWait } from './wait-for-cause.ts';

/** Tries of one bring-up, whatever they were for: a limit that nothing can talk its way around. */
export const ROUNDS_MAX = 12;
/** Between two looks whether the playbook that acts on a component has ended; as many as a bring-up has rounds. */
export const BUSY_MS = 2000;

/** Starts a process until it is ready, healing what fails on the way. */
export class ProcessBringUp {
  private readonly parts: Pick<
    SupervisionParts,
    'ports' | 'settings' | 'healer' | 'components' | 'desk' | 'carried' | 'storms' | 'hold' | 'unconfirmed' | 'fixes' | 'signal'
  >;
  private readonly dependencies: Dependencies;
  private readonly proof: Proof;

  constructor(parts: ProcessBringUp['parts'], dependencies: Dependencies, proof: Proof) {
    this.parts = parts;
    this.dependencies = dependencies;
    this.proof = proof;
  }

  async bringUp(spec: ComponentSpec, phase: Phase, stage: string, first: Problem | null, withSmoke: boolean): Promise<BringUpResult> {
    const { ports, components, carried, signal, desk, storms, healer, settings, hold } = this.parts;
    const { emit } = ports;
    const runner = components.runner(spec.name);
    const tries = await Tries.begin(ports, spec.name, 'process');
    const pending: AppliedRun[] = carried.carriedFor(spec.name, 'process');
    let problem = first;
    let holds = 0;
    let keepsRunning = first?.symptom === 'smoke';
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (problem === null) {
        const launch = await ports.launchOf(spec);
        if (launch.skip) {
          emit({ type: 'component_skipped', component: spec.name, reason: 'left out: it is optional and its command is missing' });
          return { state: 'skipped', reason: 'its command is missing' };
        }
        if (!keepsRunning && runner.process !== null && !runner.process.wasAdopted) await runner.stop();
        emit({ type: 'component_starting', component: spec.name, attempt: round + 1 });
        const outcome = await runner.start(
          launch,
          signal,
          (handle) => components.remember(spec, handle, launch.specHash),
          () => desk.isClear(spec, runner, stage, tries.names),
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
      if (phase === 'runtime') storms.noteAgain();
      const captured = await desk.capture(spec, stage, problem, logOf(runner), '');
      if (await carried.tookBackAsked(spec, phase)) {
        problem = null;
        keepsRunning = false;
        continue;
      }
      await dropWhatDidNotHelp(pending, captured, healer.applied, signal);
      for (const run of await healer.relapses.takeBack(captured, spec, phase, signal)) tries.names.push(run.playbook);
      const down = await this.dependencies.down(spec);
      if (down.length > 0) {
        for (const dependency of down) await this.dependencies.bringUp(dependency, phase, stage);
        if (runner.isRunning() && (await this.proof.comesBack(spec, runner))) {
          problem = null;
          keepsRunning = true;
          continue;
        }
      }
      const mayAct = await tries.mayTry(settings.maxHealingAttempts);
      const asked = { captured, component: spec, phase, scope: 'process' as const, attempts: tries.names, signal, mayAct };
      const result = await healer.heal(asked);
      problem = null;
      keepsRunning = false;
      if (result?.state === 'applied') {
        tries.names.push(result.run.playbook);
        pending.push(result.run);
        keepsRunning = !result.run.restart;
      } else if (result?.state === 'failed') {
        tries.names.push(result.playbook);
      } else if (result?.state === 'busy') {
        await ports.clock.sleep(BUSY_MS, signal);
      } else if (result?.state === 'observed') {
        // The remedy only observes at run time; a restart is supervision and always allowed within its limits.
        const verdict = components.intensityOf(spec.name).next(ports.clock.monotonicMs());
        if (verdict.state === 'exhausted') return this.fail(spec, captured, pending, result.diagnosis.cause, tries);
        emit({ type: 'component_restarting', component: spec.name, delayMs: verdict.delayMs, reason: result.diagnosis.cause });
        await ports.clock.sleep(verdict.delayMs, signal);
      } else {
        const cause = result?.diagnosis.cause ?? captured.failure.message;
        const waitFor: WaitFor | null = result?.state === 'hold' ? result.waitFor : null;
        const mayHold =
          settings.hold === 'always' || (settings.hold === 'auto' && (waitFor !== null || result?.state === 'needs_approval'));
        if (!mayHold) return this.fail(spec, captured, pending, cause, tries);
        // Ready but not quite well is better than nothing while somebody is waited for.
        const isServing = captured.failure.symptom === 'smoke' && runner.isRunning();
        if (!isServing) await runner.stop();
        const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
        const suspects = await ports.suspectFiles(spec);
        emit({ type: 'held', component: spec.name, cause, waitingFor });
        const patienceMs = patienceMsAfter(holds++);
        const why =
          result?.state === 'needs_approval'
            ? await hold.approvalOrChange(result, spec)
            : await hold.waitForChange(waitFor, spec, patienceMs, suspects);
        emit({ type: 'component_waiting', component: spec.name, on: waitingFor, text: `trying again: ${why}` });
        keepsRunning = isServing;
        await tries.renew();
        round = 0;
      }
    }
    const last = desk.captured.at(-1);
    if (!last) throw new TypeError('a bring-up that ends without success has captured a failure');
    return this.fail(spec, last, pending, last.failure.message, tries);
  }

  private async fail(spec: ComponentSpec, captured: Captured, pending: AppliedRun[], cause: string, tries: Tries): Promise<BringUpResult> {
    const { healer, signal, components, ports } = this.parts;
    await tries.end();
    for (const run of pending.splice(0)) if (run.confidence < GUESS) await healer.applied.reject(run, 'the component still fails', signal);
    await components.runner(spec.name).stop();
    await ports.processes.remove(spec.name);
    return { state: 'failed', captured, cause };
  }

  private async settle(pending: AppliedRun[], withSmoke: boolean, untold: string | null): Promise<void> {
    const { fixes, components, healer, settings, unconfirmed } = this.parts;
    for (const run of pending.splice(0)) {
      fixes.push(`${run.component.name}: ${run.playbook}`);
      components.intensityOf(run.component.name).reset();
      if (untold !== null) await healer.applied.leaveOpen(run, untold);
      else if (withSmoke || settings.smoke.length === 0) await healer.applied.confirm(run);
      else unconfirmed.push(run); // stage 7 proves them
    }
  }
}
