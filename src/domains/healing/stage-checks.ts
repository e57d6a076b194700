import type { Phase } from '../governance/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';
import { patienceMsAfter } from './hold.ts';
import type { AppliedRun } from './applied-runs.ts';
import { BUSY_MS, ROUNDS_MAX, type BringUpParts } from './process-bring-up.ts';
import type { CheckFailure, CheckResult } from './supervision-ports.ts';
import { Tries } from './tries.ts';
import { dropWhatDidNotHelp, GUESS } from './unproven-runs.ts';
import { describeWait } from './wait-for-cause.ts';

/** Makes the checks of the stages pass, healing what they find. */
export class StageChecks {
  private readonly ports: BringUpParts['ports'];
  private readonly settings: BringUpParts['settings'];
  private readonly healer: BringUpParts['healer'];
  private readonly carried: BringUpParts['carried'];
  private readonly desk: BringUpParts['desk'];
  private readonly proof: BringUpParts['proof'];
  private readonly hold: BringUpParts['hold'];
  private readonly unconfirmed: BringUpParts['unconfirmed'];
  private readonly fixes: BringUpParts['fixes'];
  private readonly signal: BringUpParts['signal'];
  private readonly isRecovering: (component: string) => boolean;

  constructor(parts: BringUpParts, isRecovering: (component: string) => boolean) {
    this.ports = parts.ports;
    this.settings = parts.settings;
    this.healer = parts.healer;
    this.carried = parts.carried;
    this.desk = parts.desk;
    this.proof = parts.proof;
    this.hold = parts.hold;
    this.unconfirmed = parts.unconfirmed;
    this.fixes = parts.fixes;
    this.signal = parts.signal;
    this.isRecovering = isRecovering;
  }

  /**
   * Makes a check of a stage pass: what it finds wrong is captured, diagnosed and healed like any failure of the component.
   * @param look   null when all is well
   * @param phase  at run time nobody waits for a person, and the policy for run time decides
   */
  async pass(spec: ComponentSpec, stage: string, look: () => Promise<CheckFailure | null>, phase: Phase): Promise<CheckResult> {
    const scope = `check ${stage}` as const;
    // Looking remembers nothing.
    const tries = this.settings.isDryRun ? null : await Tries.begin(this.ports, spec.name, scope);
    const pending: AppliedRun[] = this.carried.carriedFor(spec.name, scope);
    const fixes: string[] = [];
    let wasBusy = 0;
    for (let holds = 0; ;) {
      let wrong = await look();
      if (wrong === null && phase === 'runtime' && pending.length > 0) {
        // What holds for a moment only has not helped, and at run time no later stage would see it.
        await this.ports.clock.sleep(spec.soakMs, this.signal);
        wrong = await look();
      }
      if (wrong === null && phase === 'runtime') {
        await tries?.end();
        return this.proveNow(spec, pending, fixes);
      }
      if (wrong === null) {
        await tries?.end();
        for (const run of pending.splice(0)) {
          this.unconfirmed.push(run);
          this.fixes.push(`${spec.name}: ${run.playbook}`);
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
        return { state: 'failed', ...(await this.desk.causeOf(spec, stage, problem, wrong.facts)), seen: wrong.message, fixes };
      this.ports.emit({ type: 'component_failed', component: spec.name, symptom: 'check', message: wrong.message });
      const captured = await this.desk.capture(spec, stage, problem, null, '', wrong.facts);
      if (await this.carried.tookBackAsked(spec, phase)) continue;
      await dropWhatDidNotHelp(pending, captured, this.healer.applied, this.signal);
      for (const run of await this.healer.relapses.takeBack(captured, spec, phase, this.signal)) tries.names.push(run.playbook);
      const mayAct = await tries.mayTry(this.settings.maxHealingAttempts);
      const asked = { captured, component: spec, phase, scope, attempts: tries.names, signal: this.signal, mayAct };
      const result = await this.healer.heal(asked);
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
        await this.ports.clock.sleep(BUSY_MS, this.signal);
        continue;
      }
      const cause = result?.diagnosis.cause ?? wrong.message;
      const waitFor = result?.state === 'hold' ? result.waitFor : null;
      const mayHold =
        phase === 'boot' &&
        (this.settings.hold === 'always' || (this.settings.hold === 'auto' && (waitFor !== null || result?.state === 'needs_approval')));
      if (!mayHold || !wrong.mustPass) {
        const wasTried = tries.names.length > 0;
        await tries.end();
        for (const run of pending.splice(0))
          if (run.confidence < GUESS) await this.healer.applied.reject(run, 'the check still fails', this.signal);
          else if (phase === 'runtime') await this.healer.applied.leaveOpen(run, 'something else is wrong with the component now');
        const approval = result?.state === 'needs_approval' ? result.approval : null;
        return { state: 'failed', cause, seen: wrong.message, advice: result?.diagnosis.advice ?? [], fixes, approval, wasTried };
      }
      const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
      const suspects = await this.ports.suspectFiles(spec);
      this.ports.emit({ type: 'held', component: spec.name, cause, waitingFor });
      const patienceMs = patienceMsAfter(holds++);
      if (result?.state === 'needs_approval') await this.hold.approvalOrChange(result, spec);
      else await this.hold.waitForChange(waitFor, spec, patienceMs, suspects);
      await tries.renew();
    }
  }

  /**
   * Proves what was done at run time, where no stage comes after it: the component is ready still, and the whole service works. What
   * could not be looked at leaves it to the next boot.
   */
  private async proveNow(spec: ComponentSpec, pending: AppliedRun[], fixes: string[]): Promise<CheckResult> {
    if (pending.length === 0) return { state: 'passed', fixes };
    const { wrong, untold } = await this.proof.worksNow(spec);
    for (const run of pending.splice(0).toReversed()) {
      if (wrong !== null) {
        await this.healer.applied.reject(run, wrong, this.signal);
        continue;
      }
      if (untold === null) await this.healer.applied.confirm(run);
      else await this.healer.applied.leaveOpen(run, untold);
      this.fixes.push(`${spec.name}: ${run.playbook}`);
      fixes.unshift(run.playbook);
    }
    return wrong === null ? { state: 'passed', fixes } : { state: 'failed', cause: wrong, seen: wrong, advice: [], fixes, wasTried: true };
  }

  /** Something else acts on the component just now: nobody can tell whose doing it is what a check sees. */
  private async askLater(why: string, wrong: CheckFailure, tries: Tries, pending: AppliedRun[], fixes: string[]): Promise<CheckResult> {
    await tries.end();
    for (const run of pending.splice(0)) await this.healer.applied.leaveOpen(run, why);
    return { state: 'failed', cause: why, seen: wrong.message, advice: [], fixes, isBusy: true };
  }
}
