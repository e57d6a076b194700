import { formatDuration, messageOf } from '../../kernel/index.ts';
import { failuresInARow, HOUR_MS, type AutonomyTier, type CountedRun, type Decision, type ForeseenStep } from '../governance/index.ts';
import {
  executePlaybook,
  isInPlace,
  remainsOf,
  undoRun,
  type AttemptScope,
  type LoadedPlaybook,
  type PlaybookRun,
  type RegisteredPlaybook,
  type StepLimits,
  type StepState,
  type UndoEnd,
  type UndoOutcome,
} from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { HealerPorts } from './healer-ports.ts';
import { knowsSteps } from './foresee.ts';
import { keepBefore, restoreWhatIsLeft } from './keep-before.ts';
import { sweepHalves } from './sweep-halves.ts';

/** How long a run may take, each of its steps, and its undo. */
export interface RunLimits extends StepLimits {
  readonly runMs: number;
}

/** Package installs are the slow ones. A step that was told to end has to end its commands first, which are killed after a while. */
const RUN_LIMITS: RunLimits = {
  runMs: 8 * 60_000,
  stepMs: 6 * 60_000,
  endMs: 60_000,
  after: (ms) => AbortSignal.timeout(ms),
};

/** One run that was decided on. */
export interface RunRequest {
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

export interface RunResult {
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
      await this.didNotHelp(run);
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
    if (outcome.left.length > 0 || endsAs !== 'interrupted') await this.didNotHelp(run);
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

  /** Takes autonomy from a playbook whose try did not help, and opens its breaker when it is one too many: the runs in the store say so. */
  async didNotHelp(run: Pick<PlaybookRun, 'playbook' | 'component'>): Promise<void> {
    const { playbooks, limits, limitSettings, ids, clock, emit } = this.ports;
    await this.ports.autonomy.judge(run.playbook);
    const runs = (await playbooks.runsSince(clock.nowMs() - BREAKER_LOOKS_BACK_MS)).map(countedRun);
    const breakers = await limits.breakers();
    const isOpen = breakers.some((b) => b.closedAtMs === null && b.playbook === run.playbook && b.component === run.component);
    const failures = failuresInARow(run.playbook, run.component, runs, breakers);
    if (isOpen || failures < limitSettings.breakerAfter) return;
    const breaker = {
      id: ids.next('brk'),
      kind: 'breaker' as const,
      playbook: run.playbook,
      component: run.component,
      openedAtMs: clock.nowMs(),
      reason: `${run.playbook} did not help ${run.component} ${failures} times in a row`,
      closedAtMs: null,
      closedBy: null,
      closeReason: null,
    };
    await limits.saveBreaker(breaker);
    emit({ type: 'breaker_opened', breaker: breaker.id, component: run.component, playbook: run.playbook, reason: breaker.reason });
  }

  /**
   * What a crash of Grace cut off: steps that may have acted are undone, last first, once. What had acted and was not yet proven is
   * left for the next boot to prove.
   * @param tell  of those that were being taken back because they did not help
   * @returns playbook names
   */
  async undoUnfinished(component: (name: string) => ComponentSpec | null, signal: AbortSignal, tell: Tell): Promise<readonly string[]> {
    const { playbooks, limits, emit } = this.ports;
    const undone: string[] = [];
    for (const run of await playbooks.runsIn('running', 'undoing')) {
      const outcome = await this.undoLeft(run, component(run.component), signal, tell);
      if (outcome === 'undone') undone.push(run.playbook);
      if (outcome !== 'held') continue;
      const text = (await limits.isHeld(run.component, run.id))
        ? `${run.playbook} is running on ${run.component} by another process that lives: it is left to go on`
        : `${run.playbook} was cut off, and another playbook is acting on ${run.component}: the next start undoes it`;
      emit({ type: 'notice', level: 'warn', text });
    }
    await this.judgeLately();
    return undone;
  }

  /** Runs of another process that is gone without having ended them, such as a command that was killed beside this Grace. */
  async leftByOthers(): Promise<readonly PlaybookRun[]> {
    const { playbooks, limits } = this.ports;
    const left: PlaybookRun[] = [];
    for (const run of await playbooks.runsIn('running', 'undoing'))
      if (!this.undoing.has(run.id) && !(await limits.isHeld(run.component, run.id))) left.push(run);
    return left;
  }

