import { messageOf } from '../../kernel/index.ts';
import {
  approvalState,
  askForAction,
  isAllowed,
  type ActionApprovalPorts,
  type Mode,
  type PersonRequest,
  type PersonRequestState,
  type PersonRequestStore,
} from '../governance/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Emit } from './events.ts';
import type { RestartResult } from './supervision-ports.ts';

export interface PersonRequestPorts extends ActionApprovalPorts {
  readonly requests: PersonRequestStore;
  mode(): Promise<Mode>;
  readonly environment: string;
  readonly components: readonly ComponentSpec[];
  readonly emit: Emit;
  restart(component: string, why: string): Promise<RestartResult>;
}

/** Who asked has gone by then, or asked a Grace that did not run. */
const ASKED_MS_MAX = 60_000;

/** Answers what people ask of the Grace that runs: each is decided, recorded, done, and told how it went. */
export class PersonRequests {
  private readonly ports: PersonRequestPorts;

  constructor(ports: PersonRequestPorts) {
    this.ports = ports;
  }

  /** What an earlier Grace has left open is asked again by whoever still wants it: much may have changed. */
  async expireLeft(): Promise<void> {
    for (const r of await this.ports.requests.open())
      await this.move(
        r,
        'expired',
        r.state === 'running' ? 'Grace ended while it was done; look at: grace status' : 'Grace was started anew since',
      );
  }

  /**
   * Looks once at all that is open.
   * @param isWatching  the service has booted: before that, what starts components is the boot
   */
  async look(isWatching: boolean): Promise<void> {
    for (const request of await this.ports.requests.open()) {
      if (request.state === 'asked') await this.takeUp(request, isWatching);
      else if (request.state === 'waiting') await this.lookAtApproval(request);
    }
  }

  private async takeUp(r: PersonRequest, isWatching: boolean): Promise<void> {
    const { clock, components } = this.ports;
    const spec = components.find((c) => c.name === r.component);
    if (clock.nowMs() - r.askedAtMs > ASKED_MS_MAX) await this.move(r, 'expired', 'it was asked too long ago');
    else if (spec === undefined)
      await this.move(r, 'refused', `there is no component "${r.component}"; there are: ${components.map((c) => c.name).join(', ')}`);
    else if (spec.kind === 'dependency') await this.move(r, 'refused', `${spec.name} is a dependency: it is not run by Grace`);
    else if (!isWatching) await this.move(r, 'refused', 'the service is still booting: ask again when it is up');
    else await this.decide(r, spec);
  }

  private async lookAtApproval(r: PersonRequest): Promise<void> {
    const approval = r.approval === null ? null : await this.ports.approvals.get(r.approval);
    const state = approval === null ? 'expired' : approvalState(approval, this.ports.clock.nowMs());
    const spec = this.ports.components.find((c) => c.name === r.component);
    if (state === 'pending') return;
    if (state === 'approved' && spec !== undefined) await this.decide(r, spec);
    else
      await this.move(r, 'refused', state === 'rejected' ? `${approval?.rejectedBy ?? 'somebody'} said no` : 'nobody agreed to it in time');
  }

  private async decide(r: PersonRequest, spec: ComponentSpec): Promise<void> {
    const { mode, environment, emit } = this.ports;
    const { decision, approval } = await askForAction(
      this.ports,
      {
        action: 'restart_component',
        actor: { kind: 'person', name: r.by },
        component: spec.name,
        isCritical: spec.critical,
        mode: await mode(),
        environment,
        approvals: 0,
      },
      r.id, // agreed to once, for this request
      [`stop ${spec.name} and start it again${r.reason === '' ? '' : `: ${r.reason}`}`],
    );
    if (isAllowed(decision)) return this.restart(r, approval?.id ?? null);
    if (decision.verdict !== 'needs_approval') return void (await this.move(r, 'refused', decision.reason));
    if (r.approval === approval?.id) return;
    if (await this.move(r, 'waiting', decision.reason, approval?.id ?? null))
      emit({
        type: 'notice',
        level: 'warn',
        text: `${r.by} asks for a restart of ${spec.name}, and ${decision.reason}: grace approvals show ${approval?.id ?? ''}`,
      });
  }

  /** Goes on beside the next looks: a component may take its time. */
  private async restart(r: PersonRequest, approval: string | null): Promise<void> {
    if (!(await this.move(r, 'running', 'it is stopped and started again', approval))) return;
    const running: PersonRequest = { ...r, state: 'running', approval };
    void this.ports
      .restart(r.component, `${r.by} asked for it${r.reason === '' ? '' : `: ${r.reason}`}`)
      .then(
        (result) => this.move(running, result.state === 'ready' ? 'done' : 'failed', result.detail),
        (error: unknown) => this.move(running, 'failed', messageOf(error)),
      )
      .catch((error: unknown) =>
        this.ports.emit({ type: 'notice', level: 'warn', text: `how a restart ended could not be kept: ${messageOf(error)}` }),
      );
  }

  private move(r: PersonRequest, state: PersonRequestState, detail: string, approval = r.approval): Promise<boolean> {
    return this.ports.requests.move(r.id, r.state, { state, detail, approval });
  }
}
