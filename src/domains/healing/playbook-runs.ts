import { formatDuration, messageOf } from '../../kernel/index.ts';
import type { AutonomyTier, Decision, ForeseenStep } from '../governance/index.ts';
import {
  executePlaybook,
  isInPlace,
  remainsOf,
  undoRun,
  type AttemptScope,
  type LoadedPlaybook,
  type PlaybookRun,
  type RegisteredPlaybook,
  type StepState,
  type UndoEnd,
  type UndoOutcome,
} from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { didNotHelp } from './did-not-help.ts';
import { knowsSteps } from './foresee.ts';
import type { HealerPorts } from './healer-ports.ts';
import { keepBefore, restoreWhatIsLeft } from './keep-before.ts';
import { RUN_LIMITS, type RunLimits } from './run-limits.ts';

/** One run that was decided on. */
interface RunRequest {
  readonly registered: RegisteredPlaybook;
  /** As it was just loaded, with the hash of its bytes. */
  readonly playbook: LoadedPlaybook;
  readonly hash: string;
  readonly component: ComponentSpec;
  readonly bootId: string;
  readonly scope: AttemptScope;
  readonly signature: string | null;
  readonly failureId: string | null;
  readonly confidence: number;
  readonly restart: boolean;
  readonly decision: Decision;
  /** The tier that was decided on. */
  readonly tier: AutonomyTier;
  /** The plan that people have agreed to; null where nobody had to. */
  readonly agreed: readonly ForeseenStep[] | null;
  readonly signal: AbortSignal;
  /** Asked once nothing else can act on the component. @returns why it must not begin; null when it may */
  mayBegin?(): Promise<string | null>;
}

interface RunResult {
  /** `busy`: another run has this component. `refused`: nothing was changed. `failed`: it was undone, as far as that went. */
  readonly state: 'applied' | 'nothing_to_do' | 'refused' | 'failed' | 'busy';
  readonly runId: string;
  /** What was done, or why not. */
  readonly detail: string;
  readonly undone: boolean;
}

/** Runs of playbooks, whoever asked for them: one at a time per component, journalled, and put back when they do not work. */
export class PlaybookRuns {
  private readonly ports: HealerPorts;
  private readonly limits: RunLimits;
  /** Runs that are put back by this process just now, with or without a lease. */
  private readonly undoing = new Set<string>();

  constructor(ports: HealerPorts) {
    this.ports = ports;
    this.limits = ports.runLimits ?? RUN_LIMITS;
  }

  /** Whether this process puts that run back just now. */
  isUndoing(runId: string): boolean {
    return this.undoing.has(runId);
  }

  async run(request: RunRequest): Promise<RunResult> {
    const { ids, limits } = this.ports;
    const runId = ids.next('run');
    const lease = await limits.lease(request.component.name, runId);
    if (lease === null)
      return { state: 'busy', runId, detail: `another playbook is acting on ${request.component.name}: one at a time`, undone: true };
    let acting: Promise<void> | null = null;
    try {
      const reason = (await request.mayBegin?.()) ?? null;
      if (reason !== null) return { state: 'refused', runId, detail: reason, undone: true };
      return await this.execute(runId, request, (ended) => void (acting = ended));
    } finally {
      // While a step may act still, nothing else acts on its component: the lease ends with it, or with this process.
      if (acting === null) await lease.release();
      else void (acting as Promise<void>).then(() => lease.release()).catch(() => undefined); // it is free once this process is gone
    }
  }

  private async execute(runId: string, request: RunRequest, stillActing: (ended: Promise<void>) => void): Promise<RunResult> {
    const { clock, emit, playbooks, journal } = this.ports;
    const { registered, playbook, component, agreed, tier } = request;
    const { primitives } = await this.ports.knowledge();
    const run = this.started(runId, request);
    // Stored before anything acts: what a crash cuts off from here on counts as a try, and is undone.
    try {
      await playbooks.saveRun(run);
    } catch (error) {
      return { state: 'refused', runId, detail: `it cannot be recorded: ${messageOf(error)}`, undone: true };
    }
    const kept = await keepBefore(this.ports, run, request, component, request.signal);
    const onStep = (step: string, state: StepState, summary: string): void =>
      emit({ type: 'step', component: component.name, playbook: registered.name, step, state, summary });
    const tooLong = this.limits.after(this.limits.runMs);
    const outcome = await executePlaybook({
      runId,
      playbook,
      params: playbook.params,
      primitives,
      tier,
      knowsSteps: knowsSteps(registered, run.hash),
      agreed,
      hasSnapshot: kept !== null,
      startedAtMs: run.startedAtMs,
      signal: AbortSignal.any([request.signal, tooLong]),
      limits: this.limits,
      contextFor: (until) => this.ports.primitiveContext(component, until, (text) => onStep('', 'progress', text)),
      journal,
      onStep,
    });
    for (const step of outcome.emptySets)
      emit({
        type: 'notice',
        level: 'error',
        text: `${registered.name}: "${step}" found nothing to act on, and did nothing: look at what it is meant for`,
      });
    if (outcome.unended !== null) {
      const { detail, ended } = outcome.unended;
      stillActing(ended);
      // Told to end because Grace ends: then it is over with this process, and the next start takes it back.
      if (request.signal.aborted) return { state: 'failed', runId, detail, undone: false };
      await playbooks.saveRun({ ...run, state: 'failed', endedAtMs: clock.nowMs() });
      emit({ type: 'undo_failed', component: component.name, playbook: registered.name, run: runId, left: [detail] });
      await didNotHelp(this.ports, run);
      return { state: 'failed', runId, detail, undone: false };
    }
    if (outcome.success && outcome.changes > 0) {
      await playbooks.saveRun({ ...run, state: 'applied', endedAtMs: clock.nowMs() });
      return { state: 'applied', runId, detail: outcome.results.map((r) => r.summary ?? r.step).join('; '), undone: false };
    }
    if (outcome.success) {
      await playbooks.saveRun({ ...run, state: 'refused', endedAtMs: clock.nowMs() }, 'it found nothing to do');
      return { state: 'nothing_to_do', runId, detail: outcome.results.map((r) => r.summary ?? r.step).join('; '), undone: true };
    }
    const told = outcome.results.find((r) => !r.success)?.error ?? 'it did not work';
    const detail = tooLong.aborted ? `it did not end within ${formatDuration(this.limits.runMs)}, and was cut off: ${told}` : told;
    if ((await journal.entries(runId)).length === 0) {
      await playbooks.saveRun({ ...run, state: 'refused', endedAtMs: clock.nowMs() }, detail);
      return { state: 'refused', runId, detail, undone: true };
    }
    const { left } = await this.undo(run, component, request.signal, 'undone', detail);
    return { state: 'failed', runId, detail, undone: left.length === 0 };
  }

