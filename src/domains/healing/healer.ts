import { resolve } from 'node:path';
import { GraceError, messageOf, type JsonObject } from '../../kernel/index.ts';
import { approvalState, type ApprovalState, type Phase } from '../governance/index.ts';
import { nextPatternState, type Explanation, type IncidentStore, type Pattern, type PatternEvent } from '../incidents/index.ts';
import {
  commandsAfterHealing,
  commandsFor,
  describeSuspect,
  diagnose,
  explanationOf,
  type Captured,
  type Diagnosis,
  type Remedy,
  type Verdict,
  type WaitFor,
} from '../learning/index.ts';
import { executePlaybook, undoRun, type LoadedPlaybook, type RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { askForApproval } from './ask-approval.ts';
import { authorize, bindingOfFile, type Authorized } from './authorize.ts';
import type { HealerPorts, WhatChanged } from './healer-ports.ts';
import { playbookForRemedy, type FoundPlaybook } from './playbook-for-remedy.ts';

/** A playbook that has run and is not yet proven. */
export interface AppliedRun {
  readonly runId: string;
  readonly playbook: string;
  readonly captured: Captured;
  readonly diagnosis: Diagnosis;
  readonly component: ComponentSpec;
  readonly restart: boolean;
}

export type HealResult =
  | { readonly state: 'applied'; readonly run: AppliedRun }
  | { readonly state: 'failed'; readonly playbook: string; readonly reason: string; readonly diagnosis: Diagnosis }
  | { readonly state: 'hold'; readonly diagnosis: Diagnosis; readonly waitFor: WaitFor | null }
  | {
      readonly state: 'needs_approval';
      readonly diagnosis: Diagnosis;
      readonly approval: string;
      /** What it would change, absolute: somebody may do that by hand meanwhile. */
      readonly watch: readonly string[];
    }
  | { readonly state: 'observed'; readonly diagnosis: Diagnosis };

/** Longest a whole playbook may take; package installs are the slow ones. */
const RUN_TIMEOUT_MS = 8 * 60_000;
/** What the catalog is this sure of does not wait for what was learned from a person and nobody has approved yet. */
const SURE = 0.8;
/** Suspects in an explanation. */
const CHANGES_MAX = 8;

/** From a captured failure to an applied playbook: diagnose, choose, decide, act. Verification is the caller's. */
export class Healer {
  private readonly ports: HealerPorts;

  constructor(ports: HealerPorts) {
    this.ports = ports;
  }

  async heal(
    captured: Captured,
    component: ComponentSpec,
    phase: Phase,
    attempts: readonly string[],
    signal: AbortSignal,
    mayAct = true,
  ): Promise<HealResult> {
    const { emit } = this.ports;
    const c = await this.ports.caseFile(captured, component, attempts);
    const [verdict, changed] = await Promise.all([
      diagnose(c, (await this.ports.knowledge()).families, this.ports.logger),
      this.ports.whatChanged(captured, c),
    ]);
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
    if (!mayAct) {
      await this.explain(about, 'nothing more: the healing attempts of this boot are used up', null, 'not_healed');
      return { state: 'hold', diagnosis: shown, waitFor: shown.waitFor };
    }
    const own = await this.ownPlaybook(captured, component, verdict, attempts);
    if (verdict.chosen === null && own === null) {
      await this.explain(about, 'nothing: nobody but a person (or time) can help here', null, 'waiting');
      return { state: 'hold', diagnosis: shown, waitFor: shown.waitFor };
    }
    return this.apply(about, component, phase, attempts, own, signal);
  }

  private async apply(
    about: About,
    component: ComponentSpec,
    phase: Phase,
    attempts: readonly string[],
    own: RegisteredPlaybook | null,
    signal: AbortSignal,
  ): Promise<HealResult> {
    const { clock, emit, ids, playbooks, journal, library } = this.ports;
    const { primitives } = await this.ports.knowledge();
    const { captured, verdict } = about;
    const diagnosis = verdict.chosen ?? verdict.best;
    const { registered, wasGenerated } =
      own === null ? await this.playbookFor(captured, component, diagnosis, remedyOf(diagnosis)) : { registered: own, wasGenerated: false };
    let playbook: LoadedPlaybook;
    let hash: string;
    try {
      ({ playbook, hash } = await library.load(registered.file));
    } catch (error) {
      emit({
        type: 'notice',
        level: 'error',
        text: `${messageOf(error)}${error instanceof GraceError && error.hint ? `\n  ${error.hint}` : ''}`,
      });
      return { state: 'failed', playbook: registered.name, reason: messageOf(error), diagnosis };
    }
    const params: JsonObject = playbook.params;
    // What is decided on is what was just loaded: an edit since it was registered cannot ride on old trust.
    const { decision, approval, binding, foreseen, outdated } = await this.authorize(registered, playbook, hash, component, phase, {
      attempts: attempts.length,
      signal,
    });
    emit({
      type: 'playbook_chosen',
      component: component.name,
      playbook: registered.name,
      generated: wasGenerated,
      file: registered.file,
      risk: playbook.risk,
      tier: playbook.tier,
      verdict: decision.verdict,
      reason: decision.reason,
      policies: decision.policies,
    });
    await this.savePattern({ ...(await this.pattern(captured)), playbook: registered.name });
    if (decision.verdict === 'deny') {
      await this.explain(about, `nothing: ${registered.name} may not run: ${decision.reason}`, registered, 'waiting');
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

    const runId = ids.next('run');
    const run = {
      id: runId,
      playbook: registered.name,
      hash,
      component: component.name,
      bootId: captured.failure.bootId,
      signature: captured.failure.signature,
      decision: decision.reason,
      startedAtMs: clock.nowMs(),
      endedAtMs: null,
    };
    await playbooks.saveRun({ ...run, state: 'running' });
    const onStep = (step: string, state: 'start' | 'progress' | 'done' | 'nothing_to_do' | 'failed', summary: string): void =>
      emit({ type: 'step', component: component.name, playbook: registered.name, step, state, summary });
    const limited = AbortSignal.any([signal, AbortSignal.timeout(RUN_TIMEOUT_MS)]);
    const context = this.ports.primitiveContext(component, limited, (text) => onStep('', 'progress', text));
    const outcome = await executePlaybook({ runId, playbook, params, primitives, context, journal, onStep });
    if (!outcome.success || outcome.changes === 0) {
      const reason = outcome.results.find((r) => !r.success)?.error ?? 'it found nothing to do';
      const left = await undoRun(runId, primitives, context, journal);
      await playbooks.saveRun({ ...run, state: 'undone', endedAtMs: clock.nowMs() });
      if (!outcome.refused && !outcome.success) await playbooks.count(registered.name, 'failed');
      await this.explain(about, `${registered.name} did not work: ${reason}`, registered, 'not_healed');
      emit({ type: 'playbook_failed', component: component.name, playbook: registered.name, reason, undone: left.length === 0 });
      return { state: 'failed', playbook: registered.name, reason, diagnosis };
    }
    await playbooks.saveRun({ ...run, state: 'applied', endedAtMs: clock.nowMs() });
    await this.advance(captured, 'fix_applied');
    const done = outcome.results.map((r) => r.summary ?? r.step).join('; ');
    await this.explain(about, done, registered, 'open');
    return {
      state: 'applied',
      run: { runId, playbook: registered.name, captured, diagnosis, component, restart: diagnosis.remedy?.restart ?? true },
    };
  }

  /**
   * Runs the playbook of a learned pattern before its failure can come back.
   * @returns what became of it; `nothing_to_do` when the machine was fine after all
   */
  async prevent(
    name: string,
    component: ComponentSpec,
    bootId: string,
    signal: AbortSignal,
  ): Promise<{ state: 'applied' | 'nothing_to_do' | 'failed' | 'waiting'; detail: string; runId: string | null }> {
    const { clock, ids, emit, playbooks, journal, library } = this.ports;
    const { primitives } = await this.ports.knowledge();
    const registered = await playbooks.get(name);
    if (registered === null || !registered.isEnabled) return { state: 'failed', detail: 'it is not registered, or disabled', runId: null };
    let playbook: LoadedPlaybook;
    let hash: string;
    try {
      ({ playbook, hash } = await library.load(registered.file));
    } catch (error) {
      return { state: 'failed', detail: messageOf(error), runId: null };
    }
    const { decision } = await this.authorize(registered, playbook, hash, component, 'boot', { attempts: 0, signal });
    emit({
      type: 'playbook_chosen',
      component: component.name,
      playbook: name,
      generated: false,
      file: registered.file,
      risk: registered.risk,
      tier: registered.tier,
      verdict: decision.verdict,
      reason: decision.reason,
      policies: decision.policies,
    });
    if (decision.verdict !== 'allow' && decision.verdict !== 'allow_with_notice')
      return { state: 'waiting', detail: decision.reason, runId: null };
    const runId = ids.next('run');
    const run = {
      id: runId,
      playbook: name,
      hash,
      component: component.name,
      bootId,
      signature: registered.signature,
      decision: decision.reason,
      startedAtMs: clock.nowMs(),
      endedAtMs: null,
    };
    await playbooks.saveRun({ ...run, state: 'running' });
    const onStep = (step: string, state: 'start' | 'progress' | 'done' | 'nothing_to_do' | 'failed', summary: string): void =>
      emit({ type: 'step', component: component.name, playbook: name, step, state, summary });
    const context = this.ports.primitiveContext(component, signal, (text) => onStep('', 'progress', text));
    const outcome = await executePlaybook({ runId, playbook, params: playbook.params, primitives, context, journal, onStep });
    if (outcome.success) {
      await playbooks.saveRun({ ...run, state: outcome.changes === 0 ? 'undone' : 'applied', endedAtMs: clock.nowMs() });
      return {
        state: outcome.changes === 0 ? 'nothing_to_do' : 'applied',
        detail: outcome.results.map((r) => r.summary ?? r.step).join('; '),
        runId,
      };
    }
    await undoRun(runId, primitives, context, journal);
    await playbooks.saveRun({ ...run, state: 'undone', endedAtMs: clock.nowMs() });
    const detail = outcome.results.find((r) => !r.success)?.error ?? 'it did not work';
    emit({ type: 'playbook_failed', component: component.name, playbook: name, reason: detail, undone: true });
    return { state: 'failed', detail, runId };
  }

  private async authorize(
    registered: RegisteredPlaybook,
    playbook: LoadedPlaybook,
    hash: string,
    component: ComponentSpec,
    phase: Phase,
    { attempts, signal }: { readonly attempts: number; readonly signal: AbortSignal },
  ): Promise<Authorized> {
    const { primitives } = await this.ports.knowledge();
    const context = this.ports.primitiveContext(component, signal, () => undefined);
    return authorize(this.ports, { registered, playbook, hash, component: component.name, phase, attempts, primitives, context });
  }

  /** What a crash of Grace cut off: steps that may have acted are undone, last first, once. @returns playbook names */
  async undoUnfinished(component: (name: string) => ComponentSpec | null, signal: AbortSignal): Promise<readonly string[]> {
    const { playbooks, journal, clock } = this.ports;
    const undone: string[] = [];
    for (const run of await playbooks.runsIn('running')) {
      const spec = component(run.component);
      if (spec !== null) {
        const { primitives } = await this.ports.knowledge();
        const left = await undoRun(
          run.id,
          primitives,
          this.ports.primitiveContext(spec, signal, () => undefined),
          journal,
        );
        for (const text of left)
          this.ports.emit({ type: 'notice', level: 'warn', text: `${run.playbook} was cut off and could not be undone: ${text}` });
      }
      await playbooks.saveRun({ ...run, state: 'interrupted', endedAtMs: clock.nowMs() });
      undone.push(run.playbook);
    }
    return undone;
  }

  /** The fix held: failing check passed, ready, stable for the soak time, smoke tests passed. */
  async confirm(run: AppliedRun): Promise<void> {
    const { playbooks, clock, emit, incidents } = this.ports;
    const stored = await playbooks.run(run.runId);
    if (stored !== null) await playbooks.saveRun({ ...stored, state: 'verified', endedAtMs: clock.nowMs() });
    await playbooks.count(run.playbook, 'verified');
    await this.advance(run.captured, 'fix_verified');
    await this.setOutcome(incidents, run, 'healed', null);
    emit({ type: 'playbook_verified', component: run.component.name, playbook: run.playbook, incident: run.captured.pattern.incidentId });
  }

  /** The same failure came back, or something else says it did not help: everything it changed is put back. */
  async reject(run: AppliedRun, reason: string, signal: AbortSignal): Promise<void> {
    const { playbooks, clock, emit, incidents, journal } = this.ports;
    const { primitives } = await this.ports.knowledge();
    const context = this.ports.primitiveContext(run.component, signal, () => undefined);
    const left = await undoRun(run.runId, primitives, context, journal);
    const stored = await playbooks.run(run.runId);
    if (stored !== null) await playbooks.saveRun({ ...stored, state: left.length === 0 ? 'undone' : 'failed', endedAtMs: clock.nowMs() });
    await playbooks.count(run.playbook, 'failed');
    await this.advance(run.captured, 'fix_failed');
    await this.setOutcome(
      incidents,
      run,
      'not_healed',
      `${run.playbook} did not help (${reason})${left.length === 0 ? ' and was undone' : `; left as it is: ${left.join('; ')}`}`,
    );
    emit({ type: 'playbook_failed', component: run.component.name, playbook: run.playbook, reason, undone: left.length === 0 });
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
      const answer = await this.answerTo(p, component);
      if (answer === 'approved') return p;
      if (answer !== 'rejected' && !isSure(verdict)) return p;
    }
    return null;
  }

  /** What people have said to exactly these bytes; null when they were not asked, or the file is gone or does not load. */
  private async answerTo(playbook: RegisteredPlaybook, component: ComponentSpec): Promise<ApprovalState | null> {
    try {
      const loaded = await this.ports.library.load(playbook.file);
      const approval = await this.ports.approvals.byBinding(bindingOfFile(loaded.hash, component.name, loaded.playbook.params));
      return approval === null ? null : approvalState(approval, this.ports.clock.nowMs());
    } catch {
      return 'rejected'; // nothing that could be run; the catalog goes on without it
    }
  }

  /** The registered playbook for this remedy, or one that is written now. */
  playbookFor(captured: Captured, component: ComponentSpec, diagnosis: Diagnosis, remedy: Remedy): Promise<FoundPlaybook> {
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
