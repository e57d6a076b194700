import { resolve } from 'node:path';
import { formatDuration, GraceError, messageOf } from '../../kernel/index.ts';
import {
  ApprovalRefused,
  approvalState,
  isForOneRun,
  useApproval,
  type Approval,
  type ApprovalState,
  type AutonomyTier,
  type Decision,
  type Phase,
} from '../governance/index.ts';
import { nextPatternState, type Explanation, type IncidentStore, type Pattern, type PatternEvent } from '../incidents/index.ts';
import {
  commandsAfterHealing,
  commandsFor,
  describeSuspect,
  diagnose,
  explanationOf,
  lastResort,
  type Captured,
  type Diagnosis,
  type Remedy,
  type Verdict,
  type WaitFor,
} from '../learning/index.ts';
import type { AttemptScope, LoadedPlaybook, PlaybookRun, RegisteredPlaybook, UndoOutcome } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { askForApproval } from './ask-approval.ts';
import { answerBefore, authorize, type Authorized } from './authorize.ts';
import type { HealerPorts, WhatChanged } from './healer-ports.ts';
import { PlaybookRuns } from './playbook-runs.ts';
import { knownPlaybookFor, playbookForRemedy, type FoundPlaybook } from './playbook-for-remedy.ts';

/** A playbook that has run and is not yet proven. */
export interface AppliedRun {
  readonly runId: string;
  readonly playbook: string;
  readonly captured: Captured;
  readonly component: ComponentSpec;
  /** How sure the diagnosis was, 0 to 1. */
  readonly confidence: number;
  readonly restart: boolean;
}

/** What became of a playbook that was to run before its failure could come back. */
export interface Prevented {
  readonly state: 'applied' | 'nothing_to_do' | 'failed' | 'waiting';
  readonly detail: string;
  readonly runId: string | null;
  /** It has failed only because another run has the component. */
  readonly isBusy?: boolean;
}

export type Foretold = Authorized & { readonly playbook: LoadedPlaybook; readonly hash: string };

export interface HealRequest {
  readonly captured: Captured;
  readonly component: ComponentSpec;
  readonly phase: Phase;
  readonly scope: AttemptScope;
  /** Playbooks that were tried and are not tried again. */
  readonly attempts: readonly string[];
  readonly signal: AbortSignal;
  /** False when nothing more may be tried: then it only says what it makes of it. */
  readonly mayAct?: boolean;
}

export type HealResult =
  | { readonly state: 'applied'; readonly run: AppliedRun }
  | { readonly state: 'failed'; readonly playbook: string; readonly reason: string; readonly diagnosis: Diagnosis }
  /** Another run has this component; this playbook was not tried. */
  | { readonly state: 'busy'; readonly playbook: string; readonly reason: string; readonly diagnosis: Diagnosis }
  | { readonly state: 'hold'; readonly diagnosis: Diagnosis; readonly waitFor: WaitFor | null }
  | {
      readonly state: 'needs_approval';
      readonly diagnosis: Diagnosis;
      readonly approval: string;
      /** What it would change, absolute: somebody may do that by hand meanwhile. */
      readonly watch: readonly string[];
    }
  | { readonly state: 'observed'; readonly diagnosis: Diagnosis };

/** A run that was verified within the stability window was started no longer before it than this. */
const RELAPSE_LOOKS_BACK_MS = 30 * 60_000;
/** What the catalog is this sure of does not wait for what was learned from a person and nobody has approved yet. */
const SURE = 0.8;
/** What it leaves has failed in several boots: it is not brought back because the earlier one fails as well. */
export const ROLLBACK = 'roll_back_release';
/** Suspects in an explanation. */
const CHANGES_MAX = 8;

/** From a captured failure to an applied playbook: diagnose, choose, decide, act. Verification is the caller's. */
export class Healer {
  readonly runs: PlaybookRuns;
  private readonly ports: HealerPorts;

  constructor(ports: HealerPorts) {
    this.ports = ports;
    this.runs = new PlaybookRuns(ports);
  }

