import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { parseVerifierKey } from '../../domains/audit/index.ts';
import type { Answer } from './answer.ts';
import type { AuditSource, OwnAudit } from './audit-source.ts';
import { fitted, paint } from './terminal.ts';

/** `grace audit keys`: every key that has signed this log, as the log itself says. */
export async function listKeys({ reader, exported }: AuditSource): Promise<Answer> {
  const keys = (await reader.keys()).map((vkey, i, all) => ({ ...partsOf(vkey), signs_now: i === all.length - 1 }));
  return {
    exitCode: 0,
    data: keys,
    lines:
      keys.length === 0
        ? [
            exported === null
              ? 'the log has no key yet: it gets one with its first entry'
              : `${exported.dir} has no file vkey: whoever exported it knows the key`,
          ]
        : [
            fitted(keys.map(({ key_id, signs_now }) => [key_id, signs_now ? paint('green', 'signs now') : 'has signed before'])),
            ...keys.map(({ vkey }) => vkey),
          ],
  };
}

/**
 * `grace audit rotate-key`: a new key signs from now on. Whoever may read the key may do that, so no policy is asked; the entry, signed
 * by both keys, says who did.
 * @throws AuditKeyUnusable for a user who may not read the key, and whatever keeps the log from taking the entry: then nothing changed
 */
export async function rotateKey({ audit, dataDir }: OwnAudit, by: string): Promise<Answer> {
  const { before, after } = await audit.rotateKey(by);
  const checkpoint = await audit.head();
  const pid = lockHolder(dataDir)?.pid ?? null;
  const [old, now] = [partsOf(before), partsOf(after)];
  return {
    exitCode: 0,
    data: { before: old, after: now, checkpoint },
    lines: [
      `${paint('green', 'rotated')}: key ${now.key_id} signs from now on, no longer ${old.key_id}; the entry that says so is signed by both`,
      `note the new one where you keep the old one: ${after}`,
      'whoever knows the old one can still verify with it, and whoever knows the new one, too',
      ...(pid === null ? [] : [`Grace (pid ${pid}) signs with it from its next entry on`]),
    ],
  };
}

function partsOf(vkey: string): { readonly key_id: string; readonly vkey: string } {
  return { key_id: parseVerifierKey(vkey).keyId, vkey };
}
