import type { Fingerprint } from '../domains/learning/index.ts';
import { onACopy, type CopyOptions } from './on-a-copy.ts';
import { NOTHING_RUNS } from './policy.ts';

/** What the world looks like now, as a boot would see it; nothing is started and nothing is remembered. */
export function fingerprintNow(options: Pick<CopyOptions, 'config' | 'environment' | 'logger'>): Promise<Fingerprint> {
  const silent = { ...options, emit: () => undefined, signal: new AbortController().signal };
  return onACopy(silent, { policy: NOTHING_RUNS, policyFiles: [] }, (_, composed) => composed.lookback.fingerprint('now'));
}