  async heal(request: HealRequest): Promise<HealResult> {
    const { captured, component, attempts, signal, mayAct = true } = request;
    const { emit } = this.ports;
    const c = await this.ports.caseFile(captured, component, attempts);
    const [found, changed] = await Promise.all([
      diagnose(c, (await this.ports.knowledge()).families, this.ports.logger, (remedy) => this.tierInForce(component, remedy)),
      this.ports.whatChanged(captured, c),
    ]);
    // A last resort is asked for and not just tried: it is offered also when the tries are used up.
    const verdict = mayAct ? found : { ...found, chosen: lastResort(found.best, found.all, attempts) };
    const about: About = { captured, component, verdict, changed };
    const shown = verdict.chosen ?? verdict.best;
    emit({
      type: 'diagnosed',
      component: component.name,
      incident: captured.pattern.incidentId,
      known: !captured.isNew,
      family: shown.family,
      cause: shown.cause,
      evidence: shown.evidence,
      advice: adviceOf(about),
      confidence: shown.confidence,
    });
    await this.savePattern({ ...captured.pattern, familyName: shown.family, rootCause: shown.cause });
    if (!mayAct && verdict.chosen === null) {
      await this.explain(about, 'nothing more: the healing attempts of this boot are used up', null, 'not_healed');
      return { state: 'hold', diagnosis: shown, waitFor: shown.waitFor };
    }
    const own = mayAct ? await this.ownPlaybook(captured, component, verdict, attempts, signal) : null;
    if (verdict.chosen === null && own === null) {
      await this.explain(about, 'nothing: nobody but a person (or time) can help here', null, 'waiting');
      return { state: 'hold', diagnosis: shown, waitFor: shown.waitFor };
    }
    return this.apply(about, request, own);
  }

  private async apply(
    about: About,
    { component, phase, scope, attempts, signal }: HealRequest,
    own: RegisteredPlaybook | null,
  ): Promise<HealResult> {
    const { clock, emit } = this.ports;
    const { captured, verdict } = about;
    const diagnosis = verdict.chosen ?? verdict.best;
    const { registered, wasGenerated } =
      own === null ? await this.playbookFor(captured, component, diagnosis, remedyOf(diagnosis)) : { registered: own, wasGenerated: false };
    const loaded = await this.load(registered);
    if (loaded instanceof Error) {
      const hint = loaded instanceof GraceError && loaded.hint ? `\n  ${loaded.hint}` : '';
      emit({ type: 'notice', level: 'error', text: `${loaded.message}${hint}` });
      return { state: 'failed', playbook: registered.name, reason: loaded.message, diagnosis };
    }
    const { playbook, hash } = loaded;
    // What is decided on is what was just loaded: an edit since it was registered cannot ride on old trust.
    const { tier, decision, approval, binding, foreseen, agreed, outdated, limit } = await this.authorize(
      registered,
      playbook,
      hash,
      component,
      phase,
      {
        attempts: attempts.length,
        signature: captured.failure.signature,
        alike: captured.alike ?? [],
        by: null,
        signal,
      },
    );
    this.tellChosen(registered, { ...playbook, tier }, component, decision, wasGenerated);
    await this.ports.shadow.note({ captured, component, registered, hash, decision });
    await this.savePattern({ ...(await this.pattern(captured)), playbook: registered.name });
    if (decision.verdict === 'deny') {
      await this.explain(about, `nothing: ${registered.name} may not run: ${decision.reason}`, registered, 'waiting');
      // A limit ends healing, not supervision: at run time it is still kept up as far as starting it again can do that.
      if (limit !== null && phase === 'runtime') return { state: 'observed', diagnosis };
      return { state: 'hold', diagnosis, waitFor: diagnosis.waitFor };
    }
    if (decision.verdict === 'observe') {
      await this.explain(about, `would run ${registered.name}: ${decision.reason}`, registered, 'observed');
      return { state: 'observed', diagnosis };
    }
    if (decision.verdict === 'needs_approval') {
      if (approval !== null && approvalState(approval, clock.nowMs()) === 'rejected') {
        // Somebody said no to exactly this: asking again would only wear them down.
        await this.explain(about, `nothing: ${approval.rejectedBy ?? 'somebody'} rejected ${registered.name}`, registered, 'waiting');
        return { state: 'hold', diagnosis, waitFor: diagnosis.waitFor };
      }
      const id = await askForApproval(this.ports, {
        playbook: registered,
        component: component.name,
        incidentId: captured.pattern.incidentId,
        binding,
        foreseen,
        required: decision.approvals,
      });
      if (outdated !== null)
        emit({
          type: 'notice',
          level: 'warn',
          text: `approval ${outdated.id} is not for this any more, and nothing was done: ${outdated.changes.join('; ')}; asked again as ${id}`,
        });
      await this.explain(about, `waits for approval ${id}: ${decision.reason}`, registered, 'needs_approval', id);
      emit({ type: 'approval_needed', component: component.name, playbook: registered.name, approval: id, reason: decision.reason });
      const watch = registered.steps.flatMap(({ params: { path, file } }) =>
        [path, file].flatMap((place) => (typeof place === 'string' ? [resolve(component.cwd, place)] : [])),
      );
      return { state: 'needs_approval', diagnosis, approval: id, watch };
    }

    const outcome = await this.runs.run({
      registered,
      playbook,
      hash,
      component,
      bootId: captured.failure.bootId,
      scope,
      signature: captured.failure.signature,
      failureId: captured.failure.id,
      confidence: diagnosis.confidence,
      restart: diagnosis.remedy?.restart ?? true,
      decision,
      tier,
      agreed,
      signal,
    });
    if (outcome.state === 'busy') {
      await this.explain(about, `${registered.name} has not run yet: ${outcome.detail}`, registered, 'open');
      return { state: 'busy', playbook: registered.name, reason: outcome.detail, diagnosis };
    }
    if (outcome.state !== 'applied') {
      const reason = outcome.state === 'nothing_to_do' ? 'it found nothing to do' : outcome.detail;
      await this.explain(about, `${registered.name} did not work: ${reason}`, registered, 'not_healed');
      emit({ type: 'playbook_failed', component: component.name, playbook: registered.name, reason, undone: outcome.undone });
      return { state: 'failed', playbook: registered.name, reason, diagnosis };
    }
    await this.advance(captured, 'fix_applied');
    await this.explain(about, outcome.detail, registered, 'open');
    const { runId } = outcome;
    const { confidence, remedy } = diagnosis;
    return {
      state: 'applied',
      run: { runId, playbook: registered.name, captured, component, confidence, restart: remedy?.restart ?? true },
    };
  }

