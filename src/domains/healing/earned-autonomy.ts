import type { Clock, Ids } from '../../kernel/index.ts';
import {
  demotionReason,
  effectiveTier,
  standing,
  stricter,
  type AutonomyTier,
  type JudgedRun,
  type Standing,
  type TierChange,
  type TierChangeStore,
} from '../governance/index.ts';
import type { IncidentStore } from '../incidents/index.ts';
import { selfRecoveryOf, type ShadowStore } from '../learning/index.ts';
import type { PlaybookRun, PlaybookStore } from '../playbooks/index.ts';
import type { Emit } from './events.ts';

/** What standings are computed from: all of it is in the store, and nothing is counted beside it. */
export interface StandingPorts {
  readonly playbooks: PlaybookStore;
  readonly incidents: IncidentStore;
  readonly shadows: ShadowStore;
  readonly tierChanges: TierChangeStore;
}

interface Ports extends StandingPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly emit: Emit;
}

/** What is older says little about the service of today. */
const LOOKS_BACK_MS = 365 * 86_400_000;
/** Explanations of one failure that are counted. */
const EPISODES_MAX = 500;
const OUTCOME: Readonly<Record<PlaybookRun['state'], boolean | null>> = {
  verified: true,
  relapsed: false,
  undone: false,
  failed: false,
  running: null,
  applied: null,
  undoing: null,
  inconclusive: null,
  refused: null,
  interrupted: null,
};

/** Autonomy that is earned and lost by what the runs in the store show [GV-7]. Grace only ever makes it stricter. */
export class EarnedAutonomy {
  private readonly ports: Ports;

  constructor(ports: Ports) {
    this.ports = ports;
  }

  async effectiveTier(playbook: string, hash: string, declared: AutonomyTier): Promise<AutonomyTier> {
    return effectiveTier(declared, await this.ports.tierChanges.of(playbook, hash));
  }

  /** Called when a run was judged: takes one step of autonomy from a playbook that has lost what it had earned. */
  async judge(name: string): Promise<void> {
    const { playbooks, tierChanges, clock, ids, emit } = this.ports;
    const registered = await playbooks.get(name);
    if (registered === null) return;
    const { hash, tier } = registered;
    const from = effectiveTier(tier, await tierChanges.of(name, hash));
    const to = stricter(from);
    if (to === null) return;
    const reasons = (await standingsOf(this.ports, name, hash, clock.nowMs())).map((s) => demotionReason(s.recent, s.selfRecovery));
    const reason = reasons.find((r) => r !== null);
    if (reason === undefined || reason === null) return;
    const change: TierChange = {
      id: ids.next('tier'),
      playbook: name,
      hash,
      kind: 'demoted',
      from,
      to,
      by: 'grace',
      atMs: clock.nowMs(),
      reason,
    };
    await tierChanges.save(change);
    emit({ type: 'playbook_demoted', playbook: name, from, to, reason });
  }
}

/**
 * How exactly these bytes stand, for each signature they were judged for. A run before a failure (a guard's), or one that a person
 * asked for, shows nothing about what it does by itself.
 */
export async function standingsOf(ports: StandingPorts, playbook: string, hash: string, nowMs: number): Promise<readonly Standing[]> {
  const { playbooks, incidents, shadows, tierChanges } = ports;
  const sinceMs = (await tierChanges.of(playbook, hash)).at(-1)?.atMs ?? 0;
  const judged = new Map<string, JudgedRun[]>();
  for (const run of await playbooks.runsSince(nowMs - LOOKS_BACK_MS)) {
    const helped = OUTCOME[run.state];
    if (run.playbook !== playbook || run.hash !== hash || run.signature === null || helped === null) continue;
    if (run.scope === 'prevention' || run.scope === 'person') continue;
    // A run that the change of tier was made for ended before it: it counts to what was before.
    const of = judged.get(run.signature) ?? [];
    judged.set(run.signature, [...of, { helped, atMs: run.startedAtMs }]);
  }
  return Promise.all(
    [...judged].map(async ([signature, runs]) => {
      const told = await incidents.explanations({ signature, limit: EPISODES_MAX });
      const startedAgain = told.filter((e) => e.outcome === 'healed' && e.playbook === null).length;
      return standing(signature, runs, selfRecoveryOf(await shadows.ofSignature(signature), startedAgain), sinceMs);
    }),
  );
}
