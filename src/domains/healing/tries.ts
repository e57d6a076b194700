import type { Clock } from '../../kernel/index.ts';
import { HOUR_MS, type LimitStore } from '../governance/index.ts';
import type { AttemptScope, PlaybookRun, PlaybookStore, RunState } from '../playbooks/index.ts';

export interface TriesPorts {
  readonly clock: Clock;
  readonly limits: LimitStore;
  readonly playbooks: PlaybookStore;
}

/** Tries that a killed Grace has left unfinished count for this long: later it is another night. */
const CARRIED_MS = HOUR_MS;
/** A playbook that refuses changes nothing and costs no try, unless nothing but refusals is left. */
const NAMES_PER_TRY = 3;
/** States of a run that say its playbook is not worth another try now: it did not help, or what it did is about to be proven. */
const SPENT: readonly RunState[] = ['undone', 'failed', 'relapsed', 'applied'];

/**
 * How often it was tried to heal one component, and with what. Counted from the runs in the store since a mark in the store: a crash
 * of Grace gives nobody a fresh start [BP-3].
 */
export class Tries {
  /** Playbooks that were tried and are not tried again. */
  readonly names: string[] = [];
  private readonly ports: TriesPorts;
  private readonly component: string;
  private readonly scope: AttemptScope;

  private constructor(ports: TriesPorts, component: string, scope: AttemptScope) {
    this.ports = ports;
    this.component = component;
    this.scope = scope;
  }

  /** Goes on where a Grace was cut off that was healing the same; else begins to count. */
  static async begin(ports: TriesPorts, component: string, scope: AttemptScope): Promise<Tries> {
    const tries = new Tries(ports, component, scope);
    const sinceMs = await ports.limits.triesSince(component, scope);
    if (sinceMs === null || sinceMs < ports.clock.nowMs() - CARRIED_MS) await tries.renew();
    else for (const run of await tries.runs()) if (SPENT.includes(run.state)) tries.names.push(run.playbook);
    return tries;
  }

  async mayTry(max: number): Promise<boolean> {
    return this.names.length <= max * NAMES_PER_TRY && (await this.runs()).length < max;
  }

  /** Something has changed: what did not help before may help now. */
  async renew(): Promise<void> {
    this.names.length = 0;
    await this.ports.limits.countTriesFrom(this.component, this.scope, this.ports.clock.nowMs());
  }

  /** It is over, well or not: the next failure is another story. */
  async end(): Promise<void> {
    await this.ports.limits.forgetTries(this.component, this.scope);
  }

  private async runs() {
    const sinceMs = (await this.ports.limits.triesSince(this.component, this.scope)) ?? this.ports.clock.nowMs();
    const runs = await this.ports.playbooks.runsSince(sinceMs);
    return runs.filter((r) => r.component === this.component && r.scope === this.scope && r.state !== 'refused');
  }
}

/** What seemed to have helped has not: it is one of the tries that are being made now. */
export async function countAgain(limits: LimitStore, { component, scope, startedAtMs }: PlaybookRun): Promise<void> {
  const sinceMs = await limits.triesSince(component, scope);
  if (sinceMs === null || sinceMs > startedAtMs) await limits.countTriesFrom(component, scope, startedAtMs);
}