  /**
   * Runs the playbook of a learned pattern before its failure can come back, or one that a person asked for.
   * @param by  that person
   * @returns what became of it; `nothing_to_do` when the machine was fine after all
   */
  async prevent(
    name: string,
    component: ComponentSpec,
    bootId: string,
    signal: AbortSignal,
    phase: Phase = 'boot',
    by: string | null = null,
  ): Promise<Prevented> {
    const { emit, playbooks } = this.ports;
    const registered = await playbooks.get(name);
    if (registered === null || !registered.isEnabled) return { state: 'failed', detail: 'it is not registered, or disabled', runId: null };
    const foretold = await this.foretell(registered, component, signal, phase, by);
    if (foretold instanceof Error) return { state: 'failed', detail: foretold.message, runId: null };
    const { playbook, hash, tier, decision, agreed, approval } = foretold;
    this.tellChosen(registered, { ...playbook, tier }, component, decision, false);
    if (decision.verdict !== 'allow' && decision.verdict !== 'allow_with_notice')
      return { state: 'waiting', detail: decision.reason, runId: null };
    const { state, detail, runId, undone } = await this.runs.run({
      registered,
      playbook,
      hash,
      component,
      bootId,
      scope: by === null ? 'prevention' : 'person',
      signature: registered.signature,
      failureId: null,
      confidence: 1,
      restart: false,
      decision,
      tier,
      agreed,
      signal,
      ...(by === null || approval === null ? {} : { mayBegin: () => this.spend(approval) }),
    });
    if (state === 'applied' || state === 'nothing_to_do') return { state, detail, runId };
    if (state === 'busy') return { state: 'failed', detail, runId, isBusy: true };
    emit({ type: 'playbook_failed', component: component.name, playbook: name, reason: detail, undone });
    return { state: 'failed', detail, runId };
  }

