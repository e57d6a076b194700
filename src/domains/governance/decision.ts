import type { AutonomyTier, Mode, Phase, Risk } from './tiers.ts';

/** Everything a policy may look at before it says whether a playbook runs [GV-2]. */
export interface DecisionRequest {
  readonly actor: { readonly kind: 'grace' | 'person'; readonly name: string };
  readonly playbook: string;
  readonly component: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  readonly origin: 'generated' | 'edited' | 'written' | 'shipped' | 'learned';
  /** Of its known steps; empty when only its file knows them. */
  readonly primitives: readonly string[];
  readonly phase: Phase;
  readonly mode: Mode;
  /** What the config calls the place it runs in, such as `production`; empty when it says nothing. */
  readonly environment: string;
  /** `SELF_HEAL_EXECUTE`. */
  readonly executeAtRuntime: boolean;
  /** Distinct people, the requester not among them, who agreed to exactly this: see `approvalsHeld`. */
  readonly approvals: number;
  /** Playbooks tried for this failure in this boot. */
  readonly attempts: number;
  /** How often this playbook was tried and did not help. */
  readonly failures: number;
}

/** `reason` is for people; `policies` are the ids of those that decided, the first one gave the reason. */
export type Decision = { readonly reason: string; readonly policies: readonly string[] } & (
  | { readonly verdict: 'allow' | 'allow_with_notice' | 'observe' | 'deny' }
  | { readonly verdict: 'needs_approval'; readonly approvals: number }
);

/** A policy whose conditions hold for a request, and what its author noted beside it. */
export interface FiredPolicy {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly reason: string;
  /** A forbid that this many approvals lift; null for none. */
  readonly approvals: number | null;
  /** A permit: tell people. A forbid: look and say, instead of refusing. */
  readonly verdict: 'notice' | 'observe' | null;
  /** The limit that this permit lifts. */
  readonly overrides: string | null;
  readonly isOverridable: boolean;
}

/**
 * What the policies that hold amount to. A forbid always wins over a permit; of several forbids the strictest says what
 * happens: refusing, then observing, then asking. What nothing permits is refused.
 * @param fired  those that hold, in the order in which they are written
 */
export function decisionOf(fired: readonly FiredPolicy[], approvals: number): Decision {
  const lifted = new Map(fired.flatMap((p) => (p.effect === 'permit' && p.overrides !== null ? [[p.overrides, p] as const] : [])));
  const forbids = fired.filter((p) => p.effect === 'forbid');
  const standing = forbids.filter((p) => !p.isOverridable || !lifted.has(p.id));
  if (standing.length > 0) return refusalOf(standing, approvals);
  const waivers = forbids.flatMap((p) => lifted.get(p.id) ?? []);
  const permits = [...waivers, ...fired.filter((p) => p.effect === 'permit' && p.overrides === null)];
  const [first] = permits.toSorted((a, b) => Number(isToldOf(b)) - Number(isToldOf(a)));
  if (first === undefined) return { verdict: 'deny', reason: 'no policy permits it', policies: [] };
  return {
    verdict: isToldOf(first) ? 'allow_with_notice' : 'allow',
    reason: first.reason,
    policies: [first.id, ...idsBut(first, permits)],
  };
}

/** A limit that was lifted is something people hear of. */
function isToldOf(permit: FiredPolicy): boolean {
  return permit.verdict === 'notice' || permit.overrides !== null;
}

function refusalOf(standing: readonly FiredPolicy[], approvals: number): Decision {
  const final = standing.filter((p) => p.approvals === null && p.verdict !== 'observe');
  const watching = standing.filter((p) => p.verdict === 'observe');
  const asking = standing.toSorted((a, b) => (b.approvals ?? 0) - (a.approvals ?? 0));
  const deciding = final.length > 0 ? final : watching.length > 0 ? watching : asking;
  const [first] = deciding;
  const said = { reason: first?.reason ?? '', policies: deciding.map((p) => p.id) };
  if (final.length > 0) return { verdict: 'deny', ...said };
  if (watching.length > 0) return { verdict: 'observe', ...said };
  // It still forbids with what it has: whatever its note says, it wants more than that.
  return { verdict: 'needs_approval', approvals: Math.max(first?.approvals ?? 1, approvals + 1), ...said };
}

function idsBut(one: FiredPolicy, all: readonly FiredPolicy[]): readonly string[] {
  return all.filter((p) => p !== one).map((p) => p.id);
}
