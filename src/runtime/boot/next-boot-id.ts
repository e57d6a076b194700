import { nodeClock } from '../../adapters/node/clock.ts';
import type { OpenedStore } from '../../adapters/store/index.ts';
import { bootId, type BootId } from '../../kernel/index.ts';
import { repositories } from '../repositories.ts';

/** `boot_YYYYMMDD_HHMMSS`, UTC; with a suffix when that second has one already. */
export async function nextBootId(store: OpenedStore): Promise<BootId> {
  const stamp = new Date(nodeClock.nowMs()).toISOString().replace(/[-:]/g, '').slice(0, 15).replace('T', '_');
  const { boots } = repositories(store);
  for (let n = 1; ; n++) {
    const id = `boot_${stamp}${n === 1 ? '' : `_${n}`}`;
    if ((await boots.get(id)) === null) return bootId(id);
  }
}
