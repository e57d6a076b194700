import {
  formatDuration,
  messageOf,
  type BootId,
  type Clock,
  type Files,
  type JsonObject,
  type Logger,
  type Spawner,
} from '../../kernel/index.ts';
import { approvalState, type ApprovalStore, type Phase } from '../governance/index.ts';
import type { ProbeResult, Prober, SmokeSpec } from '../health/index.ts';
import { describeTarget } from '../health/index.ts';
import type { Fact, Failure } from '../incidents/index.ts';
import {
  diagnose,
  observe,
  record,
  type Captured,
  type CapturePorts,
  type CaseFile,
  type WaitFor,
  type LogPart,
} from '../learning/index.ts';
import type { HostView } from '../playbooks/index.ts';
import {
  ComponentRunner,
  RestartIntensity,
  type ComponentSpec,
  type Launch,
  type Problem,
  type ProcessHandle,
  type ProcessHost,
  type ProcessRecord,
  type ProcessStore,
} from '../supervisor/index.ts';
import type { Emit } from './events.ts';
import type { AppliedRun, Healer, Knowledge } from './healer.ts';
import { describeWait, waitForCause } from './wait-for-cause.ts';

export interface SupervisionPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly spawner: Spawner;
  readonly logger: Logger;
  readonly host: ProcessHost;
  readonly view: HostView;
  readonly prober: Prober;
  readonly processes: ProcessStore;
  readonly approvals: ApprovalStore;
  readonly capture: CapturePorts;
  knowledge(): Promise<Knowledge>;
  readonly emit: Emit;
  /** Command line, environment and limits for the next start, with what was learned. */
  launchOf(spec: ComponentSpec): Promise<Launch & { readonly specHash: string; readonly skip: boolean }>;
  caseFile(captured: Captured, component: ComponentSpec, attempts: readonly string[]): Promise<CaseFile>;
}

export interface SupervisionSettings {
  readonly bootId: BootId;
  readonly components: readonly ComponentSpec[];
  readonly smoke: readonly SmokeSpec[];
  readonly projectDir: string;
  readonly maxHealingAttempts: number;
  readonly hold: 'auto' | 'always' | 'never';
  /** Looks and tells, changes nothing and remembers nothing. */
  readonly isDryRun: boolean;
  /** How long a dependency may take after its start command. */
  dependencyStartMs(name: string): number;
  /** How long a boot waits for a dependency that nobody here may start; null: for ever. */
  dependencyWaitMs(name: string): number | null;
}

export type BringUpResult =
  | { readonly state: 'ready'; readonly tookMs: number; readonly wasAdopted: boolean }
  | { readonly state: 'skipped'; readonly reason: string }
  | { readonly state: 'completed' }
  | { readonly state: 'failed'; readonly captured: Captured; readonly cause: string };

/** What a check of a stage found wrong with a component. */
export interface CheckFailure {
  readonly message: string;
  readonly facts: readonly Fact[];
  /** False when the boot may go on without it. */
  readonly mustPass: boolean;
}

export type CheckResult =
  | { readonly state: 'passed'; readonly fixes: readonly string[] }
  | { readonly state: 'failed'; readonly cause: string; readonly fixes: readonly string[] };

/** Tries of one bring-up, whatever they were for: a limit that nothing can talk its way around. */
const ROUNDS_MAX = 12;
/** Between a hold and the next try when nothing is seen to change. */
const PATIENCE_MS = [15_000, 30_000, 60_000, 120_000, 300_000];
/** A diagnosis this sure, with a remedy, ends the waiting for a component that will not get ready. */
const SURE = 0.8;
/** Enough to act on after a long silence. */
const PLAUSIBLE = 0.75;
/** A guess that did not bring the component up is not left in place. */
const GUESS = 0.6;
/** A component that says nothing and is not ready gets this long before its files are looked at. */
const SILENCE_MS = 8000;
const SMOKE_TRIES = 3;
const SMOKE_PAUSE_MS = 700;
const DEPENDENCY_LOOK_MS = 500;
/** A dependency that is down this long is a failure that is captured and explained, though still waited for. */
const DEPENDENCY_PATIENCE_MS = 2000;
/** Between two tries of a recovery that an error of Grace's own broke off. */
const BROKEN_OFF_MS = 2000;
/** Time an application gets to find its way back after its dependency did. */
const REJOIN_MS = 6000;

