import { randomBytes } from 'node:crypto';
import type { Ids } from '../../kernel/index.ts';

/** `<prefix>_<time in base 36>_<random>`: sorts by time, unique across restarts. */
export const nodeIds: Ids = {
  next: (prefix) => `${prefix}_${Date.now().toString(36)}${randomBytes(5).toString('hex')}`,
};
