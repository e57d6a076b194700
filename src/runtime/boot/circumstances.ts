import { join } from 'node:path';
import { nodeFiles } from '../../adapters/node/files.ts';
import { messageOf, type BootId, type Logger } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { changedKeys, configDigests, readConfigDigests } from '../config-digests.ts';

export interface CircumstancesOptions {
  readonly config: GraceConfig;
  readonly composed: Pick<Composed, 'audit' | 'digest' | 'portable' | 'redactedEmit'>;
  readonly bootId: BootId;
  readonly logger: Logger;
}

/** Notes what a boot starts with that is not its own doing: another configuration, keys that others can read. Never throws. */
export async function noteCircumstances({ config, composed, bootId, logger }: CircumstancesOptions): Promise<void> {
  const { audit, portable, digest, redactedEmit } = composed;
  if (audit === null) return;
  try {
    const now = configDigests(config, digest);
    const before = readConfigDigests(await portable.get('grace', 'config'));
    if (before?.whole !== now.whole) {
      const payload = { before: before?.whole ?? null, after: now.whole, file: config.configFile, changed: changedKeys(before, now) };
      audit.note({ actor: 'grace', action: 'config.changed', resource: 'grace/config', subsystem: 'config', result: 'ok', payload });
      await portable.put('grace', 'config', bootId, JSON.stringify(now));
    }
    for (const file of [join('storage', 'key'), 'audit.key']) {
      const mode = (await nodeFiles.stat(join(config.dataDir, file)))?.mode ?? 0;
      if ((mode & 0o077) === 0) continue;
      const payload = { mode: mode.toString(8).padStart(4, '0') };
      audit.note({ actor: 'grace', action: 'security.key_readable', resource: file, subsystem: 'security', result: 'failed', payload });
      const path = join(config.dataDir, file);
      redactedEmit({ type: 'notice', level: 'error', text: `others than its owner have rights on ${path}: chmod 600 it` });
    }
  } catch (error) {
    logger.warn('what this boot starts with could not be looked at', { error: messageOf(error) });
  }
}
