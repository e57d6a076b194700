import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeIds } from '../../adapters/node/ids.ts';
import type { Phase } from '../../domains/governance/index.ts';
import { askForApproval } from '../../domains/healing/index.ts';
import { byHand, type ByHandOptions } from '../by-hand.ts';
import type { Composed } from '../compose.ts';
import { NO_BOOT } from '../cut-off.ts';
import { chosenComponent, chosenPlaybook } from './chosen-playbook.ts';
import { ComponentBusy } from './errors.ts';

export interface RunOptions extends ByHandOptions {
  readonly name: string;
  readonly component: string | null;
  /** Who asks, and can not agree to it as well [GV-3]. */
  readonly by: string;
}

export interface RunNow {
  readonly playbook: string;
  readonly component: string;
  /** `waiting`: governance did not let it run. */
  readonly state: 'applied' | 'nothing_to_do' | 'failed' | 'waiting';
  readonly detail: string;
  readonly run: string | null;
  /** The request that people have to answer first; null where none would help, or none is needed. */
  readonly approval: string | null;
  /** A Grace looks after the service, and runs it when that was approved. */
  readonly isTakenUp: boolean;
}

/**
 * Runs a playbook because a person asked for it, and the way healing does: decided on, journalled, undone when it fails.
 * @throws ComponentBusy, NoSuchPlaybook, NoSuchComponent
 */
export function runPlaybook(options: RunOptions): Promise<RunNow> {
  const { config } = options;
  return byHand(options, async (composed, isBesideGrace) => {
    await composed.core.syncPlaybooks();
    const registered = await chosenPlaybook(options.name, composed.playbooks, config.playbooksDir);
    const spec = chosenComponent(options.component, registered, config);
    if (isBesideGrace) await refuseWhileHealing(spec.name, composed);
    const phase = isBesideGrace ? 'runtime' : 'boot';
    const { state, detail, runId } = await composed.healer.prevent(registered.name, spec, NO_BOOT, options.signal, phase, options.by);
    const approval = state === 'waiting' ? await requestFor(options, composed, phase) : null;
    const told = { state, detail: composed.redactor.redact(detail), run: runId, approval, isTakenUp: isBesideGrace };
    return { playbook: registered.name, component: spec.name, ...told };
  });
}

/** One run per component at a time; and while a service boots Grace may begin one any moment. */
async function refuseWhileHealing(component: string, { playbooks, boots }: Composed): Promise<void> {
  const [running] = (await playbooks.runsIn('running')).filter((r) => r.component === component);
  if (running !== undefined) throw new ComponentBusy(component, `${running.playbook} runs`);
  const [boot] = await boots.running();
  if (boot !== undefined) throw new ComponentBusy(component, `it is booting (${boot.id})`);
}

/** Governance wants people to agree: they are asked, for exactly what would be done now. */
async function requestFor(options: RunOptions, composed: Composed, phase: Phase): Promise<string | null> {
  const { config } = options;
  const registered = await chosenPlaybook(options.name, composed.playbooks, config.playbooksDir);
  const spec = chosenComponent(options.component, registered, config);
  const foretold = await composed.healer.foretell(registered, spec, options.signal, phase, options.by);
  if (foretold instanceof Error) return null;
  const { decision, approval, binding, foreseen } = foretold;
  // Somebody said no to exactly this: asking again would only wear them down.
  if (decision.verdict !== 'needs_approval' || approval?.rejectedBy != null) return null;
  const pattern =
    registered.signature === null ? undefined : (await composed.incidents.patterns()).find((p) => p.signature === registered.signature);
  return askForApproval(
    { approvals: composed.approvals, clock: nodeClock, ids: nodeIds },
    {
      playbook: registered,
      component: spec.name,
      incidentId: pattern?.incidentId ?? '',
      binding,
      foreseen,
      required: decision.approvals,
      requestedBy: options.by,
    },
  );
}