  /** What would be decided about a run of it now, were this person (or Grace, null) to start it; nothing is done. */
  async foretell(
    registered: RegisteredPlaybook,
    component: ComponentSpec,
    signal: AbortSignal,
    phase: Phase = 'boot',
    by: string | null = null,
  ): Promise<Foretold | Error> {
    const loaded = await this.load(registered);
    if (loaded instanceof Error) return loaded;
    const { playbook, hash } = loaded;
    const given = { attempts: 0, signature: registered.signature, alike: [], by, signal };
    return { ...loaded, ...(await this.authorize(registered, playbook, hash, component, phase, given)) };
  }

  /** Before it is done: whatever becomes of the run, the request does not count again. @returns why not, when another was faster */
  private async spend(approval: Approval): Promise<string | null> {
    const { approvals, clock } = this.ports;
    if (!isForOneRun(approval)) return null;
    try {
      await approvals.change(approval.id, (now) => useApproval(now, clock.nowMs()));
      return null;
    } catch (error) {
      if (error instanceof ApprovalRefused) return `${error.message}: run it again to have people asked anew`;
      throw error;
    }
  }

  private async load(registered: RegisteredPlaybook): Promise<{ playbook: LoadedPlaybook; hash: string } | Error> {
    try {
      return await this.ports.library.load(registered.file);
    } catch (error) {
      return error instanceof Error ? error : new Error(messageOf(error));
    }
  }

  private tellChosen(
    registered: RegisteredPlaybook,
    { risk, tier }: Pick<LoadedPlaybook, 'risk' | 'tier'>,
    component: ComponentSpec,
    { verdict, reason, policies }: Decision,
    generated: boolean,
  ): void {
    const { name, file } = registered;
    this.ports.emit({
      type: 'playbook_chosen',
      component: component.name,
      playbook: name,
      generated,
      file,
      risk,
      tier,
      verdict,
      reason,
      policies,
    });
  }

  private async authorize(
    registered: RegisteredPlaybook,
    playbook: LoadedPlaybook,
    hash: string,
    component: ComponentSpec,
    phase: Phase,
    {
      signal,
      ...given
    }: Pick<Parameters<typeof authorize>[1], 'attempts' | 'signature' | 'alike' | 'by'> & { readonly signal: AbortSignal },
  ): Promise<Authorized> {
    const { primitives } = await this.ports.knowledge();
    const context = this.ports.primitiveContext(component, signal, () => undefined);
    const runs = await this.runs.counted();
    return authorize(this.ports, {
      registered,
      playbook,
      hash,
      component: component.name,
      phase,
      ...given,
      runs,
      primitives,
      context,
    });
  }

  /** What a crash of Grace cut off is undone, once. @returns playbook names */
  undoUnfinished(component: (name: string) => ComponentSpec | null, signal: AbortSignal): Promise<readonly string[]> {
    return this.runs.undoUnfinished(component, signal, (undoing, outcome) => this.tellCutOff(undoing, outcome, component));
  }

  /**
   * Undoes what a command that was killed beside this Grace has not finished, once: as a start would.
   * @param endLeft  ends what such a command has left running; called before anything is put back, and only when there is something
   */
  async undoLeftByOthers(
    component: (name: string) => ComponentSpec | null,
    signal: AbortSignal,
    endLeft: () => Promise<void>,
  ): Promise<void> {
    const left = await this.runs.leftByOthers();
    if (left.length === 0) return;
    await endLeft();
    for (const run of left) {
      const tell = (undoing: PlaybookRun, outcome: UndoOutcome): Promise<void> => this.tellCutOff(undoing, outcome, component);
      if ((await this.runs.undoLeft(run, component(run.component), signal, tell)) !== 'undone') continue;
      const text = `${run.playbook} was cut off on ${run.component} with the command that ran it, and what it had done was put back`;
      this.ports.emit({ type: 'notice', level: 'warn', text: `${text}: grace playbooks show ${run.playbook}` });
    }
  }

  private async tellCutOff(undoing: PlaybookRun, outcome: UndoOutcome, component: (name: string) => ComponentSpec | null): Promise<void> {
    const told = await this.asApplied(undoing, component);
    if (told !== null) await this.tellTakenBack(undoing, told, 'Grace was cut off while it took it back', outcome);
  }