  private started(runId: string, request: RunRequest): PlaybookRun {
    return {
      id: runId,
      playbook: request.registered.name,
      hash: request.hash,
      component: request.component.name,
      bootId: request.bootId,
      signature: request.signature,
      failureId: request.failureId,
      scope: request.scope,
      confidence: request.confidence,
      restart: request.restart,
      decision: request.decision.reason,
      startedAtMs: this.ports.clock.nowMs(),
      endedAtMs: null,
      state: 'running',
    };
  }

  /**
   * Puts back what a run did, and says so where that did not work out. Cut off half way, it goes on at the next start.
   * Where it cannot be recorded nothing is put back: the run stays what it was, and the next start sees to it.
   * @param endsAs  what the run is when all was put back
   * @param why     for the record
   * @param tell    says what has become of it, before the run is over: what can be repeated comes first
   * @param first   done once it is recorded, before anything is put back
   */
  async undo(
    run: PlaybookRun,
    component: ComponentSpec,
    signal: AbortSignal,
    endsAs: UndoEnd,
    why: string,
    tell: Tell | null = null,
    first: (() => Promise<void>) | null = null,
  ): Promise<UndoOutcome> {
    this.undoing.add(run.id);
    try {
      return await this.putBack(run, component, signal, endsAs, why, tell, first);
    } finally {
      this.undoing.delete(run.id);
    }
  }

  private async putBack(
    run: PlaybookRun,
    component: ComponentSpec,
    signal: AbortSignal,
    endsAs: UndoEnd,
    why: string,
    tell: Tell | null,
    first: (() => Promise<void>) | null,
  ): Promise<UndoOutcome> {
    const { playbooks, journal, clock, emit } = this.ports;
    const { primitives } = await this.ports.knowledge();
    const undoing: PlaybookRun = { ...run, state: 'undoing', endsAs };
    try {
      await playbooks.saveRun(undoing, why);
    } catch (error) {
      const left = [`nothing was put back, since that cannot be recorded: ${messageOf(error)}`];
      emit({ type: 'undo_failed', component: component.name, playbook: run.playbook, run: run.id, left });
      return { left, kept: [], untouched: [] };
    }
    await first?.();
    const limited = AbortSignal.any([signal, this.limits.after(this.limits.runMs)]);
    const context = this.ports.primitiveContext(component, limited, () => undefined);
    const undone = await undoRun(run.id, primitives, context, journal, signal);
    const outcome = undone.left.length === 0 ? undone : await this.restored(run, component, undone, signal);
    await tell?.(undoing, outcome);
    const end = outcome.left.length === 0 ? why : `${why}; left as it is: ${outcome.left.join('; ')}`;
    await playbooks.saveRun({ ...undoing, state: outcome.left.length === 0 ? endsAs : 'failed', endedAtMs: clock.nowMs() }, end);
    if (outcome.left.length > 0)
      emit({ type: 'undo_failed', component: component.name, playbook: run.playbook, run: run.id, left: outcome.left });
    if (outcome.left.length > 0 || endsAs !== 'interrupted') await didNotHelp(this.ports, run);
    return outcome;
  }

  /** What its own undo could not put back comes from the snapshot, as far as that is safe; then it is looked at again. */
  private async restored(run: PlaybookRun, component: ComponentSpec, undone: UndoOutcome, signal: AbortSignal): Promise<UndoOutcome> {
    const { journal } = this.ports;
    const { primitives } = await this.ports.knowledge();
    const context = this.ports.primitiveContext(component, signal, () => undefined);
    const entries = await journal.entries(run.id);
    const { restored, hint } = await restoreWhatIsLeft(
      this.ports,
      run,
      undone.untouched, // what somebody has changed since is theirs
      signal,
    );
    if (restored.length === 0) return hint === null ? undone : { ...undone, left: [...undone.left, hint] };
    const left = await remainsOf(entries, primitives, context);
    return left.length === 0
      ? { ...undone, left: [], kept: [...undone.kept, `put back from its snapshot: ${restored.join(', ')}`] }
      : { ...undone, left: [...left, ...(hint === null ? [] : [hint])] };
  }

  /** False where somebody has changed since what it made: then it says nothing when its failure is back. */
  async isInPlace(run: PlaybookRun, component: ComponentSpec, signal: AbortSignal): Promise<boolean> {
    const { primitives } = await this.ports.knowledge();
    const context = this.ports.primitiveContext(component, signal, () => undefined);
    return isInPlace(await this.ports.journal.entries(run.id), primitives, context);
  }
}

/** What an undo has come to; called before the run is over, and again when a crash comes in between. */
export type Tell = (run: PlaybookRun, outcome: UndoOutcome) => Promise<void>;
