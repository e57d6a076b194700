import { formatDuration, messageOf } from '../../kernel/index.ts';
import { approvalState, isExpiringSoon, type Phase } from '../governance/index.ts';
import type { ProbeResult, SmokeSpec } from '../health/index.ts';
import { commandsAfterRestart, type Captured, type WaitFor } from '../learning/index.ts';
import type { AttemptScope, PlaybookRun } from '../playbooks/index.ts';
import {
  ComponentRunner,
  RestartIntensity,
  type ComponentSpec,
  type Problem,
  type ProcessHandle,
  type ProcessRecord,
} from '../supervisor/index.ts';
import { Dependencies } from './dependencies.ts';
import { FailureDesk, logOf } from './failure-desk.ts';
import type { AppliedRun, Healer, HealResult } from './healer.ts';
import { SMOKE_PAUSE_MS, SmokeChecks } from './smoke-checks.ts';
import { StormWatch } from './storm-watch.ts';
import { Tries } from './tries.ts';
import type {
  BringUpResult,
  CheckFailure,
  CheckResult,
  RestartResult,
  SupervisionPorts,
  SupervisionSettings,
} from './supervision-ports.ts';
import { dropWhatDidNotHelp, GUESS } from './unproven-runs.ts';
import { describeWait, waitForCause } from './wait-for-cause.ts';

/** Tries of one bring-up, whatever they were for: a limit that nothing can talk its way around. */
const ROUNDS_MAX = 12;
/** Between a hold and the next try when nothing is seen to change. */
const PATIENCE_MS = [15_000, 30_000, 60_000, 120_000, 300_000];
const SMOKE_TRIES = 3;
const APPROVAL_LOOK_MS = 500;
/** Between two tries of a recovery that an error of Grace's own broke off. */
const BROKEN_OFF_MS = 2000;
/** Between two looks whether the playbook that acts on a component has ended; as many as a bring-up has rounds. */
const BUSY_MS = 2000;
/** Time an application gets to find its way back after its dependency did. */
const REJOIN_MS = 6000;

/** Keeps the components of one service up: starts them, heals what fails, watches, recovers, stops. */
export class Supervision {
  readonly runners = new Map<string, ComponentRunner>();
  /** Playbooks that ran and are not proven yet. */
  readonly unconfirmed: AppliedRun[] = [];
  /** `component: playbook` of every fix that was not undone, oldest first. */
  readonly fixes: string[] = [];
  readonly smoke: SmokeChecks;
  readonly desk: FailureDesk;
  private carried: (AppliedRun & { readonly scope: AttemptScope })[] = [];
  private asked: readonly PlaybookRun[] = [];
  private readonly storms: StormWatch;
  private readonly dependencies: Dependencies;
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly healer: Healer;
  private readonly intensity = new Map<string, RestartIntensity>();
  private readonly recovering = new Map<string, Promise<void>>();
  /** Ends the wait before the next try of a recovery. */
  private readonly hurries = new Map<string, (why: string) => void>();
  private readonly signal: AbortSignal;
  private smokeLoops = new AbortController();

  constructor(ports: SupervisionPorts, settings: SupervisionSettings, healer: Healer, signal: AbortSignal) {
    this.ports = ports;
    this.settings = settings;
    this.healer = healer;
    this.signal = signal;
    this.smoke = new SmokeChecks(ports, settings, signal);
    this.desk = new FailureDesk(ports, settings, this.runners);
    this.storms = new StormWatch(ports, settings.components.length);
    this.dependencies = new Dependencies(ports, settings, healer, this.desk, this.fixes, signal);
    for (const spec of settings.components) {
      if (spec.kind === 'process') this.runners.set(spec.name, new ComponentRunner(spec, ports));
      this.intensity.set(spec.name, new RestartIntensity(spec.restart));
    }
  }

  spec(name: string): ComponentSpec {
    const found = this.settings.components.find((c) => c.name === name);
    if (!found) throw new TypeError(`no component ${name}`);
    return found;
  }