  /** Fixes that had acted when an earlier Grace ended, and that nobody has proven yet: this boot does, or takes them back. */
  async unproven(component: (name: string) => ComponentSpec | null): Promise<readonly (AppliedRun & { readonly scope: AttemptScope })[]> {
    const { playbooks, clock } = this.ports;
    const found: (AppliedRun & { readonly scope: AttemptScope })[] = [];
    for (const run of await playbooks.runsIn('applied', 'inconclusive')) {
      const applied = await this.asApplied(run, component);
      if (applied !== null) found.push({ ...applied, scope: run.scope });
      else if (run.scope !== 'prevention' && run.scope !== 'person')
        await playbooks.saveRun(
          { ...run, state: 'interrupted', endedAtMs: clock.nowMs() },
          'its failure or its component is not known any more',
        );
    }
    return found;
  }

  /** A run of an earlier Grace; null when its component or its failure is not known any more. */
  private async asApplied(run: PlaybookRun, component: (name: string) => ComponentSpec | null): Promise<AppliedRun | null> {
    const { incidents } = this.ports;
    const spec = component(run.component);
    const failure = run.failureId === null ? null : await incidents.failure(run.failureId);
    const pattern = failure === null ? null : await incidents.pattern(failure.signature);
    if (spec === null || failure === null || pattern === null) return null;
    const { id: runId, playbook, confidence, restart } = run;
    return { runId, playbook, captured: { failure, pattern, isNew: false }, component: spec, confidence, restart };
  }

  /** What prevented a failure has done so, and what a person asked for has done no harm: everything works. */
  async confirmPrevention(): Promise<void> {
    const { playbooks, clock } = this.ports;
    const runs = (await playbooks.runsIn('applied', 'inconclusive')).filter((run) => run.scope === 'prevention' || run.scope === 'person');
    for (const run of runs) await playbooks.saveRun({ ...run, state: 'verified', endedAtMs: clock.nowMs() }, 'everything works');
    for (const run of runs) await this.tellEarlierRelease(run.id, run.component);
  }

  /** Rollbacks that people asked for, and that no boot has proven yet. */
  async askedRollbacks(): Promise<readonly PlaybookRun[]> {
    const { playbooks, journal } = this.ports;
    const found: PlaybookRun[] = [];
    for (const run of await playbooks.runsIn('applied', 'inconclusive'))
      if (run.scope === 'person' && (await journal.entries(run.id)).some((e) => e.primitive === ROLLBACK)) found.push(run);
    return found;
  }

  /** Nothing could tell whether what people asked for has done harm: the next boot does. */
  async leaveAskedOpen(runs: readonly PlaybookRun[], reason: string): Promise<void> {
    const { playbooks, clock } = this.ports;
    for (const run of runs) await playbooks.saveRun({ ...run, state: 'inconclusive', endedAtMs: clock.nowMs() }, reason);
  }

  /** Looking only means looking: at run time what was changed stays, unless playbooks may run then. */
  mayTakeBack(phase: Phase): boolean {
    return phase === 'boot' || this.ports.executeAtRuntime;
  }

  /** The earlier release fails as well: whoever asked for it has not got what they wanted, and finds what they had. */
  async takeBackAsked(run: PlaybookRun, component: ComponentSpec, signal: AbortSignal): Promise<void> {
    const reason = 'the component fails with the earlier release as well';
    const { left } = await this.runs.undo(run, component, signal, 'undone', reason);
    this.ports.emit({ type: 'playbook_failed', component: component.name, playbook: run.playbook, reason, undone: left.length === 0 });
  }

  /** The fix held: failing check passed, ready, stable for the soak time, smoke tests passed. */
  async confirm(run: AppliedRun): Promise<void> {
    const { playbooks, clock, emit, incidents } = this.ports;
    // The run comes after what can be repeated: cut off before it, the next boot proves it again and nothing is missing.
    await this.advance(run.captured, 'fix_verified');
    await this.setOutcome(incidents, run, 'healed', null);
    const stored = await playbooks.run(run.runId);
    if (stored !== null)
      await playbooks.saveRun(
        { ...stored, state: 'verified', endedAtMs: clock.nowMs() },
        'the failing check passed, it is ready, stayed so for its soak time, and its smoke checks passed',
      );
    await this.ports.autonomy.judge(run.playbook);
    emit({ type: 'playbook_verified', component: run.component.name, playbook: run.playbook, incident: run.captured.pattern.incidentId });
    await this.tellEarlierRelease(run.runId, run.component.name);
  }

