import { formatDuration, type Clock, type Ids } from '../../kernel/index.ts';
import { isStorm, type Breaker, type LimitStore } from '../governance/index.ts';
import type { Emit } from './events.ts';

export interface StormPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: LimitStore;
  readonly emit: Emit;
}

/** What fails within this time of each other fails at once. */
const WINDOW_MS = 30_000;
/** Without a failure for this long a storm is over. */
const QUIET_MS = 5 * 60_000;

/**
 * When much fails at once, there is one cause, and healing each part by itself makes it worse: then no playbook runs at run time,
 * whichever it is, and people are told once. Components are still started again within their limits.
 */
export class StormWatch {
  private readonly ports: StormPorts;
  private readonly all: number;
  private readonly failedAtMs = new Map<string, number>();
  private lastAtMs = 0;

  /** @param all  how many components are looked after */
  constructor(ports: StormPorts, all: number) {
    this.ports = ports;
    this.all = all;
  }

  /** A component has failed at run time. */
  async note(component: string): Promise<void> {
    const { clock, ids, limits, emit } = this.ports;
    const nowMs = clock.nowMs();
    this.lastAtMs = nowMs;
    this.failedAtMs.set(component, nowMs);
    const failing = [...this.failedAtMs].filter(([, atMs]) => nowMs - atMs <= WINDOW_MS).map(([name]) => name);
    if (!isStorm(failing.length, this.all) || (await this.open()) !== undefined) return;
    const reason = `${failing.length} of ${this.all} components failed within ${formatDuration(WINDOW_MS)}: they have one cause, and no playbook runs until it is found`;
    const storm: Breaker = {
      id: ids.next('brk'),
      kind: 'storm',
      playbook: null,
      component: null,
      openedAtMs: nowMs,
      reason,
      closedAtMs: null,
      closedBy: null,
      closeReason: null,
    };
    await limits.saveBreaker(storm);
    emit({ type: 'storm', breaker: storm.id, components: failing.toSorted(), reason });
  }

  /** One that had failed fails again while it is brought back: it is not quiet. */
  noteAgain(): void {
    this.lastAtMs = this.ports.clock.nowMs();
  }

  /** Looks whether it is over, until told to stop: one that an earlier Grace has seen as well. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, limits, emit } = this.ports;
    this.lastAtMs = clock.nowMs();
    for (;;) {
      await clock.sleep(WINDOW_MS, signal);
      const nowMs = clock.nowMs();
      if (nowMs - this.lastAtMs < QUIET_MS) continue;
      const storm = await this.open();
      if (storm === undefined) continue;
      await limits.saveBreaker({
        ...storm,
        closedAtMs: nowMs,
        closedBy: 'grace',
        closeReason: `nothing failed for ${formatDuration(QUIET_MS)}`,
      });
      emit({ type: 'storm_over', breaker: storm.id });
    }
  }

  private async open(): Promise<Breaker | undefined> {
    return (await this.ports.limits.breakers()).find((b) => b.kind === 'storm' && b.closedAtMs === null);
  }
}
