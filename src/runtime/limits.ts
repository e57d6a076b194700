import { identityOf, isAlive, machineBootId } from '../adapters/node/proc.ts';
import { limitStore, type Carry, type OpenedStore } from '../adapters/store/index.ts';
import type { Breaker, LimitStore } from '../domains/governance/index.ts';
import type { Clock } from '../kernel/index.ts';

/** Limits over a store; a lease belongs to this process until it ends, however it ends. */
export function openLimits(store: OpenedStore, clock: Clock, carry?: Carry<Breaker>): LimitStore {
  const own = identityOf(process.pid);
  const me = JSON.stringify({ pid: process.pid, startTicks: own?.startTicks ?? 0, machineBootId: machineBootId() });
  return limitStore(
    store.db,
    { me, isAlive: (holder) => isAlive(JSON.parse(holder) as Parameters<typeof isAlive>[0]) },
    () => clock.nowMs(),
    carry,
  );
}