  private async tellEarlierRelease(runId: string, component: string): Promise<void> {
    const back = (await this.ports.journal.entries(runId)).find((e) => e.primitive === ROLLBACK && e.state === 'done');
    if (back !== undefined)
      this.ports.emit({
        type: 'notice',
        level: 'warn',
        text: `${component} runs an earlier release: it ${back.summary}. Grace does not go forward to the one that was set aside; the next one you deploy is tried as usual`,
      });
  }

  /** Nothing could tell whether it helped: that is no proof, and no reason to take it back. */
  async leaveOpen(run: AppliedRun, reason: string): Promise<void> {
    const { playbooks, clock, emit, incidents } = this.ports;
    const stored = await playbooks.run(run.runId);
    if (stored !== null) await playbooks.saveRun({ ...stored, state: 'inconclusive', endedAtMs: clock.nowMs() }, reason);
    await this.setOutcome(incidents, run, 'open', `${run.playbook} ran, and whether it helped could not be told: ${reason}`);
    const incident = run.captured.pattern.incidentId;
    emit({ type: 'playbook_inconclusive', component: run.component.name, playbook: run.playbook, incident, reason });
  }

  /** The same failure came back, or something else says it did not help: everything it changed is put back. */
  async reject(run: AppliedRun, reason: string, signal: AbortSignal): Promise<void> {
    const stored = await this.ports.playbooks.run(run.runId);
    if (stored === null) return;
    await this.takeBack(stored, run, reason, signal, 'undone');
  }

  /**
   * A fix that was verified, is still in place, and whose failure is back within the stability window, has not helped: it is taken
   * back and counts as a failed try.
   * @returns those runs, oldest first
   */
  async relapsed(captured: Captured, component: ComponentSpec, phase: Phase, signal: AbortSignal): Promise<readonly PlaybookRun[]> {
    const { playbooks, clock, limitSettings } = this.ports;
    const nowMs = clock.nowMs();
    const { signature } = captured.failure;
    const runs = (await playbooks.runsSince(nowMs - limitSettings.stabilityMs - RELAPSE_LOOKS_BACK_MS)).filter(
      (r) =>
        r.state === 'verified' &&
        r.component === component.name &&
        r.signature === signature &&
        r.scope !== 'prevention' &&
        nowMs - (r.endedAtMs ?? 0) < limitSettings.stabilityMs,
    );
    const relapsed: PlaybookRun[] = [];
    for (const run of runs.toReversed()) {
      // The release it left has failed too: going forward to it again would be no help.
      if ((await this.ports.journal.entries(run.id)).some((e) => e.primitive === ROLLBACK)) continue;
      if (!(await this.runs.isInPlace(run, component, signal))) continue;
      relapsed.unshift(run);
      const { id: runId, playbook, confidence, restart } = run;
      const told = { runId, playbook, captured, component, confidence, restart };
      const reason = `the same failure is back ${formatDuration(nowMs - (run.endedAtMs ?? nowMs))} after it seemed to have helped`;
      // Where it may not be taken back people are told.
      if (this.mayTakeBack(phase)) await this.takeBack(run, told, reason, signal, 'relapsed');
      else await this.leaveRelapsed(run, told, reason);
    }
    return relapsed;
  }

  private async leaveRelapsed(stored: PlaybookRun, run: AppliedRun, reason: string): Promise<void> {
    const { playbooks, clock, emit, incidents } = this.ports;
    await this.countAgain(stored);
    await this.advance(run.captured, 'fix_failed');
    const left = 'at run time Grace only observes, so what it changed is left as it is';
    await this.setOutcome(incidents, run, 'not_healed', `${run.playbook} did not help (${reason}); ${left}`);
    await playbooks.saveRun({ ...stored, state: 'relapsed', endedAtMs: clock.nowMs() }, `${reason}; ${left}`);
    emit({ type: 'playbook_failed', component: run.component.name, playbook: run.playbook, reason: `${reason}; ${left}`, undone: false });
    await this.runs.didNotHelp(stored);
  }

