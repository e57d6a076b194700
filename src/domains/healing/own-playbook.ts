import type { ApprovalState } from '../governance/index.ts';
import type { Captured, Verdict } from '../learning/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { answerBefore } from './authorize.ts';
import type { HealerPorts } from './healer-ports.ts';

/** What the catalog is this sure of does not wait for what was learned from a person and nobody has approved yet. */
const SURE = 0.8;

type Ports = Pick<HealerPorts, 'playbooks' | 'library' | 'knowledge' | 'primitiveContext' | 'approvals' | 'clock'>;

/**
 * A playbook that a person wrote or edited for this failure wins over what the catalog would generate. So does one that
 * was learned from a person, once it was approved; until then it is offered where the catalog is not sure.
 * @param attempts  playbooks that were tried and are not tried again
 */
export async function ownPlaybook(
  ports: Ports,
  captured: Captured,
  component: ComponentSpec,
  verdict: Verdict,
  attempts: readonly string[],
  signal: AbortSignal,
): Promise<RegisteredPlaybook | null> {
  const shown = verdict.chosen ?? verdict.best;
  const signatures = new Set<string>([captured.failure.signature, ...(captured.alike ?? [])]);
  const fitting = (await ports.playbooks.list()).filter(
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
    const answer = await answerTo(ports, p, captured, component, signal);
    if (answer === 'approved') return p;
    if (answer !== 'rejected' && !isSure(verdict)) return p;
  }
  return null;
}

/** What people have said to exactly this; null when they were not asked. A file that is gone or does not load counts as a no. */
async function answerTo(
  ports: Ports,
  registered: RegisteredPlaybook,
  { failure: { signature }, alike }: Captured,
  component: ComponentSpec,
  signal: AbortSignal,
): Promise<ApprovalState | null> {
  try {
    const loaded = await ports.library.load(registered.file);
    const { primitives } = await ports.knowledge();
    const context = ports.primitiveContext(component, signal, () => undefined);
    return await answerBefore(ports, { ...loaded, registered, primitives, context, signature, alike: alike ?? [], by: null });
  } catch {
    return 'rejected'; // nothing that could be run; the catalog goes on without it
  }
}

/** The catalog knows what to do, or what to wait for, without asking anybody. */
function isSure({ chosen, best }: Verdict): boolean {
  return chosen === null ? best.waitFor !== null && best.confidence >= SURE : chosen.confidence >= SURE;
}
