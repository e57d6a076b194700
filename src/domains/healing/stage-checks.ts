import type { Phase } from '../governance/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import type { AppliedRun } from './applied-runs.ts';
import { patienceMsAfter } from './hold.ts';
import { BUSY_MS, ROUNDS_MAX } from './process-bring-up.ts';
import type { Proof } from './proof.ts';
import type { SupervisionParts } from './supervision-parts.ts';
import type { CheckFailure, CheckResult } from './supervision-ports.ts';
import { Tries } from './tries.ts';
import { dropWhatDidNotHelp, GUESS } from './unproven-runs.ts';
import { describeWait } from './wait-for-cause.ts';

/** Makes the checks of the stages pass, healing what they find. */
export class StageChecks {
  private readonly parts: Pick<
    SupervisionParts,
    'ports' | 'settings' | 'healer' | 'desk' | 'carried' | 'hold' | 'unconfirmed' | 'fixes' | 'signal'
  >;
  private readonly proof: Proof;
  private readonly isRecovering: (component: string) => boolean;

  constructor(parts: StageChecks['parts'], proof: Proof, isRecovering: (component: string) => boolean) {
    this.parts = parts;
    this.proof = proof;
    this.isRecovering = isRecovering;
  }

  /**
   * Makes a check of a stage pass: what it finds wrong is captured, diagnosed and healed like any failure of the component.
   * @param look   null when all is well
   * @param phase  at run time nobody waits for a person, and the policy for run time decides
   */
  async pass(spec: ComponentSpec, stage: string, look: () => Promise<CheckFailure | null>, phase: Phase): Promise<CheckResult> {
    const { settings, ports, carried, signal, unconfirmed, desk, healer, hold } = this.parts;
    const scope = `check ${stage}` as const;
    // Looking remembers nothing.
    const tries = settings.isDryRun ? null : await Tries.begin(ports, spec.name, scope);
    const pending: AppliedRun[] = carried.carriedFor(spec.name, scope);
    const fixes: string[] = [];
    let wasBusy = 0;
    for (let holds = 0; ;) {
      let wrong = await look();
      if (wrong === null && phase === 'runtime' && pending.length > 0) {
        // What holds for a moment only has not helped, and at run time no later stage would see it.
        await ports.clock.sleep(spec.soakMs, signal);
        wrong = await look();
      }
      if (wrong === null && phase === 'runtime') {
        await tries?.end();
        return this.proveNow(spec, pending, fixes);
      }
      if (wrong === null) {
        await tries?.end();
        for (const run of pending.splice(0)) {
          unconfirmed.push(run);
          this.parts.fixes.push(`${spec.name}: ${run.playbook}`);
          fixes.push(run.playbook);
        }
        return { state: 'passed', fixes };
      }
      const problem: Problem = {
        symptom: 'check',
        message: wrong.message,
        exit: null,
        spawnCode: null,
        afterMs: null,
        probeDetail: '',
        vitals: null,
      };
      if (tries !== null && phase === 'runtime' && this.isRecovering(spec.name))
        return this.askLater(`${spec.name} is being recovered`, wrong, tries, pending, fixes);
      if (tries === null)
        return { state: 'failed', ...(await desk.causeOf(spec, stage, problem, wrong.facts)), seen: wrong.message, fixes };
      ports.emit({ type: 'component_failed', component: spec.name, symptom: 'check', message: wrong.message });
      const captured = await desk.capture(spec, stage, problem, null, '', wrong.facts);
      if (await carried.tookBackAsked(spec, phase)) continue;
      await dropWhatDidNotHelp(pending, captured, healer.applied, signal);
      for (const run of await healer.relapses.takeBack(captured, spec, phase, signal)) tries.names.push(run.playbook);
      const mayAct = await tries.mayTry(settings.maxHealingAttempts);
      const asked = { captured, component: spec, phase, scope, attempts: tries.names, signal, mayAct };
      const result = await healer.heal(asked);
      if (result?.state === 'applied') {
        tries.names.push(result.run.playbook);
        pending.push(result.run);
        continue;
      }
      if (result?.state === 'failed') {
        tries.names.push(result.playbook);
        continue;
      }
      if (result?.state === 'busy' && phase === 'runtime') return this.askLater(result.reason, wrong, tries, pending, fixes);
      if (result?.state === 'busy' && wasBusy++ < ROUNDS_MAX) {
        await ports.clock.sleep(BUSY_MS, signal);
        continue;
      }
      const cause = result?.diagnosis.cause ?? wrong.message;
      const waitFor = result?.state === 'hold' ? result.waitFor : null;
      const mayHold =
        phase === 'boot' &&
        (settings.hold === 'always' || (settings.hold === 'auto' && (waitFor !== null || result?.state === 'needs_approval')));
      if (!mayHold || !wrong.mustPass) {
        const wasTried = tries.names.length > 0;
        await tries.end();
        for (const run of pending.splice(0))
          if (run.confidence < GUESS) await healer.applied.reject(run, 'the check still fails', signal);
          else if (phase === 'runtime') await healer.applied.leaveOpen(run, 'something else is wrong with the component now');
        const approval = result?.state === 'needs_approval' ? result.approval : null;
        return { state: 'failed', cause, seen: wrong.message, advice: result?.diagnosis.advice ?? [], fixes, approval, wasTried };
      }
      const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
      const suspects = await ports.suspectFiles(spec);
      ports.emit({ type: 'held', component: spec.name, cause, waitingFor });
      const patienceMs = patienceMsAfter(holds++);
      if (result?.state === 'needs_approval') await hold.approvalOrChange(result, spec);
      else await hold.waitForChange(waitFor, spec, patienceMs, suspects);
      await tries.renew();
    }
  }

  /**
   * Proves what was done at run time, where no stage comes after it: the component is ready still, and the whole service works. What
   * could not be looked at leaves it to the next boot.
   */
  private async proveNow(spec: ComponentSpec, pending: AppliedRun[], fixes: string[]): Promise<CheckResult> {
    const { healer, signal } = this.parts;
    if (pending.length === 0) return { state: 'passed', fixes };
    const { wrong, untold } = await this.proof.worksNow(spec);
    for (const run of pending.splice(0).toReversed()) {
      if (wrong !== null) {
        await healer.applied.reject(run, wrong, signal);
        continue;
      }
      if (untold === null) await healer.applied.confirm(run);
      else await healer.applied.leaveOpen(run, untold);
      this.parts.fixes.push(`${spec.name}: ${run.playbook}`);
      fixes.unshift(run.playbook);
    }
    return wrong === null ? { state: 'passed', fixes } : { state: 'failed', cause: wrong, seen: wrong, advice: [], fixes, wasTried: true };
  }

  /** Something else acts on the component just now: nobody can tell whose doing it is what a check sees. */
  private async askLater(why: string, wrong: CheckFailure, tries: Tries, pending: AppliedRun[], fixes: string[]): Promise<CheckResult> {
    await tries.end();
    for (const run of pending.splice(0)) await this.parts.healer.applied.leaveOpen(run, why);
    return { state: 'failed', cause: why, seen: wrong.message, advice: [], fixes, isBusy: true };
  }
}
