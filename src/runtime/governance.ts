import { cedarPolicy, checkPolicies, type PolicyRule } from '../adapters/policy/index.ts';
import {
  approvalState,
  askForAction,
  isAllowed,
  modeInForce,
  policyDigest,
  recordedDecisions,
  type ApprovalStore,
  type DecisionPoint,
  type DecisionRecord,
  type Mode,
  type ModeInForce,
  type ModeStore,
  type PolicySource,
  type PolicyText,
  type PolicyTextStore,
} from '../domains/governance/index.ts';
import type { Emit, GraceEvent } from '../domains/healing/index.ts';
import { messageOf, type Clock, type Ids, type Logger } from '../kernel/index.ts';

export interface GovernancePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly approvals: ApprovalStore;
  readonly decisions: DecisionRecord;
  readonly modes: ModeStore;
  readonly policyTexts: PolicyTextStore;
  readonly emit: Emit;
  readonly environment: string;
  /** The user this Grace runs as: whoever starts it with other policies asks for them. */
  readonly user: string;
}

type PolicyChanged = Extract<GraceEvent, { type: 'policy_changed' }>;

/** Policy ids told in one event. */
const TOLD_MAX = 20;

/** What governs this Grace: the policies in force, whose every decision is recorded, and the mode. */
export class Governance {
  /** Recorded, and of the policies that are in force when it is asked. */
  readonly policy: DecisionPoint;
  private readonly ports: GovernancePorts;
  private readonly files: readonly PolicySource[];
  private current: DecisionPoint;
  private waitsFor: string | null = null;
  private told: ModeInForce | null = null;

  /**
   * @param current  decides until `settlePolicies` has found out what is in force
   * @param files  the user's policies as they are now; checked
   */
  constructor(ports: GovernancePorts, current: DecisionPoint, files: readonly PolicySource[]) {
    this.ports = ports;
    this.current = current;
    this.files = files;
    const { decisions: record, clock, ids } = ports;
    this.policy = recordedDecisions({ decide: (request) => this.current.decide(request) }, { record, clock, ids });
  }

  /** Never throws: where the store cannot say it, Grace does no more than look. */
  async mode(): Promise<Mode> {
    try {
      return (await this.present()).mode;
    } catch (error) {
      this.ports.logger.warn('the mode cannot be read; until it can, it is observation_only', { error: messageOf(error) });
      return 'observation_only';
    }
  }

  /** Each beat: says that the mode is another one, and takes up policies that people have agreed to. */
  async look(): Promise<void> {
    const now = await this.present();
    const before = this.told;
    this.told = now;
    if (before === null) {
      if (now.mode !== 'normal')
        this.ports.emit({ type: 'notice', level: 'warn', text: `the mode is ${now.mode}, set by ${now.by}: ${now.reason}` });
    } else if (before.mode !== now.mode) {
      const { mode, by, reason, untilMs } = now;
      this.ports.emit({ type: 'mode_changed', mode, before: before.mode, by, reason, untilMs });
    }
    if (this.waitsFor === null) return;
    const approval = await this.ports.approvals.get(this.waitsFor);
    if (approval === null || approvalState(approval, this.ports.clock.nowMs()) !== 'pending') await this.settlePolicies();
  }

  /**
   * Other policies than those in force count only when those allow it [GV-5]; until then the ones in force stay, from the
   * store. Doing it again finds what has changed since.
   */
  async settlePolicies(): Promise<void> {
    const { policyTexts, clock } = this.ports;
    const digest = policyDigest(this.files);
    const before = await policyTexts.inForce();
    this.waitsFor = null;
    if (before === null || before.digest === digest) {
      if (before === null) await policyTexts.save(this.text('in_force', 'they are the first', null));
      this.current = cedarPolicy(this.files);
      return;
    }
    const [was, is] = await Promise.all([checkPolicies(before.files), checkPolicies(this.files)]);
    const ids = (rules: readonly PolicyRule[], but: readonly PolicyRule[]): readonly string[] =>
      rules.filter((p) => !but.some((q) => q.id === p.id && q.text === p.text)).map((p) => p.id);
    const changes = { added: ids(is.rules, was.rules), removed: ids(was.rules, is.rules) };
    const [unusable] = was.mistakes;
    if (unusable !== undefined) {
      // After an upgrade: what cannot be read forbids everything, also that it is replaced.
      await this.replace(changes, `this Grace cannot use those before (${unusable.file}:${unusable.line}: ${unusable.problem})`, null);
      return;
    }
    const { decisions: record, ids: idSource, environment, user, approvals } = this.ports;
    const inForce = cedarPolicy(before.files);
    const { decision, approval } = await askForAction(
      { policy: recordedDecisions(inForce, { record, clock, ids: idSource }), approvals, clock, ids: idSource },
      {
        action: 'change_policy',
        actor: { kind: 'person', name: user },
        digest,
        ...changes,
        mode: await this.mode(),
        environment,
        approvals: 0,
      },
      `${before.digest} ${before.sinceMs}`, // agreed to once, from what is in force now
      summaryOf(changes),
    );
    if (isAllowed(decision)) return this.replace(changes, decision.reason, approval?.id ?? null);
    this.current = inForce;
    const state = decision.verdict === 'needs_approval' ? 'waiting' : 'refused';
    if (state === 'waiting') this.waitsFor = approval?.id ?? null;
    await policyTexts.save(this.text(state, decision.reason, approval?.id ?? null));
    this.tell(state, changes, decision.reason, approval?.id ?? null);
  }

  private async replace(changes: Changes, reason: string, approval: string | null): Promise<void> {
    await this.ports.policyTexts.save(this.text('in_force', reason, approval));
    this.current = cedarPolicy(this.files);
    this.tell('in_force', changes, reason, approval);
  }

  private tell(state: PolicyChanged['state'], { added, removed }: Changes, reason: string, approval: string | null): void {
    this.ports.emit({
      type: 'policy_changed',
      state,
      digest: policyDigest(this.files),
      added: added.slice(0, TOLD_MAX),
      removed: removed.slice(0, TOLD_MAX),
      reason,
      approval,
    });
  }

  private text(state: PolicyText['state'], reason: string, approval: string | null): PolicyText {
    return { digest: policyDigest(this.files), files: this.files, state, sinceMs: this.ports.clock.nowMs(), reason, approval };
  }

  private async present(): Promise<ModeInForce> {
    return modeInForce((await this.ports.modes.history(1))[0] ?? null, this.ports.clock.nowMs());
  }
}

interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

function summaryOf({ added, removed }: Changes): readonly string[] {
  return [
    'other policies decide from then on',
    ...(added.length === 0 ? [] : [`new: ${added.slice(0, TOLD_MAX).join(', ')}`]),
    ...(removed.length === 0 ? [] : [`gone: ${removed.slice(0, TOLD_MAX).join(', ')}`]),
  ];
}
