import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import type { CopyVault } from '../../domains/learning/index.ts';
import type { Sealing } from '../../domains/playbooks/index.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The key of one data directory: made once, readable by its owner only. */
export async function vaultKey(dir: string, files: Files): Promise<Uint8Array> {
  const path = join(dir, 'key');
  const existing = await files.read(path);
  if (existing !== null && existing.length === KEY_BYTES) return existing;
  const key = randomBytes(KEY_BYTES);
  await files.makeDir(dir, { mode: 0o700 });
  await files.writeAtomic(path, key, { mode: 0o600 });
  return key;
}

/** @see NIST SP 800-38D (AES-GCM); each content has its own random nonce */
export function sealing(key: Uint8Array): Sealing {
  return {
    seal(content) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const body = Buffer.concat([cipher.update(content), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]);
    },
    open(sealed) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES));
        decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      } catch {
        return null; // damaged or of another key: as good as no copy
      }
    },
  };
}

/**
 * Copies of small files, env files and keys among them: encrypted, so that neither a search of the data directory nor a
 * backup of it shows a secret.
 */
export function copyVault(dir: string, key: Uint8Array, files: Files): CopyVault {
  const pathOf = (digest: string): string => join(dir, digest.slice(0, 2), digest);
  const { seal, open } = sealing(key);
  const get = async (digest: string): Promise<Uint8Array | null> => {
    const sealed = await files.read(pathOf(digest));
    return sealed === null ? null : open(sealed);
  };
  return {
    async put(digest, content) {
      const path = pathOf(digest);
      // Only a copy that can be read is one: after the loss of a key they are all made anew.
      if ((await get(digest)) !== null) return;
      await files.makeDir(join(dir, digest.slice(0, 2)), { mode: 0o700 });
      await files.writeAtomic(path, seal(content), { mode: 0o600 });
    },
    get,
    async prune(keep) {
      for (const part of await files.list(dir))
        if (part.length === 2)
          for (const digest of await files.list(join(dir, part))) if (!keep.has(digest)) await files.remove(join(dir, part, digest));
    },
  };
}

/** Digest of a secret value that says whether it changed, and nothing else: without the key it cannot be guessed. */
export function keyedDigest(key: Uint8Array, value: string): string {
  return createHmac('sha256', key).update(value).digest('hex').slice(0, 12);
}
