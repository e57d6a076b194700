import { messageOf, type Clock } from '../../kernel/index.ts';
import { approvalState, type Approval, type ApprovalState, type ApprovalStore } from '../governance/index.ts';
import type { PlaybookStore } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Emit } from './events.ts';
import { ROLLBACK } from './earlier-release.ts';
import type { Healer } from './healer.ts';

export interface AnsweredApprovalPorts {
  readonly clock: Clock;
  readonly approvals: Pick<ApprovalStore, 'endingAfter'>;
  readonly playbooks: Pick<PlaybookStore, 'get'>;
  readonly healer: Pick<Healer, 'foretell' | 'prevent'>;
  readonly components: readonly ComponentSpec[];
  readonly bootId: string;
  readonly emit: Emit;
  /** Whether a recovery of this component is going on: it looks at its approval itself. */
  isRecovering(component: string): boolean;
  /** A recovery that only waits for its next try makes it now. */
  hurry(component: string, why: string): void;
  /** Looks again at what is wrong and waited for this. @returns false when this is no moment to */
  lookAgain(approval: string): Promise<boolean>;
  /** Ends with Grace. */
  readonly signal: AbortSignal;
}

/** Whose time is over is still seen for this long: looks come every second, and one may be late. */
const SEEN_AFTER_MS = 60_000;
/** A component that is in other hands for longer is left to the next whole look, or to whoever asked. */
const DUE_MS_MAX = 10 * 60_000;
/** Between two tries of what had to wait: each is decided and recorded. */
const AGAIN_MS = 5000;

interface Due {
  readonly approval: Approval;
  readonly state: ApprovalState;
  readonly sinceMs: number;
  notBeforeMs: number;
}

/**
 * Takes up what people say to requests while the service runs: a yes, a no, or nothing until the time was over. What was agreed to is
 * planned anew then, and done only where it is still that: an approval is bound to the plan, and each is taken up once.
 */
export class AnsweredApprovals {
  private readonly ports: AnsweredApprovalPorts;
  /** How each stood at the last look; null before the first. */
  private known: ReadonlyMap<string, ApprovalState> | null = null;
  private due: readonly Due[] = [];
  private working: Promise<void> | null = null;

  constructor(ports: AnsweredApprovalPorts) {
    this.ports = ports;
  }

  /**
   * Looks once at how all requests stand. What was answered before the first look is the boot's to take up, and no news.
   * @param mayAct  the service has booted, and is not about to stop: until then what is answered waits
   */
  async look(mayAct: boolean): Promise<void> {
    const { clock, approvals } = this.ports;
    const nowMs = clock.nowMs();
    const present = await approvals.endingAfter(nowMs - SEEN_AFTER_MS);
    const before = this.known;
    this.known = new Map(present.map((approval) => [approval.id, approvalState(approval, nowMs)]));
    if (before !== null)
      for (const approval of present) {
        const state = this.known.get(approval.id) ?? 'pending';
        if (state === 'pending' || (before.get(approval.id) ?? 'pending') !== 'pending') continue;
        if (approval.action === 'run_playbook') this.due = [...this.due, { approval, state, sinceMs: clock.monotonicMs(), notBeforeMs: 0 }];
      }
    // Beside the next looks: a playbook may take its time.
    if (mayAct && this.due.length > 0) this.working ??= this.work().finally(() => (this.working = null));
  }

  /** When what was begun is over. */
  async ended(): Promise<void> {
    await this.working;
  }

  private async work(): Promise<void> {
    const { clock, emit, signal } = this.ports;
    for (const due of this.due) {
      if (signal.aborted) return;
      const { approval, sinceMs } = due;
      if (clock.monotonicMs() < due.notBeforeMs) continue;
      try {
        if (!(await this.takeUp(due)) && clock.monotonicMs() - sinceMs < DUE_MS_MAX) {
          due.notBeforeMs = clock.monotonicMs() + AGAIN_MS;
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        emit({ type: 'notice', level: 'warn', text: `approval ${approval.id} could not be taken up: ${messageOf(error)}` });
      }
      this.due = this.due.filter((other) => other !== due);
    }
  }

  /** @returns false when it has to wait: something else acts on the component */
  private async takeUp({ approval, state }: Due): Promise<boolean> {
    const { isRecovering, hurry, lookAgain } = this.ports;
    hurry(approval.component, `${approval.id} is ${state}`);
    if (isRecovering(approval.component)) return false;
    if (approval.requestedBy === null) return lookAgain(approval.id);
    return state !== 'approved' || this.runFor(approval, approval.requestedBy);
  }

  /** What a person asked for and another has agreed to, as if that person asked for it again now. */
  private async runFor({ id, playbook, component }: Approval, by: string): Promise<boolean> {
    const { playbooks, components, healer, emit, signal, bootId } = this.ports;
    const registered = await playbooks.get(playbook);
    const spec = components.find(({ name }) => name === component);
    const again = `${by} asks for it again with: grace playbooks run ${playbook}`;
    const nothing = (why: string): true => {
      emit({ type: 'notice', level: 'warn', text: `${id} is approved, and nothing was done: ${why}` });
      return true;
    };
    if (registered === null || spec === undefined) return nothing(`there is no ${registered === null ? playbook : component} any more`);
    // Not while the service runs with the release that it would change.
    if (registered.steps.some(({ primitive }) => primitive === ROLLBACK)) return true;
    const foretold = await healer.foretell(registered, spec, signal, 'runtime', by);
    if (foretold instanceof Error) return nothing(foretold.message);
    const { decision, outdated } = foretold;
    if (outdated !== null) return nothing(`it is not for this any more: ${outdated.changes.join('; ')}; ${again}`);
    if (decision.verdict !== 'allow' && decision.verdict !== 'allow_with_notice') return nothing(`${decision.reason}; ${again}`);
    emit({ type: 'notice', level: 'info', text: `${id} is approved: ${playbook} runs for ${component}, as ${by} has asked` });
    const { state, detail, isBusy } = await healer.prevent(playbook, spec, bootId, signal, 'runtime', by);
    if (isBusy === true) return false;
    if (state === 'applied' || state === 'nothing_to_do')
      emit({ type: 'notice', level: 'info', text: `${playbook} for ${component}: ${detail}; the next boot shows whether it holds` });
    return true;
  }
}