/** Keeps the components of one service up: starts them, heals what fails, watches, recovers, stops. */
export class Supervision {
  readonly runners = new Map<string, ComponentRunner>();
  /** Playbooks that ran and are not proven yet. */
  readonly unconfirmed: AppliedRun[] = [];
  /** `component: playbook` of every fix that was not undone, oldest first. */
  readonly fixes: string[] = [];
  /** Failures of this run of Grace, oldest first. */
  readonly captured: Captured[] = [];
  private readonly ports: SupervisionPorts;
  private readonly settings: SupervisionSettings;
  private readonly healer: Healer;
  private readonly intensity = new Map<string, RestartIntensity>();
  private readonly recovering = new Map<string, Promise<void>>();
  private readonly dependencyUp = new Map<string, boolean>();
  private readonly signal: AbortSignal;
  private smokeLoops = new AbortController();

  constructor(ports: SupervisionPorts, settings: SupervisionSettings, healer: Healer, signal: AbortSignal) {
    this.ports = ports;
    this.settings = settings;
    this.healer = healer;
    this.signal = signal;
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
      ? this.bringUpDependency(spec, phase, stage)
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
    const attempts: string[] = [];
    const pending: AppliedRun[] = [];
    let problem = first;
    let healed = 0;
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
          () => this.alreadyClear(spec, phase, stage, attempts),
        );
        if (outcome.state === 'completed') return outcome;
        problem = outcome.state === 'failed' ? outcome.problem : await this.unproven(spec, runner, pending, withSmoke);
        if (problem === null && outcome.state === 'ready') {
          await this.settle(pending, withSmoke);
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
      const captured = await this.capture(spec, stage, problem, logOf(runner), '');
      await this.dropWhatDidNotHelp(pending, captured);
      const down = await this.dependenciesDown(spec);
      if (down.length > 0) {
        for (const dependency of down) await this.bringUpDependency(dependency, phase, stage);
        if (runner.isRunning() && (await this.comesBack(spec, runner))) {
          problem = null;
          keepsRunning = true;
          continue;
        }
      }
      const mayHeal = healed < this.settings.maxHealingAttempts;
      const result = await this.healer.heal(captured, spec, phase, attempts, this.signal, mayHeal);
      problem = null;
      keepsRunning = false;
      if (result?.state === 'applied') {
        healed++;
        attempts.push(result.run.playbook);
        pending.push(result.run);
        keepsRunning = !result.run.restart;
      } else if (result?.state === 'failed') {
        attempts.push(result.playbook);
        if (this.isStuck(attempts)) healed++;
      } else if (result?.state === 'observed') {
        // The remedy only observes at run time; a restart is supervision and always allowed within its limits.
        const verdict = this.intensityOf(spec.name).next(this.ports.clock.monotonicMs());
        if (verdict.state === 'exhausted') return this.fail(spec, captured, pending, result.diagnosis.cause);
        emit({ type: 'component_restarting', component: spec.name, delayMs: verdict.delayMs, reason: result.diagnosis.cause });
        await this.ports.clock.sleep(verdict.delayMs, this.signal);
      } else {
        const cause = result?.diagnosis.cause ?? captured.failure.message;
        const waitFor: WaitFor | null = result?.state === 'hold' ? result.waitFor : null;
        const mayHold =
          this.settings.hold === 'always' || (this.settings.hold === 'auto' && (waitFor !== null || result?.state === 'needs_approval'));
        if (!mayHold) return this.fail(spec, captured, pending, cause);
        // Ready but not quite well is better than nothing while somebody is waited for.
        const isServing = captured.failure.symptom === 'smoke' && runner.isRunning();
        if (!isServing) await runner.stop();
        const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
        emit({ type: 'held', component: spec.name, cause, waitingFor });
        const patienceMs = PATIENCE_MS[Math.min(holds++, PATIENCE_MS.length - 1)] ?? 60_000;
        const why =
          result?.state === 'needs_approval'
            ? await this.approvalOf(result.approval)
            : await waitForCause(waitFor, spec, patienceMs, { ...this.ports, host: this.ports.view }, this.signal);
        emit({ type: 'component_waiting', component: spec.name, on: waitingFor, text: `trying again: ${why}` });
        keepsRunning = isServing;
        healed = 0;
        attempts.length = 0;
        round = 0;
      }
    }
    const last = this.captured.at(-1);
    if (!last) throw new TypeError('a bring-up that ends without success has captured a failure');
    return this.fail(spec, last, pending, last.failure.message);
  }

  /** A playbook that refuses changes nothing and costs no attempt, unless nothing but refusals is left. */
  private isStuck(attempts: readonly string[]): boolean {
    return attempts.length > this.settings.maxHealingAttempts * 2;
  }

  private async fail(spec: ComponentSpec, captured: Captured, pending: AppliedRun[], cause: string): Promise<BringUpResult> {
    for (const run of pending.splice(0))
      if (run.diagnosis.confidence < GUESS) await this.healer.reject(run, 'the component still fails', this.signal);
    await this.runner(spec.name).stop();
    await this.ports.processes.remove(spec.name);
    return { state: 'failed', captured, cause };
  }

  /** The same failure again: the last fix did not help and is undone. Another one: it did, and something else is wrong too. */
  private async dropWhatDidNotHelp(pending: AppliedRun[], captured: Captured): Promise<void> {
    const last = pending.at(-1);
    if (last === undefined) return;
    const isSame = last.captured.failure.signature === captured.failure.signature;
    if (!isSame && last.diagnosis.confidence >= GUESS) return;
    pending.pop();
    if (isSame) await this.healer.reject(last, 'the same failure came back', this.signal);
    else await this.healer.reject(last, 'the component fails in another way', this.signal);
  }

  /** After a fix, ready is not enough: it must stay so for the soak time, and really work. */
  private async unproven(
    spec: ComponentSpec,
    runner: ComponentRunner,
    pending: readonly AppliedRun[],
    withSmoke: boolean,
  ): Promise<Problem | null> {
    const { clock } = this.ports;
    const startedMs = clock.monotonicMs();
    if (pending.length > 0) {
      await Promise.race([runner.process?.exited ?? Promise.resolve(), clock.sleep(spec.soakMs, this.signal)]);
      if (!runner.isRunning())
        return runner.problem('exit', `it ended within its soak time of ${formatDuration(spec.soakMs)}`, startedMs, {
          exit: (await runner.process?.exited) ?? { exitCode: null, signal: null },
        });
      if (!(await runner.isReadyNow()))
        return runner.problem('not_ready', `it was ready, but not for its soak time of ${formatDuration(spec.soakMs)}`, startedMs);
    }
    if (!withSmoke) return null;
    const failed = await this.failedSmoke(this.smokeOf(spec.name), SMOKE_TRIES);
    return failed === null
      ? null
      : runner.problem('smoke', `smoke check "${failed.smoke.name}" failed: ${failed.result.detail}`, startedMs, {
          detail: failed.result.detail,
        });
  }

  private async settle(pending: AppliedRun[], withSmoke: boolean): Promise<void> {
    for (const run of pending.splice(0)) {
      this.fixes.push(`${run.component.name}: ${run.playbook}`);
      this.intensityOf(run.component.name).reset();
      if (withSmoke || this.settings.smoke.length === 0) await this.healer.confirm(run);
      else this.unconfirmed.push(run); // stage 7 proves them
    }
  }

  /**
   * Makes a check of a stage pass: what it finds wrong is captured, diagnosed and healed like any failure of the component.
   * @param look   null when all is well
   */
  async passCheck(spec: ComponentSpec, stage: string, look: () => Promise<CheckFailure | null>): Promise<CheckResult> {
    const attempts: string[] = [];
    const pending: AppliedRun[] = [];
    const fixes: string[] = [];
    for (let round = 0, holds = 0; ; round++) {
      const wrong = await look();
      if (wrong === null) {
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
      if (this.settings.isDryRun) return { state: 'failed', cause: await this.causeOf(spec, stage, problem, wrong.facts), fixes };
      this.ports.emit({ type: 'component_failed', component: spec.name, symptom: 'check', message: wrong.message });
      const captured = await this.capture(spec, stage, problem, null, '', wrong.facts);
      await this.dropWhatDidNotHelp(pending, captured);
      const mayHeal = round < this.settings.maxHealingAttempts;
      const result = await this.healer.heal(captured, spec, 'boot', attempts, this.signal, mayHeal);
      if (result?.state === 'applied') {
        attempts.push(result.run.playbook);
        pending.push(result.run);
        continue;
      }
      if (result?.state === 'failed') {
        attempts.push(result.playbook);
        continue;
      }
      const cause = result?.diagnosis.cause ?? wrong.message;
      const waitFor = result?.state === 'hold' ? result.waitFor : null;
      const mayHold =
        this.settings.hold === 'always' || (this.settings.hold === 'auto' && (waitFor !== null || result?.state === 'needs_approval'));
      if (!mayHold || !wrong.mustPass) {
        for (const run of pending.splice(0))
          if (run.diagnosis.confidence < GUESS) await this.healer.reject(run, 'the check still fails', this.signal);
        return { state: 'failed', cause, fixes };
      }
      const waitingFor = result?.state === 'needs_approval' ? `approval ${result.approval}` : describeWait(waitFor);
      this.ports.emit({ type: 'held', component: spec.name, cause, waitingFor });
      const patienceMs = PATIENCE_MS[Math.min(holds++, PATIENCE_MS.length - 1)] ?? 60_000;
      if (result?.state === 'needs_approval') await this.approvalOf(result.approval);
      else await waitForCause(waitFor, spec, patienceMs, { ...this.ports, host: this.ports.view }, this.signal);
      attempts.length = 0;
      round = -1;
    }
  }

  /** What would be said and done about a problem, without saying or doing it. */
  private async causeOf(spec: ComponentSpec, stage: string, problem: Problem, facts: readonly Fact[]): Promise<string> {
    const failure = await this.observe(spec, stage, problem, null, '', facts);
    const c = await this.ports.caseFile({ failure, isNew: true, pattern: EMPTY_PATTERN(failure) }, spec, []);
    const { best, chosen } = await diagnose(c, (await this.ports.knowledge()).families, this.ports.logger);
    return chosen?.remedy ? `${chosen.cause}; grace up would ${chosen.remedy.description} (${chosen.remedy.tier})` : best.cause;
  }

  /** Called when the smoke checks of the whole service have passed. */
  async confirmAll(): Promise<void> {
    for (const run of this.unconfirmed.splice(0)) await this.healer.confirm(run);
  }

  /** Whether the output of a component that is not ready yet already tells what to do. Looks, and stores nothing. */
  private async alreadyClear(spec: ComponentSpec, _phase: Phase, stage: string, attempts: readonly string[]): Promise<boolean> {
    try {
      const runner = this.runner(spec.name);
      const failure = await this.observe(spec, stage, runner.problem('not_ready', 'not ready yet', 0), logOf(runner), '');
      const sinceMs = this.ports.clock.nowMs() - (runner.process?.launchedAtMs ?? this.ports.clock.nowMs());
      const isSilent = failure.facts.length === 0;
      if (isSilent && sinceMs < SILENCE_MS) return false;
      const c = await this.ports.caseFile({ failure, isNew: true, pattern: EMPTY_PATTERN(failure) }, spec, attempts);
      // Without a word, only its own answer, or a file that is gone or cannot be read any more, speaks against patience.
      const answersBadly = /HTTP 5(?!03)\d\d/.test(runner.lastProbe);
      const speaks = c.drift.some((d) => d.isBroken || d.kind === 'env_key_changed' || (d.kind === 'missing' && sinceMs > 2 * SILENCE_MS));
      if (isSilent && !speaks && !answersBadly) return false;
      const verdict = await diagnose(c, (await this.ports.knowledge()).families, this.ports.logger);
      // It says nothing at all, or it is up and says itself that it does not work: neither gets better by waiting.
      const isDecided = (answersBadly && sinceMs > SILENCE_MS) || (isSilent && sinceMs > 2 * SILENCE_MS);
      return verdict.chosen !== null && verdict.chosen.confidence >= (isDecided ? PLAUSIBLE : SURE);
    } catch (error) {
      this.ports.logger.warn('early look failed', { component: spec.name, error: messageOf(error) });
      return false;
    }
  }

  private async bringUpDependency(spec: ComponentSpec, phase: Phase, stage: string): Promise<BringUpResult> {
    const { clock, emit, spawner } = this.ports;
    const startedMs = clock.monotonicMs();
    const attempts: string[] = [];
    const pending: AppliedRun[] = [];
    const waitMs = this.settings.dependencyWaitMs(spec.name);
    let said = '';
    let isExplained = false;
    let captured: Captured | null = null;
    if (await this.dependencyAnswers(spec)) return this.dependencyReady(spec, startedMs, pending);
    emit({ type: 'component_starting', component: spec.name, attempt: 1 });
    if (await this.isStopped(spec)) {
      // A start command would find its port and its lock taken.
      captured = await this.captureDependency(spec, stage, '', 'its process is stopped (state T, as by SIGSTOP)');
      const resumed = await this.healer.heal(captured, spec, phase, attempts, this.signal);
      if (resumed.state === 'applied') pending.push(resumed.run);
      if (resumed.state === 'applied' && (await this.waitForDependency(spec))) return this.dependencyReady(spec, startedMs, pending);
    }
    for (let healed = 0; ;) {
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
        const deadlineMs =
          clock.monotonicMs() + (result.exitCode === 0 ? this.settings.dependencyStartMs(spec.name) : DEPENDENCY_PATIENCE_MS);
        while (clock.monotonicMs() < deadlineMs) {
          if (await this.dependencyAnswers(spec)) return this.dependencyReady(spec, startedMs, pending);
          await clock.sleep(DEPENDENCY_LOOK_MS, this.signal);
        }
        captured = await this.captureDependency(
          spec,
          stage,
          said,
          `its start command ended with ${result.exitCode ?? result.signal ?? result.spawnErrorCode ?? '?'} and it still does not answer`,
        );
        await this.dropWhatDidNotHelp(pending, captured);
        const result2 =
          healed < this.settings.maxHealingAttempts ? await this.healer.heal(captured, spec, phase, attempts, this.signal) : null;
        if (result2?.state === 'applied') {
          healed++;
          attempts.push(result2.run.playbook);
          pending.push(result2.run);
          continue;
        }
        if (result2?.state === 'failed') {
          healed++;
          attempts.push(result2.playbook);
          continue;
        }
        isExplained = true;
      }
      if (!isExplained && clock.monotonicMs() - startedMs > DEPENDENCY_PATIENCE_MS) {
        isExplained = true;
        captured = await this.captureDependency(spec, stage, said, 'it does not answer, and nobody here may start it');
        await this.healer.heal(captured, spec, phase, attempts, this.signal);
        emit({
          type: 'held',
          component: spec.name,
          cause: `${spec.name} does not answer at ${spec.host}:${spec.port ?? '?'}`,
          waitingFor: `${spec.name} to answer`,
        });
      }
      if (await this.dependencyAnswers(spec)) return this.dependencyReady(spec, startedMs, pending);
      const isLate = waitMs !== null && clock.monotonicMs() - startedMs > waitMs;
      if (isLate || (this.settings.hold === 'never' && isExplained)) {
        captured ??= await this.captureDependency(spec, stage, said, 'it does not answer');
        return { state: 'failed', captured, cause: `dependency ${spec.name} does not answer` };
      }
      await clock.sleep(DEPENDENCY_LOOK_MS, this.signal);
      if (spec.command.length > 0) await clock.sleep(DEPENDENCY_PATIENCE_MS, this.signal);
      if (spec.command.length > 0 && isExplained) {
        // Its start command failed for a reason nobody here can mend; others may start it.
        if (await this.waitForDependency(spec)) return this.dependencyReady(spec, startedMs, pending);
        attempts.length = 0;
        healed = 0;
      }
    }
  }

  private async isStopped(spec: ComponentSpec): Promise<boolean> {
    const holder = spec.port === null ? null : await this.ports.view.portHolder(spec.port, spec.name);
    const process = holder === null ? null : await this.ports.view.process(holder.pid);
    return process !== null && process.state.startsWith('T');
  }

  private async waitForDependency(spec: ComponentSpec): Promise<boolean> {
    const deadlineMs = this.ports.clock.monotonicMs() + (PATIENCE_MS[0] ?? 15_000);
    while (this.ports.clock.monotonicMs() < deadlineMs) {
      if (await this.dependencyAnswers(spec)) return true;
      await this.ports.clock.sleep(DEPENDENCY_LOOK_MS, this.signal);
    }
    return false;
  }

  private async dependencyReady(spec: ComponentSpec, startedMs: number, pending: AppliedRun[]): Promise<BringUpResult> {
    for (const run of pending.splice(0)) {
      this.fixes.push(`${spec.name}: ${run.playbook}`);
      await this.healer.confirm(run);
    }
    this.dependencyUp.set(spec.name, true);
    const tookMs = this.ports.clock.monotonicMs() - startedMs;
    this.ports.emit({ type: 'component_ready', component: spec.name, tookMs, pid: null, port: spec.port, adopted: false });
    return { state: 'ready', tookMs, wasAdopted: false };
  }

  private async dependencyAnswers(spec: ComponentSpec): Promise<boolean> {
    const probe = spec.readiness ?? spec.liveness;
    if (probe === null) return spec.port === null || (await this.ports.view.canConnect(spec.host, spec.port));
    const result = await this.ports.prober.probe(probe.target, {
      cwd: spec.cwd,
      env: (await this.ports.launchOf(spec)).env,
      timeoutMs: probe.timeoutMs,
      pid: null,
      signal: this.signal,
    });
    return result.outcome === 'pass';
  }

  private async captureDependency(spec: ComponentSpec, stage: string, said: string, message: string): Promise<Captured> {
    const problem: Problem = {
      symptom: 'dependency',
      message: `${spec.name}: ${message}`,
      exit: null,
      spawnCode: null,
      afterMs: null,
      probeDetail: message,
      vitals: null,
    };
    return this.capture(spec, stage, problem, null, said);
  }

  /** The dependencies of a component that do not answer now. */
  private async dependenciesDown(spec: ComponentSpec): Promise<readonly ComponentSpec[]> {
    const down: ComponentSpec[] = [];
    for (const name of spec.dependsOn) {
      const dependency = this.spec(name);
      if (dependency.kind === 'dependency' && !(await this.dependencyAnswers(dependency))) down.push(dependency);
    }
    return down;
  }

  /** Whether it gets well by itself once what it needs is back. */
  private async comesBack(spec: ComponentSpec, runner: ComponentRunner): Promise<boolean> {
    const deadlineMs = this.ports.clock.monotonicMs() + REJOIN_MS;
    while (this.ports.clock.monotonicMs() < deadlineMs && runner.isRunning()) {
      if ((await runner.isReadyNow()) && (await this.failedSmoke(this.smokeOf(spec.name), 1)) === null) return true;
      await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
    }
    return false;
  }

  private async approvalOf(id: string): Promise<string> {
    for (;;) {
      await this.ports.clock.sleep(DEPENDENCY_LOOK_MS, this.signal);
      const approval = await this.ports.approvals.get(id);
      const state = approval === null ? 'expired' : approvalState(approval, this.ports.clock.nowMs());
      if (state !== 'pending') return `${id} was ${state}`;
    }
  }

  /** Watches everything that is up; problems are recovered from one at a time per component. */
  watchAll(): void {
    for (const [name, runner] of this.runners) if (runner.isRunning()) this.watch(name, runner);
    for (const spec of this.settings.components) if (spec.kind === 'dependency') void this.watchDependency(spec).catch(() => undefined); // aborted
    this.smokeLoops.abort();
    this.smokeLoops = new AbortController();
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
      if (await this.dependencyAnswers(spec)) failures = 0;
      else if (++failures >= (probe?.failureThreshold ?? 2)) {
        failures = 0;
        await this.guarded(spec.name, async () => {
          this.dependencyUp.set(spec.name, false);
          this.ports.emit({
            type: 'component_failed',
            component: spec.name,
            symptom: 'dependency',
            message: `${spec.name} does not answer any more`,
          });
          await this.bringUpDependency(spec, 'runtime', 'runtime');
        });
      }
    }
  }

  private async repeatSmoke(smoke: SmokeSpec, everyMs: number): Promise<void> {
    const stop = AbortSignal.any([this.signal, this.smokeLoops.signal]);
    for (;;) {
      await this.ports.clock.sleep(everyMs, stop);
      const name = this.blamed(smoke);
      if (name === null || this.recovering.has(name)) continue;
      const runner = this.runners.get(name);
      if (!runner?.isRunning()) continue;
      const failed = await this.failedSmoke([smoke], 2);
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
    const captured = await this.capture(spec, 'runtime', problem, log, '');
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
      emit({
        type: 'held',
        component: spec.name,
        cause: result.cause,
        waitingFor: `a change of its files, or ${formatDuration(patienceMs)}`,
      });
      await waitForCause(null, spec, patienceMs, { ...this.ports, host: this.ports.view }, this.signal);
      current = runner.isRunning() ? current : null;
    }
  }

  /** Runs smoke checks until they pass. @returns the first one that failed every time; null when all passed */
  async failedSmoke(
    checks: readonly SmokeSpec[],
    tries: number,
  ): Promise<{ readonly smoke: SmokeSpec; readonly result: ProbeResult } | null> {
    for (const smoke of checks) {
      const component = this.blamed(smoke);
      const spec = component === null ? null : this.spec(component);
      const env = spec === null ? {} : (await this.ports.launchOf(spec)).env;
      for (let attempt = 1; ; attempt++) {
        const result = await this.ports.prober.probe(smoke.target, {
          cwd: spec?.cwd ?? this.settings.projectDir,
          env,
          timeoutMs: smoke.timeoutMs,
          pid: null,
          signal: this.signal,
        });
        if (result.outcome !== 'fail') break;
        if (attempt >= tries)
          return {
            smoke,
            result: {
              ...result,
              detail: this.ports.capture.redactor.redact(result.detail === '' ? describeTarget(smoke.target) : result.detail),
            },
          };
        await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
      }
    }
    return null;
  }

  smokeOf(component: string): readonly SmokeSpec[] {
    return this.settings.smoke.filter((s) => s.critical && this.blamed(s) === component);
  }

  blamed(smoke: SmokeSpec): string | null {
    return smoke.component ?? this.settings.components.find((c) => c.kind === 'process' && c.critical)?.name ?? null;
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

  private observe(
    spec: ComponentSpec,
    stage: string,
    problem: Problem,
    log: LogPart | null,
    said: string,
    facts: readonly Fact[] = [],
  ): Promise<Failure> {
    const pid = this.runners.get(spec.name)?.process?.identity.pid ?? null;
    const context: JsonObject = { pid, port: this.runners.get(spec.name)?.port ?? spec.port };
    return observe(
      {
        bootId: this.settings.bootId,
        stage,
        component: spec,
        problem,
        log,
        saidElsewhere: `${said}\n${spokenBy(problem)}`,
        facts,
        context,
      },
      this.ports.capture,
    );
  }

  async capture(
    spec: ComponentSpec,
    stage: string,
    problem: Problem,
    log: LogPart | null,
    said: string,
    facts: readonly Fact[] = [],
  ): Promise<Captured> {
    const captured = await record(await this.observe(spec, stage, problem, log, said, facts), this.ports.capture);
    this.captured.push(captured);
    return captured;
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

/** The output of its present (or last) run. */
function logOf(runner: ComponentRunner, to: number | null = null): LogPart | null {
  return runner.process === null ? null : { from: runner.process.logOffset, to };
}

/** What the component itself said to a probe. That nobody answered says nothing beyond the symptom. */
function spokenBy(problem: Problem): string {
  return problem.symptom === 'smoke' || /HTTP \d{3}/.test(problem.probeDetail) ? problem.probeDetail : '';
}

/** For a look that stores nothing. */
function EMPTY_PATTERN(failure: Failure): Captured['pattern'] {
  return {
    signature: failure.signature,
    incidentId: '' as Captured['pattern']['incidentId'],
    family: failure.family,
    component: failure.component,
    stage: failure.stage,
    familyName: null,
    template: '',
    rootCause: '',
    occurrences: 0,
    firstSeenMs: 0,
    lastSeenMs: 0,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
  };
}