  private async takeBack(
    stored: PlaybookRun,
    run: AppliedRun,
    reason: string,
    signal: AbortSignal,
    endsAs: 'undone' | 'relapsed',
  ): Promise<void> {
    const tell = (undoing: PlaybookRun, outcome: UndoOutcome): Promise<void> => this.tellTakenBack(undoing, run, reason, outcome);
    const { left } = await this.runs.undo(stored, run.component, signal, endsAs, reason, tell);
    const { emit } = this.ports;
    emit({ type: 'playbook_failed', component: run.component.name, playbook: run.playbook, reason, undone: left.length === 0 });
  }

  /** May be said twice: a crash comes between it and the end of the run. */
  private async tellTakenBack(undoing: PlaybookRun, run: AppliedRun, reason: string, { left, kept }: UndoOutcome): Promise<void> {
    if (undoing.endsAs === 'relapsed') await this.countAgain(undoing);
    await this.advance(run.captured, 'fix_failed');
    const rest = [
      ...(left.length === 0 ? [] : [`left as it is: ${left.join('; ')}`]),
      ...(kept.length === 0 ? [] : [`kept: ${kept.join('; ')}`]),
    ];
    const end = left.length === 0 ? [' and was undone', ...rest].join('; ') : `; ${rest.join('; ')}`;
    const seen = await this.seenBy(undoing.id);
    // Where nothing was changed there is nothing to be told of its undo.
    const told = `${run.playbook} did not help (${reason})${seen.onlyLooked ? '' : end}`;
    await this.setOutcome(this.ports.incidents, run, 'not_healed', [told, ...seen.said].join('; '));
  }

  /** What its steps have said that only look: it holds whatever became of the others. */
  private async seenBy(runId: string): Promise<{ readonly said: readonly string[]; readonly onlyLooked: boolean }> {
    const { primitives } = await this.ports.knowledge();
    const entries = await this.ports.journal.entries(runId);
    const looks = entries.filter((e) => e.state !== 'failed' && primitives.get(e.primitive)?.changes === 'nothing');
    return { said: looks.map((e) => e.summary), onlyLooked: looks.length > 0 && looks.length === entries.length };
  }

  /** What seemed to have helped has not: it is one of the tries that are being made now. */
  private async countAgain({ component, scope, startedAtMs }: PlaybookRun): Promise<void> {
    const sinceMs = await this.ports.limits.triesSince(component, scope);
    if (sinceMs === null || sinceMs > startedAtMs) await this.ports.limits.countTriesFrom(component, scope, startedAtMs);
  }

  /**
   * A playbook that a person wrote or edited for this failure wins over what the catalog would generate. So does one that
   * was learned from a person, once it was approved; until then it is offered where the catalog is not sure.
   */
  private async ownPlaybook(
    captured: Captured,
    component: ComponentSpec,
    verdict: Verdict,
    attempts: readonly string[],
    signal: AbortSignal,
  ): Promise<RegisteredPlaybook | null> {
    const shown = verdict.chosen ?? verdict.best;
    const signatures = new Set<string>([captured.failure.signature, ...(captured.alike ?? [])]);
    const fitting = (await this.ports.playbooks.list()).filter(
      (p) =>
        p.isEnabled &&
        p.origin !== 'generated' &&
        p.origin !== 'shipped' &&
        !attempts.includes(p.name) &&
        (p.component === null || p.component === captured.failure.component) &&
        (p.signature === null ? p.family === shown.family : signatures.has(p.signature)),
    );
    const theirs = fitting.find((p) => p.origin !== 'learned');
    if (theirs !== undefined) return theirs;
    for (const p of fitting) {
      const answer = await this.answerTo(p, captured, component, signal);
      if (answer === 'approved') return p;
      if (answer !== 'rejected' && !isSure(verdict)) return p;
    }
    return null;
  }

  /** What people have said to exactly this; null when they were not asked, or the file is gone or does not load. */
  private async answerTo(
    registered: RegisteredPlaybook,
    { failure: { signature }, alike }: Captured,
    component: ComponentSpec,
    signal: AbortSignal,
  ): Promise<ApprovalState | null> {
    try {
      const loaded = await this.ports.library.load(registered.file);
      const { primitives } = await this.ports.knowledge();
      const context = this.ports.primitiveContext(component, signal, () => undefined);
      return await answerBefore(this.ports, { ...loaded, registered, primitives, context, signature, alike: alike ?? [], by: null });
    } catch {
      return 'rejected'; // nothing that could be run; the catalog goes on without it
    }
  }

