import { resolve } from 'node:path';
import { ApprovalRefused, approvalState, isForOneRun, useApproval, type Approval, type Phase } from '../governance/index.ts';
import { diagnose, lastResort, type Captured, type Diagnosis, type Remedy, type WaitFor } from '../learning/index.ts';
import type { AttemptScope, RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { AppliedRuns, type AppliedRun } from './applied-runs.ts';
import { askForApproval } from './ask-approval.ts';
import { AskedRuns } from './asked-runs.ts';
import { CutOffRuns } from './cut-off-runs.ts';
import { decideRun, describeUnloadable, tellChosen, type DecidedRun } from './decide-run.ts';
import type { HealerPorts } from './healer-ports.ts';
import { IncidentRecord, type Diagnosed } from './incident-record.ts';
import { ownPlaybook } from './own-playbook.ts';
import { PlaybookRuns } from './playbook-runs.ts';
import { Relapses } from './relapses.ts';
import { RemedyPlaybooks } from './remedy-playbooks.ts';

interface HealRequest {
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

/** What became of a playbook that was to run before its failure could come back. */
interface Prevented {
  readonly state: 'applied' | 'nothing_to_do' | 'failed' | 'waiting';
  readonly detail: string;
  readonly runId: string | null;
  /** It has failed only because another run has the component. */
  readonly isBusy?: boolean;
}

/** From a failure, or before it comes back, to a playbook that has run: diagnose, choose, decide, act. What runs come to is told by their own. */
export class Healer {
  /** Playbooks for remedies. */
  readonly remedies: RemedyPlaybooks;
  /** What has run for a failure and has to prove itself. */
  readonly applied: AppliedRuns;
  /** What has run without one. */
  readonly asked: AskedRuns;
  /** What was proven, and has not helped after all. */
  readonly relapses: Relapses;
  /** What ended half way. */
  readonly cutOff: CutOffRuns;
  private readonly ports: HealerPorts;
  private readonly runs: PlaybookRuns;
  private readonly record: IncidentRecord;

  constructor(ports: HealerPorts) {
    this.ports = ports;
    this.runs = new PlaybookRuns(ports);
    this.record = new IncidentRecord(ports);
    this.remedies = new RemedyPlaybooks(ports);
    this.applied = new AppliedRuns(ports, this.runs, this.record);
    this.asked = new AskedRuns(ports, this.runs);
    this.relapses = new Relapses(ports, this.runs, this.applied, this.record);
    this.cutOff = new CutOffRuns(ports, this.runs, this.applied);
  }

  /** Makes the most of a captured failure. That it helped is the caller's to find out, and to say in `applied`. */
  async heal(request: HealRequest): Promise<HealResult> {
    const { captured, component, attempts, signal, mayAct = true } = request;
    const diagnosed = await this.diagnose(request);
    const { verdict } = diagnosed;
    const shown = verdict.chosen ?? verdict.best;
    await this.record.noteDiagnosis(diagnosed);
    if (!mayAct && verdict.chosen === null) {
      await this.record.explain(diagnosed, 'nothing more: the healing attempts of this boot are used up', null, 'not_healed');
      return { state: 'hold', diagnosis: shown, waitFor: shown.waitFor };
    }
    const own = mayAct ? await ownPlaybook(this.ports, captured, component, verdict, attempts, signal) : null;
    if (verdict.chosen === null && own === null) {
      await this.record.explain(diagnosed, 'nothing: nobody but a person (or time) can help here', null, 'waiting');
      return { state: 'hold', diagnosis: shown, waitFor: shown.waitFor };
    }
    const { registered, wasGenerated } =
      own === null ? await this.remedies.find(captured, component, shown, remedyOf(shown)) : { registered: own, wasGenerated: false };
    return this.tryPlaybook(registered, wasGenerated, diagnosed, request);
  }

  private async diagnose({ captured, component, attempts, mayAct = true }: HealRequest): Promise<Diagnosed> {
    const c = await this.ports.caseFile(captured, component, attempts);
    const tierOf = (remedy: Remedy) => this.remedies.tierInForce(component, remedy);
    const [found, changed] = await Promise.all([
      diagnose(c, (await this.ports.knowledge()).families, this.ports.logger, tierOf),
      this.ports.whatChanged(captured, c),
    ]);
    // A last resort is asked for and not just tried: it is offered also when the tries are used up.
    const verdict = mayAct ? found : { ...found, chosen: lastResort(found.best, found.all, attempts) };
    return { captured, component, verdict, changed };
  }

  /** As far as it may: it runs, or is only told of, or people are asked. */
  private async tryPlaybook(
    registered: RegisteredPlaybook,
    wasGenerated: boolean,
    diagnosed: Diagnosed,
    request: HealRequest,
  ): Promise<HealResult> {
    const { component, phase, attempts, signal } = request;
    const { emit, shadow } = this.ports;
    const { captured, verdict } = diagnosed;
    const diagnosis = verdict.chosen ?? verdict.best;
    const { signature } = captured.failure;
    const occasion = { phase, attempts: attempts.length, signature, alike: captured.alike ?? [], by: null, signal };
    const decided = await decideRun(this.ports, registered, component, occasion);
    if (decided instanceof Error) {
      emit({ type: 'notice', level: 'error', text: describeUnloadable(decided) });
      return { state: 'failed', playbook: registered.name, reason: decided.message, diagnosis };
    }
    const { hash, decision, limit } = decided;
    tellChosen(emit, registered, decided, component, wasGenerated);
    await shadow.note({ captured, component, registered, hash, decision });
    await this.record.notePlaybook(captured, registered.name);
    if (decision.verdict === 'deny') {
      await this.record.explain(diagnosed, `nothing: ${registered.name} may not run: ${decision.reason}`, registered, 'waiting');
      // A limit ends healing, not supervision: at run time it is still kept up as far as starting it again can do that.
      if (limit !== null && phase === 'runtime') return { state: 'observed', diagnosis };
      return { state: 'hold', diagnosis, waitFor: diagnosis.waitFor };
    }
    if (decision.verdict === 'observe') {
      await this.record.explain(diagnosed, `would run ${registered.name}: ${decision.reason}`, registered, 'observed');
      return { state: 'observed', diagnosis };
    }
    if (decision.verdict === 'needs_approval') return this.askPeople(registered, decided, decision.approvals, diagnosed);
    return this.run(registered, decided, diagnosed, request);
  }

  private async askPeople(
    registered: RegisteredPlaybook,
    { decision, approval, binding, foreseen, outdated }: DecidedRun,
    required: number,
    diagnosed: Diagnosed,
  ): Promise<HealResult> {
    const { clock, emit } = this.ports;
    const { captured, component, verdict } = diagnosed;
    const diagnosis = verdict.chosen ?? verdict.best;
    if (approval !== null && approvalState(approval, clock.nowMs()) === 'rejected') {
      // Somebody said no to exactly this: asking again would only wear them down.
      const said = `nothing: ${approval.rejectedBy ?? 'somebody'} rejected ${registered.name}`;
      await this.record.explain(diagnosed, said, registered, 'waiting');
      return { state: 'hold', diagnosis, waitFor: diagnosis.waitFor };
    }
    const { incidentId } = captured.pattern;
    const asked = { playbook: registered, component: component.name, incidentId, binding, foreseen, required };
    const id = await askForApproval(this.ports, asked);
    if (outdated !== null)
      emit({
        type: 'notice',
        level: 'warn',
        text: `approval ${outdated.id} is not for this any more, and nothing was done: ${outdated.changes.join('; ')}; asked again as ${id}`,
      });
    await this.record.explain(diagnosed, `waits for approval ${id}: ${decision.reason}`, registered, 'needs_approval', id);
    emit({ type: 'approval_needed', component: component.name, playbook: registered.name, approval: id, reason: decision.reason });
    const watch = registered.steps.flatMap(({ params: { path, file } }) =>
      [path, file].flatMap((place) => (typeof place === 'string' ? [resolve(component.cwd, place)] : [])),
    );
    return { state: 'needs_approval', diagnosis, approval: id, watch };
  }

  private async run(
    registered: RegisteredPlaybook,
    { playbook, hash, decision, tier, agreed }: DecidedRun,
    diagnosed: Diagnosed,
    { component, scope, signal }: HealRequest,
  ): Promise<HealResult> {
    const { captured, verdict } = diagnosed;
    const diagnosis = verdict.chosen ?? verdict.best;
    const { confidence, remedy } = diagnosis;
    const restart = remedy?.restart ?? true;
    const outcome = await this.runs.run({
      registered,
      playbook,
      hash,
      component,
      bootId: captured.failure.bootId,
      scope,
      signature: captured.failure.signature,
      failureId: captured.failure.id,
      confidence,
      restart,
      decision,
      tier,
      agreed,
      signal,
    });
    if (outcome.state === 'busy') {
      await this.record.explain(diagnosed, `${registered.name} has not run yet: ${outcome.detail}`, registered, 'open');
      return { state: 'busy', playbook: registered.name, reason: outcome.detail, diagnosis };
    }
    if (outcome.state !== 'applied') {
      const { undone } = outcome;
      const reason = outcome.state === 'nothing_to_do' ? 'it found nothing to do' : outcome.detail;
      await this.record.explain(diagnosed, `${registered.name} did not work: ${reason}`, registered, 'not_healed');
      this.ports.emit({ type: 'playbook_failed', component: component.name, playbook: registered.name, reason, undone });
      return { state: 'failed', playbook: registered.name, reason, diagnosis };
    }
    await this.record.advance(captured, 'fix_applied');
    await this.record.explain(diagnosed, outcome.detail, registered, 'open');
    return { state: 'applied', run: { runId: outcome.runId, playbook: registered.name, captured, component, confidence, restart } };
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
    tellChosen(emit, registered, foretold, component, false);
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
  ): Promise<DecidedRun | Error> {
    return decideRun(this.ports, registered, component, { phase, attempts: 0, signature: registered.signature, alike: [], by, signal });
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
}

function remedyOf(diagnosis: Diagnosis): Remedy {
  if (diagnosis.remedy === null) throw new TypeError('only a diagnosis with a remedy is applied');
  return diagnosis.remedy;
}
