import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives back what a boot has used up and nothing needs any more: Grace sits beside its services for weeks, and V8 would
 * keep the room of its busiest second. One collection, once; it stops nothing but Grace, for a few milliseconds.
 */
export function compactMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'major' }) => void;
  collect({ type: 'major' });
}