  /** What was written before for this remedy may have lost or earned autonomy since. */
  private async tierInForce(component: ComponentSpec, remedy: Remedy): Promise<AutonomyTier> {
    const known = await knownPlaybookFor(component, remedy, this.ports);
    return known === null ? remedy.tier : this.ports.effectiveTier(known.name, known.hash, known.tier);
  }

  /** The registered playbook for this remedy, or one that is written now. */
  playbookFor(captured: Captured | null, component: ComponentSpec, diagnosis: Diagnosis, remedy: Remedy): Promise<FoundPlaybook> {
    return playbookForRemedy(captured, component, diagnosis, remedy, this.ports);
  }

  private async pattern(captured: Captured): Promise<Pattern> {
    return (await this.ports.incidents.pattern(captured.failure.signature)) ?? captured.pattern;
  }

  private async savePattern(pattern: Pattern): Promise<void> {
    await this.ports.incidents.savePattern(pattern);
  }

  private async advance(captured: Captured, event: PatternEvent): Promise<void> {
    const pattern = await this.pattern(captured);
    await this.savePattern({ ...pattern, ...nextPatternState(pattern, event) });
  }

  private async explain(
    about: About,
    action: string,
    playbook: RegisteredPlaybook | null,
    outcome: Explanation['outcome'],
    approval: string | null = null,
  ): Promise<void> {
    const { captured, verdict, changed, component } = about;
    const { failure } = captured;
    const shown = verdict.chosen ?? verdict.best;
    const commands = commandsFor(shown, {
      failure,
      component,
      incident: captured.pattern.incidentId,
      outcome,
      playbook: playbook?.name ?? null,
      approval,
      hasLog: failure.symptom !== 'check',
      hasDrift: changed.suspects.length > 0,
      projectDir: this.ports.projectDir,
    });
    const needsPerson = outcome !== 'open' && outcome !== 'healed' && (outcome !== 'not_healed' || playbook === null);
    if (needsPerson)
      this.ports.emit({
        type: 'person_needed',
        component: failure.component,
        incident: captured.pattern.incidentId,
        advice: adviceOf(about),
        commands,
      });
    const suspects = changed.suspects.slice(0, CHANGES_MAX);
    const advice = adviceOf(about);
    await this.ports.incidents.saveExplanation(
      explanationOf({ failure, verdict, changes: suspects.map(describeSuspect), suspects, action, playbook, outcome, advice, commands }),
    );
  }

  private async setOutcome(
    incidents: IncidentStore,
    run: AppliedRun,
    outcome: Explanation['outcome'],
    action: string | null,
  ): Promise<void> {
    const found = (await incidents.explanations({ signature: run.captured.failure.signature, limit: 20 })).find(
      (e) => e.failureId === run.captured.failure.id,
    );
    const commands = outcome === 'healed' ? { commands: commandsAfterHealing(run.playbook) } : {};
    if (found) await incidents.saveExplanation({ ...found, outcome, ...commands, ...(action === null ? {} : { action }) });
  }
}

/** A failure, and what was made of it. */
interface About {
  readonly captured: Captured;
  readonly component: ComponentSpec;
  readonly verdict: Verdict;
  readonly changed: WhatChanged;
}

/** The catalog knows what to do, or what to wait for, without asking anybody. */
function isSure({ chosen, best }: Verdict): boolean {
  return chosen === null ? best.waitFor !== null && best.confidence >= SURE : chosen.confidence >= SURE;
}

/** What helped a person before comes first. */
function adviceOf({ verdict, changed }: About): readonly string[] {
  const { advice } = verdict.chosen ?? verdict.best;
  return changed.lessons.length === 0 ? advice : [`the last time a person mended it: ${changed.lessons.join('; ')}`, ...advice];
}

function remedyOf(diagnosis: Diagnosis): Remedy {
  if (diagnosis.remedy === null) throw new TypeError('only a diagnosis with a remedy is applied');
  return diagnosis.remedy;
}