  /**
   * Undoes what was cut off, unless somebody else does or acts on its component.
   * @returns `over`: it had come to its end; `held`: another run has the component, and it is to be tried again
   */
  async undoLeft(run: PlaybookRun, spec: ComponentSpec | null, signal: AbortSignal, tell: Tell): Promise<'undone' | 'over' | 'held'> {
    const { playbooks, limits } = this.ports;
    const lease = await limits.lease(run.component, run.id);
    if (lease === null) return 'held';
    try {
      // It may have come to its end since the list was read.
      const present = await playbooks.run(run.id);
      if (present === null || (present.state !== 'running' && present.state !== 'undoing')) return 'over';
      await this.undoCutOff(present, spec, signal, tell);
      return 'undone';
    } finally {
      await lease.release();
    }
  }

  private async undoCutOff(run: PlaybookRun, spec: ComponentSpec | null, signal: AbortSignal, tell: Tell): Promise<void> {
    const { playbooks, clock, emit } = this.ports;
    if (spec === null) {
      emit({
        type: 'notice',
        level: 'warn',
        text: `${run.playbook} was cut off, and ${run.component} is not configured any more: what it changed is left as it is`,
      });
      await playbooks.saveRun({ ...run, state: 'failed', endedAtMs: clock.nowMs() }, 'it was cut off, and its component is gone');
      return;
    }
    // An undo that was begun before its end was written down with it was one of a try that did not help.
    const endsAs = run.state === 'running' ? 'interrupted' : (run.endsAs ?? 'undone');
    const sweep = async (): Promise<void> => {
      const { files, backupDir } = this.ports.primitiveContext(spec, signal, () => undefined);
      await sweepHalves(files, await this.ports.journal.entries(run.id), backupDir, run.startedAtMs);
    };
    await this.undo(run, spec, signal, endsAs, 'a crash of Grace cut it off', endsAs === 'interrupted' ? null : tell, sweep);
  }

  /** A crash right after a run was judged has kept its breaker from opening. */
  private async judgeLately(): Promise<void> {
    const { playbooks, clock } = this.ports;
    const judged = new Map<string, PlaybookRun>();
    for (const run of await playbooks.runsSince(clock.nowMs() - LATELY_MS))
      if (OUTCOME[run.state] === 'did_not_help') judged.set(`${run.playbook} ${run.component}`, run);
    for (const run of judged.values()) await this.didNotHelp(run);
  }

  /** Runs of the last hour and of the cooldown, as the limits see them. */
  async counted(): Promise<readonly CountedRun[]> {
    const { playbooks, clock, limitSettings } = this.ports;
    const runs = await playbooks.runsSince(clock.nowMs() - Math.max(HOUR_MS, limitSettings.cooldownMs));
    return runs.filter((r) => r.state !== 'refused' && r.scope !== 'person').map(countedRun);
  }
}

/** What an undo has come to; called before the run is over, and again when a crash comes in between. */
export type Tell = (run: PlaybookRun, outcome: UndoOutcome) => Promise<void>;

/** What was judged when an earlier Grace ended: it is started again long before. */
const LATELY_MS = 86_400_000;
/** A breaker looks at what was tried this month: older tries say little about the playbook of today. */
const BREAKER_LOOKS_BACK_MS = 30 * 86_400_000;

export function countedRun(run: PlaybookRun): CountedRun {
  const { playbook, component, signature, startedAtMs, endedAtMs } = run;
  return { playbook, component, signature, startedAtMs, endedAtMs, outcome: OUTCOME[run.state] };
}

const OUTCOME: Readonly<Record<PlaybookRun['state'], CountedRun['outcome']>> = {
  running: 'open',
  applied: 'open',
  verified: 'helped',
  relapsed: 'did_not_help',
  inconclusive: 'open',
  undoing: 'did_not_help',
  undone: 'did_not_help',
  failed: 'did_not_help',
  refused: 'open',
  interrupted: 'cut_off',
};
