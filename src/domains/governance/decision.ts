import type { Mode } from './mode.ts';
import type { AutonomyTier, Phase, Risk } from './tiers.ts';

/** What is true of every request, whatever it is about. */
interface Circumstances {
  readonly actor: { readonly kind: 'grace' | 'person'; readonly name: string };
  readonly mode: Mode;
  /** What the config calls the place it runs in, such as `production`; empty when it says nothing. */
  readonly environment: string;
  /** Distinct people, the requester not among them, who agreed to exactly this: see `approvalsHeld`. */
  readonly approvals: number;
  /** The request they agreed to; for the record, no policy asks for it. */
  readonly approval?: string | null;
  /** Asked to know what would be decided, and nothing follows from the answer: such a decision is not recorded. */
  readonly isForecast?: true;
}

/** What a policy can ask of a playbook. */
interface PlaybookTraits {
  readonly playbook: string;
  readonly risk: Risk;
  /** What counts: of its file, or that it was promoted or demoted to. */
  readonly tier: AutonomyTier;
  readonly origin: 'generated' | 'edited' | 'written' | 'shipped' | 'learned';
  /** Of its known steps; empty when only its file knows them. */
  readonly primitives: readonly string[];
  /** Its steps are known, and none of them changes a file, data or a setting. */
  readonly changesNoData: boolean;
}

/** A playbook would run. */
export interface RunPlaybook extends Circumstances, PlaybookTraits {
  readonly action: 'run_playbook';
  readonly component: string;
  readonly phase: Phase;
  /** `SELF_HEAL_EXECUTE`. */
  readonly executeAtRuntime: boolean;
  /** Playbooks tried for this failure in this boot. */
  readonly attempts: number;
  /** How often this playbook was tried and did not help. */
  readonly failures: number;
}

/** A person wants a component to be started anew; what supervision does by itself is not asked here. */
export interface RestartComponent extends Circumstances {
  readonly action: 'restart_component';
  readonly component: string;
  /** A boot cannot succeed without it. */
  readonly isCritical: boolean;
}

export interface SetMode extends Circumstances {
  readonly action: 'set_mode';
  /** `mode` is the one in force. */
  readonly to: Mode;
}

/** The user's own policies would be others; asked of those in force. */
export interface ChangePolicy extends Circumstances {
  readonly action: 'change_policy';
  /** Of the new files, see `policyDigest`. */
  readonly digest: string;
  /** Ids of policies that are new, and of those that are gone; one that says something else is both. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export interface RestoreSnapshot extends Circumstances {
  readonly action: 'restore_snapshot';
  readonly component: string;
  readonly snapshot: string;
}

export interface RollBackRelease extends Circumstances {
  readonly action: 'roll_back_release';
  readonly component: string;
  readonly release: string;
}

/** What stopped a playbook from being tried again and again would let it again. */
export interface CloseBreaker extends Circumstances {
  readonly action: 'close_breaker';
  readonly component: string;
  readonly breaker: string;
}

/** A person lets a playbook run or keeps it from running, or with less asking than before. */
export interface ChangePlaybook extends Circumstances, PlaybookTraits {
  readonly action: 'change_playbook';
  readonly component: string;
  readonly change: 'enable' | 'disable' | 'promote';
  /** The tier it would have then: of a promotion another than `tier`. */
  readonly toTier: AutonomyTier;
}

/** Everything a policy may look at before it says whether something is done [GV-2], [GV-5]. */
export type DecisionRequest =
  | RunPlaybook
  | RestartComponent
  | SetMode
  | ChangePolicy
  | RestoreSnapshot
  | RollBackRelease
  | CloseBreaker
  | ChangePlaybook;

/** The component a request is about; empty where it is about Grace itself. */
export function componentOf(request: DecisionRequest): string {
  return 'component' in request ? request.component : '';
}

/** What would be acted on, by its name. */
export function subjectOf(request: DecisionRequest): string {
  switch (request.action) {
    case 'run_playbook':
    case 'change_playbook':
      return request.playbook;
    case 'restart_component':
      return request.component;
    case 'set_mode':
      return request.to;
    case 'change_policy':
      return request.digest;
    case 'restore_snapshot':
      return request.snapshot;
    case 'roll_back_release':
      return request.release;
    case 'close_breaker':
      return request.breaker;
  }
}

/** May it be done now? Everything else is a no of some kind. */
export function isAllowed({ verdict }: Decision): boolean {
  return verdict === 'allow' || verdict === 'allow_with_notice';
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