  /**
   * Takes over what an earlier Grace left running, and ends what must not run beside it: other versions of a component,
   * and components that are no longer configured.
   */
  async reconcile(): Promise<{ readonly adopted: readonly string[]; readonly ended: readonly string[] }> {
    const { processes, host } = this.ports;
    const adopted: string[] = [];
    const ended: string[] = [];
    const records = new Map((await processes.list()).map((r) => [r.component, r]));
    const names = [...new Set([...records.keys(), ...this.runners.keys()])];
    const left = host.leftOvers(names);
    for (const name of names) {
      const runner = this.runners.get(name);
      const found = records.get(name);
      if (runner && found && host.isAlive(found.identity)) {
        const launch = await this.ports.launchOf(runner.spec);
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
      ? this.dependencies.bringUp(spec, phase, stage, this.carriedFor(name, 'process'))
      : this.bringUpProcess(spec, phase, stage, first, withSmoke);
  }

  private async bringUpProcess(
    spec: ComponentSpec,
    phase: Phase,
    stage: string,
    first: Problem | null,
    withSmoke: boolean,
  ): Promise<BringUpResult> {
    const { emit } = this.ports;
    const runner = this.runner(spec.name);
    const tries = await Tries.begin(this.ports, spec.name, 'process');
    const pending: AppliedRun[] = this.carriedFor(spec.name, 'process');
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
          (handle) => this.remember(spec, handle, launch.specHash),
          () => this.desk.isClear(spec, runner, stage, tries.names),
        );
        if (outcome.state === 'completed') {
          await tries.end();
          return outcome;
        }
        const proof = outcome.state === 'failed' ? outcome.problem : await this.prove(spec, runner, pending, withSmoke);
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
      if (await this.tookBackAsked(spec, phase)) {
        problem = null;
        keepsRunning = false;
        continue;
      }
      await dropWhatDidNotHelp(pending, captured, this.healer, this.signal);
      for (const run of await this.healer.relapsed(captured, spec, phase, this.signal)) tries.names.push(run.playbook);
      const down = await this.dependencies.down(spec);
      if (down.length > 0) {
        for (const dependency of down) await this.dependencies.bringUp(dependency, phase, stage);
        if (runner.isRunning() && (await this.comesBack(spec, runner))) {
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
        const verdict = this.intensityOf(spec.name).next(this.ports.clock.monotonicMs());
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
        const patienceMs = PATIENCE_MS[Math.min(holds++, PATIENCE_MS.length - 1)] ?? 60_000;
        const why =
          result?.state === 'needs_approval'
            ? await this.approvalOrChange(result, spec)
            : await this.waitForChange(waitFor, spec, patienceMs, suspects);
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
      if (run.confidence < GUESS) await this.healer.reject(run, 'the component still fails', this.signal);
    await this.runner(spec.name).stop();
    await this.ports.processes.remove(spec.name);
    return { state: 'failed', captured, cause };
  }

  /**
   * After a fix, ready is not enough: it must stay so for the soak time, and really work. What could not be looked at is no proof.
   * @returns null when it holds; what is wrong; or, as a text, why nothing can be told
   */
  private async prove(
    spec: ComponentSpec,
    runner: ComponentRunner,
    pending: readonly AppliedRun[],
    withSmoke: boolean,
  ): Promise<Problem | string | null> {
    const { clock } = this.ports;
    const startedMs = clock.monotonicMs();
    let untold: string | null = null;
    if (pending.length > 0 || this.asked.some((run) => run.component === spec.name)) {
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

  /** A look that could not be carried out is repeated: what it would have said is worth a moment. */
  private async readyVerdict(runner: ComponentRunner): Promise<Pick<ProbeResult, 'outcome' | 'detail'>> {
    for (let look = 1; ; look++) {
      const seen = await runner.readyNow();
      if (seen.outcome !== 'unknown' || look >= SMOKE_TRIES) return seen;
      await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
    }
  }

  private async settle(pending: AppliedRun[], withSmoke: boolean, untold: string | null): Promise<void> {
    for (const run of pending.splice(0)) {
      this.fixes.push(`${run.component.name}: ${run.playbook}`);
      this.intensityOf(run.component.name).reset();
      if (untold !== null) await this.healer.leaveOpen(run, untold);
      else if (withSmoke || this.settings.smoke.length === 0) await this.healer.confirm(run);
      else this.unconfirmed.push(run); // stage 7 proves them
    }
  }

  /** Fixes of an earlier Grace that nobody has proven: what a component does now proves them, or takes them back. */
  carryOver(runs: readonly (AppliedRun & { readonly scope: AttemptScope })[]): void {
    this.carried.push(...runs);
  }

  /** Rollbacks that people asked for: likewise, whatever it is that fails then. */
  carryAsked(runs: readonly PlaybookRun[]): void {
    this.asked = runs;
  }

  /** @returns whether something was taken back: then it is another release that is tried next */
  private async tookBackAsked(spec: ComponentSpec, phase: Phase): Promise<boolean> {
    if (!this.healer.mayTakeBack(phase)) return false;
    const mine = this.asked.filter((run) => run.component === spec.name);
    this.asked = this.asked.filter((run) => !mine.includes(run));
    for (const run of mine.toReversed()) await this.healer.takeBackAsked(run, spec, this.signal);
    return mine.length > 0;
  }

  private carriedFor(component: string, scope: AttemptScope): AppliedRun[] {
    const mine = this.carried.filter((r) => r.component.name === component && r.scope === scope);
    this.carried = this.carried.filter((r) => !mine.includes(r));
    return mine;
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
    const scope = `check ${stage}` as const;
    // Looking remembers nothing.
    const tries = this.settings.isDryRun ? null : await Tries.begin(this.ports, spec.name, scope);
    const pending: AppliedRun[] = this.carriedFor(spec.name, scope);
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
      if (tries !== null && phase === 'runtime' && this.recovering.has(spec.name))
        return this.askLater(`${spec.name} is being recovered`, wrong, tries, pending, fixes);
      if (tries === null)
        return { state: 'failed', ...(await this.desk.causeOf(spec, stage, problem, wrong.facts)), seen: wrong.message, fixes };
      this.ports.emit({ type: 'component_failed', component: spec.name, symptom: 'check', message: wrong.message });
      const captured = await this.desk.capture(spec, stage, problem, null, '', wrong.facts);
      if (await this.tookBackAsked(spec, phase)) continue;
      await dropWhatDidNotHelp(pending, captured, this.healer, this.signal);
      for (const run of await this.healer.relapsed(captured, spec, phase, this.signal)) tries.names.push(run.playbook);
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
          if (run.confidence < GUESS) await this.healer.reject(run, 'the check still fails', this.signal);
          else if (phase === 'runtime') await this.healer.leaveOpen(run, 'something else is wrong with the component now');
        const approval = result?.state === 'needs_approval' ? result.approval : null;
        return { state: 'failed', cause, seen: wrong.message, advice: result?.diagnosis.advice ?? [], fixes, approval, wasTried };
      }
      const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
      const suspects = await this.ports.suspectFiles(spec);
      this.ports.emit({ type: 'held', component: spec.name, cause, waitingFor });
      const patienceMs = PATIENCE_MS[Math.min(holds++, PATIENCE_MS.length - 1)] ?? 60_000;
      if (result?.state === 'needs_approval') await this.approvalOrChange(result, spec);
      else await this.waitForChange(waitFor, spec, patienceMs, suspects);
      await tries.renew();
    }
  }

  /**
   * Proves what was done at run time, where no stage comes after it: the component is ready still, and the whole service works. What
   * could not be looked at leaves it to the next boot.
   */
  private async proveNow(spec: ComponentSpec, pending: AppliedRun[], fixes: string[]): Promise<CheckResult> {
    if (pending.length === 0) return { state: 'passed', fixes };
    const { wrong, untold } = await this.worksNow(spec);
    for (const run of pending.splice(0).toReversed()) {
      if (wrong !== null) {
        await this.healer.reject(run, wrong, this.signal);
        continue;
      }
      if (untold === null) await this.healer.confirm(run);
      else await this.healer.leaveOpen(run, untold);
      this.fixes.push(`${spec.name}: ${run.playbook}`);
      fixes.unshift(run.playbook);
    }
    return wrong === null ? { state: 'passed', fixes } : { state: 'failed', cause: wrong, seen: wrong, advice: [], fixes, wasTried: true };
  }

  private async worksNow(spec: ComponentSpec): Promise<{ readonly wrong: string | null; readonly untold: string | null }> {
    const recovered = { wrong: null, untold: `${spec.name} was being recovered` };
    if (this.recovering.has(spec.name)) return recovered;
    const runner = this.runners.get(spec.name);
    const ready = runner?.isRunning() === true ? await this.readyVerdict(runner) : null;
    const judged = await this.smoke.judge(
      this.settings.smoke.filter(({ critical }) => critical),
      SMOKE_TRIES,
    );
    // A service that is just being started again says nothing about what was done before.
    if (this.recovering.has(spec.name)) return recovered;
    if (ready?.outcome === 'fail') return { wrong: `it is not ready any more: ${ready.detail}`, untold: null };
    if (judged.verdict === 'fail')
      return { wrong: `smoke check "${judged.smoke.name}" fails with it: ${judged.result.detail}`, untold: null };
    if (judged.verdict === 'inconclusive')
      return { wrong: null, untold: `smoke check "${judged.smoke.name}" could not be carried out: ${judged.result.detail}` };
    return { wrong: null, untold: ready?.outcome === 'unknown' ? `its readiness could not be looked at: ${ready.detail}` : null };
  }

  /** Something else acts on the component just now: nobody can tell whose doing it is what a check sees. */
  private async askLater(why: string, wrong: CheckFailure, tries: Tries, pending: AppliedRun[], fixes: string[]): Promise<CheckResult> {
    await tries.end();
    for (const run of pending.splice(0)) await this.healer.leaveOpen(run, why);
    return { state: 'failed', cause: why, seen: wrong.message, advice: [], fixes, isBusy: true };
  }

  /** Whether a recovery of this component is going on. */
  isRecovering(name: string): boolean {
    return this.recovering.has(name);
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
    for (const run of [...this.unconfirmed.splice(0), ...this.carried.splice(0)])
      await (untold === null ? this.healer.confirm(run) : this.healer.leaveOpen(run, untold));
    // This boot is over: what fails from here on is no word on what people had asked for before it. Untold, the next boot proves it.
    const asked = this.asked;
    this.asked = [];
    if (untold === null) await this.healer.confirmPrevention();
    else await this.healer.leaveAskedOpen(asked, untold);
  }

  /** Whether it gets well by itself once what it needs is back. */
  private async comesBack(spec: ComponentSpec, runner: ComponentRunner): Promise<boolean> {
    const deadlineMs = this.ports.clock.monotonicMs() + REJOIN_MS;
    while (this.ports.clock.monotonicMs() < deadlineMs && runner.isRunning()) {
      if ((await runner.isReadyNow()) && (await this.smoke.failed(this.smoke.of(spec.name), 1)) === null) return true;
      await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
    }
    return false;
  }

  /**
   * What differs from the last good boot is what somebody will mend first: a change there ends the wait as well.
   * @param suspects   taken before it was said that Grace waits: whoever reads that is quick
   */
  private waitForChange(waitFor: WaitFor | null, spec: ComponentSpec, patienceMs: number, suspects: readonly string[]): Promise<string> {
    return waitForCause(waitFor, spec, patienceMs, { ...this.ports, host: this.ports.view }, this.signal, suspects);
  }

  /** Whoever is asked may mend it by hand instead of answering, and a cause may go away: that is noticed as well. */
  private async approvalOrChange(asked: Extract<HealResult, { state: 'needs_approval' }>, spec: ComponentSpec): Promise<string> {
    const decided = new AbortController();
    const signal = AbortSignal.any([this.signal, decided.signal]);
    const ports = { ...this.ports, host: this.ports.view };
    try {
      // Without an answer and without a change a new try would only ask again.
      const change = waitForCause(asked.diagnosis.waitFor, spec, Infinity, ports, signal, asked.watch);
      return await Promise.race([this.approvalOf(asked.approval, signal), change]);
    } finally {
      decided.abort();
    }
  }

  private async approvalOf(id: string, signal: AbortSignal): Promise<string> {
    let isWarned = false;
    for (;;) {
      await this.ports.clock.sleep(APPROVAL_LOOK_MS, signal);
      const approval = await this.ports.approvals.get(id);
      const state = approval === null ? 'expired' : approvalState(approval, this.ports.clock.nowMs());
      if (state !== 'pending') return `${id} was ${state}`;
      if (isWarned || approval === null || !isExpiringSoon(approval, this.ports.clock.nowMs())) continue;
      isWarned = true;
      const { component, playbook, expiresAtMs } = approval;
      this.ports.emit({ type: 'approval_expiring', component, playbook, approval: id, expiresAtMs });
    }
  }

  /** Watches everything that is up; problems are recovered from one at a time per component. */
  watchAll(): void {
    for (const [name, runner] of this.runners) if (runner.isRunning()) this.watch(name, runner);
    for (const spec of this.settings.components) if (spec.kind === 'dependency') void this.watchDependency(spec).catch(() => undefined); // aborted
    this.smokeLoops.abort();
    this.smokeLoops = new AbortController();
    void this.storms.watch(AbortSignal.any([this.signal, this.smokeLoops.signal])).catch(() => undefined); // aborted
    for (const smoke of this.settings.smoke) if (smoke.everyMs !== null) void this.repeatSmoke(smoke, smoke.everyMs).catch(() => undefined); // aborted
  }

  private watch(name: string, runner: ComponentRunner): void {
    runner.watch((problem) => void this.recover(name, problem));
  }

  private async watchDependency(spec: ComponentSpec): Promise<void> {
    const probe = spec.liveness ?? spec.readiness;
    for (let failures = 0; ;) {
      await this.ports.clock.sleep(probe?.intervalMs ?? 2000, this.signal);
      if (this.recovering.has(spec.name)) continue;
      if (await this.dependencies.answers(spec)) failures = 0;
      else if (++failures >= (probe?.failureThreshold ?? 2)) {
        failures = 0;
        await this.guarded(spec.name, async () => {
          await this.storms.note(spec.name);
          this.ports.emit({
            type: 'component_failed',
            component: spec.name,
            symptom: 'dependency',
            message: `${spec.name} does not answer any more`,
          });
          await this.dependencies.bringUp(spec, 'runtime', 'runtime');
        });
      }
    }
  }

  private async repeatSmoke(smoke: SmokeSpec, everyMs: number): Promise<void> {
    const stop = AbortSignal.any([this.signal, this.smokeLoops.signal]);
    for (;;) {
      await this.ports.clock.sleep(everyMs, stop);
      const name = this.smoke.blamed(smoke);
      if (name === null || this.recovering.has(name)) continue;
      const runner = this.runners.get(name);
      if (!runner?.isRunning()) continue;
      const failed = await this.smoke.failed([smoke], 2);
      if (failed === null || stop.aborted || this.recovering.has(name)) continue;
      await this.recover(
        name,
        runner.problem('smoke', `smoke check "${smoke.name}" failed: ${failed.result.detail}`, 0, { detail: failed.result.detail }),
      );
    }
  }

  /** One recovery per component at a time. */
  private async guarded(name: string, work: () => Promise<void>): Promise<void> {
    if (this.recovering.has(name) || this.signal.aborted) return;
    const running = work().catch((error: unknown) => {
      if (!this.signal.aborted)
        this.ports.emit({ type: 'notice', level: 'error', text: `recovery of ${name} broke off: ${messageOf(error)}` });
    });
    this.recovering.set(name, running);
    await running;
    this.recovering.delete(name);
  }

  private async recover(name: string, problem: Problem): Promise<void> {
    const spec = this.spec(name);
    const runner = this.runner(name);
    let isUp = false;
    await this.guarded(name, async () => {
      await this.storms.note(name);
      if (problem.symptom === 'exit' && !mayRestart(spec, problem)) {
        this.ports.emit({ type: 'component_stopped', component: name, killed: false });
        await this.ports.processes.remove(name);
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
    const runner = this.runner(name);
    if (this.recovering.has(name)) return { state: 'busy', detail: `${name} is being recovered already` };
    let result: BringUpResult | null = null;
    await this.guarded(name, async () => {
      this.ports.emit({ type: 'component_restarting', component: name, delayMs: 0, reason: why });
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
    for (const [name, runner] of this.runners) {
      const isIdle = runner.process !== null && !runner.isRunning() && !this.recovering.has(name);
      if (isIdle && runner.spec.restart.policy === 'always')
        await this.recover(name, runner.problem('exit', 'it does not run, though it should', 0));
    }
  }

  /** What breaks a recovery off (a locked store, a full disk) passes: a component must not stay down and unwatched for it. */
  private async untilItEnds(name: string, first: () => Promise<boolean>, again: () => Promise<boolean>): Promise<boolean> {
    for (let work = first; ; work = again) {
      try {
        return await work();
      } catch (error) {
        this.signal.throwIfAborted();
        this.ports.emit({ type: 'notice', level: 'error', text: `recovery of ${name} broke off: ${messageOf(error)}; trying again` });
        await this.ports.clock.sleep(BROKEN_OFF_MS, this.signal);
      }
    }
  }

  /** Most crashes are single ones: start again first, ask afterwards. @returns whether it is ready again */
  private async restartAtOnce(spec: ComponentSpec, runner: ComponentRunner, problem: Problem): Promise<boolean> {
    const { clock, emit } = this.ports;
    // Its output ends here: what follows in the log is the next run's.
    const log = logOf(runner, (await this.ports.files.stat(spec.logFile))?.sizeBytes);
    const verdict = this.intensityOf(spec.name).next(clock.monotonicMs());
    emit({ type: 'component_failed', component: spec.name, symptom: problem.symptom, message: problem.message });
    if (verdict.state === 'exhausted') return false;
    if (verdict.delayMs > 0) {
      emit({ type: 'component_restarting', component: spec.name, delayMs: verdict.delayMs, reason: problem.message });
      await clock.sleep(verdict.delayMs, this.signal);
    }
    const launch = await this.ports.launchOf(spec);
    emit({ type: 'component_starting', component: spec.name, attempt: 1 });
    const outcome = await runner.start(
      launch,
      this.signal,
      (handle) => this.remember(spec, handle, launch.specHash),
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
    const captured = await this.desk.capture(spec, 'runtime', problem, log, '');
    const cause = captured.failure.headline === '' ? problem.message : captured.failure.headline;
    await this.ports.capture.incidents.savePattern({ ...captured.pattern, familyName: 'crash', rootCause: cause });
    await this.ports.capture.incidents.saveExplanation({
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
      commands: commandsAfterRestart(spec, this.settings.projectDir),
    });
    return true;
  }

  /** Heals until it is ready and works; after that fails, tries again slowly, and at once when something changes. */
  private async bringBack(spec: ComponentSpec, runner: ComponentRunner, problem: Problem | null): Promise<boolean> {
    const { emit } = this.ports;
    let current: Problem | null = problem;
    for (let round = 0; ; round++) {
      const result = await this.bringUp(spec.name, 'runtime', 'runtime', current, true);
      if (result.state === 'ready') return true;
      if (result.state !== 'failed') return false;
      const patienceMs = PATIENCE_MS[Math.min(round, PATIENCE_MS.length - 1)] ?? 60_000;
      const suspects = await this.ports.suspectFiles(spec);
      emit({
        type: 'held',
        component: spec.name,
        cause: result.cause,
        waitingFor: `a change of its files, or ${formatDuration(patienceMs)}`,
      });
      await this.waitUntilHurried(spec, patienceMs, suspects);
      current = runner.isRunning() ? current : null;
    }
  }

  private async waitUntilHurried(spec: ComponentSpec, patienceMs: number, suspects: readonly string[]): Promise<void> {
    const hurried = new AbortController();
    const ports = { ...this.ports, host: this.ports.view };
    const change = waitForCause(null, spec, patienceMs, ports, AbortSignal.any([this.signal, hurried.signal]), suspects);
    const asked = new Promise<string>((resolve) => this.hurries.set(spec.name, resolve));
    try {
      await Promise.race([change, asked]);
    } finally {
      this.hurries.delete(spec.name);
      hurried.abort();
      await change.catch(() => undefined); // it was ended here, or has said so already
    }
  }

  /** What a recovery that waits before its next try may have waited for is there: it tries again now. */
  hurry(name: string, why: string): void {
    this.hurries.get(name)?.(why);
  }

  private async remember(spec: ComponentSpec, handle: ProcessHandle, specHash: string): Promise<void> {
    const entry: ProcessRecord = {
      component: spec.name,
      identity: handle.identity,
      specHash,
      launchedAtMs: handle.launchedAtMs,
      logOffset: handle.logOffset,
      uid: null,
    };
    await this.ports.processes.save(entry);
  }

  /** Stops everything in reverse order of dependence. */
  async stopAll(order: readonly (readonly ComponentSpec[])[]): Promise<void> {
    this.smokeLoops.abort();
    for (const layer of order.toReversed()) {
      await Promise.all(
        layer.map(async (spec) => {
          const runner = this.runners.get(spec.name);
          if (!runner) return;
          const { killed, count } = await runner.stop();
          // A record that stays is known by its identity to be of nobody: it must not keep the next one from being stopped.
          await this.ports.processes.remove(spec.name).catch(() => undefined);
          if (count > 0) this.ports.emit({ type: 'component_stopped', component: spec.name, killed });
        }),
      );
    }
  }

  runner(name: string): ComponentRunner {
    const runner = this.runners.get(name);
    if (!runner) throw new TypeError(`${name} is not a process`);
    return runner;
  }

  private intensityOf(name: string): RestartIntensity {
    const intensity = this.intensity.get(name);
    if (!intensity) throw new TypeError(`no component ${name}`);
    return intensity;
  }
}

/** What its restart policy says of a process that has ended. */
function mayRestart(spec: ComponentSpec, problem: Problem): boolean {
  return spec.restart.policy === 'always' || (spec.restart.policy === 'on_failure' && problem.exit?.exitCode !== 0);
}
