import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rename, rm, stat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SnapshotDamaged, SnapshotRefused, type Contents, type ObjectStore } from '../../domains/snapshots/index.ts';
import { codeOf } from '../../kernel/index.ts';

const MAGIC = Buffer.from('GRO1');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + NONCE_BYTES;
/** Then somebody is writing to it all the time. */
const TRIES_MAX = 3;
const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Contents by digest, each one once, all of them encrypted: env files and databases hold secrets, a configuration may, and
 * which one does is not for a guess to decide. The digest is keyed (HMAC-SHA-256): a plain one in a description would let
 * whoever reads it try out short secrets.
 * @param key  of the data directory; each use has its own key made of it
 * @see NIST SP 800-38D (AES-GCM, a random nonce for each object, at most 64 GiB); RFC 5869 (HKDF)
 */
export function objectStore(dir: string, key: Uint8Array): ObjectStore {
  const [sealKey, nameKey] = [derived(key, 'seal'), derived(key, 'name')];
  const pathOf = (digest: string): string => join(dir, digest.slice(0, 2), digest);

  async function digestFile(path: string, signal: AbortSignal): Promise<Contents> {
    const hash = createHmac('sha256', nameKey);
    let sizeBytes = 0;
    for await (const chunk of contentOf(path, signal)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
    }
    return { digest: hash.digest('hex'), sizeBytes };
  }

  /** Of the file itself: no link is followed, and a pipe is no file. */
  async function* contentOf(path: string, signal: AbortSignal): AsyncIterable<Buffer> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await handle.stat()).isFile()) throw new SnapshotRefused(`${path} is no file any more`, 'see who changes it meanwhile');
      yield* handle.createReadStream({ signal, autoClose: false }) as AsyncIterable<Buffer>;
    } finally {
      await handle.close();
    }
  }

  /** Decrypts to `to`; or only looks whether it could, without writing. */
  async function unseal(digest: string, to: string | null, signal: AbortSignal): Promise<void> {
    const path = pathOf(digest);
    const damaged = (problem: string) => new SnapshotDamaged(`the stored content ${digest.slice(0, 12)}`, problem);
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT' ? damaged('is gone') : error;
    });
    const head = Buffer.alloc(HEAD_BYTES);
    const tag = Buffer.alloc(TAG_BYTES);
    let size: number;
    try {
      ({ size } = await handle.stat());
      if (size < HEAD_BYTES + TAG_BYTES) throw damaged('is cut off');
      await handle.read(head, 0, HEAD_BYTES, 0);
      await handle.read(tag, 0, TAG_BYTES, size - TAG_BYTES);
    } finally {
      await handle.close();
    }
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged('is not one of Grace');
    const decipher = createDecipheriv('aes-256-gcm', sealKey, head.subarray(MAGIC.length)).setAuthTag(tag);
    const hash = createHmac('sha256', nameKey);
    const hashed = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, to === null ? undefined : chunk);
      },
    });
    const body = createReadStream(path, { start: HEAD_BYTES, end: Math.max(HEAD_BYTES, size - TAG_BYTES - 1) });
    try {
      if (size === HEAD_BYTES + TAG_BYTES) {
        body.destroy();
        decipher.final();
        if (to !== null) await (await open(to, 'wx', 0o600)).close();
      } else if (to === null) await pipeline(body, decipher, hashed.resume(), { signal });
      else await pipeline(body, decipher, hashed, createWriteStream(to, { flags: 'wx', mode: 0o600, flush: true }), { signal });
    } catch (error) {
      if (to !== null) await rm(to, { force: true });
      signal.throwIfAborted();
      // A failed system call has an errno; what the cipher does not accept has none.
      if ((error as { errno?: unknown }).errno !== undefined) throw error;
      throw damaged('is damaged, or was encrypted with another key');
    }
    if (hash.digest('hex') !== digest) {
      if (to !== null) await rm(to, { force: true });
      throw damaged('is not what its name says');
    }
  }

  async function isWhole(digest: string, signal: AbortSignal): Promise<boolean> {
    try {
      await unseal(digest, null, signal);
      return true;
    } catch (error) {
      if (error instanceof SnapshotDamaged) return false;
      throw error;
    }
  }

  /** @returns the digest of what was read this time */
  async function seal(path: string, to: string, signal: AbortSignal): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', sealKey, nonce);
    const hash = createHmac('sha256', nameKey);
    const output = await open(to, 'wx', 0o600);
    try {
      await output.write(Buffer.concat([MAGIC, nonce]));
      for await (const chunk of contentOf(path, signal)) {
        hash.update(chunk);
        await output.writeFile(cipher.update(chunk));
      }
      await output.writeFile(Buffer.concat([cipher.final(), cipher.getAuthTag()]));
      await output.sync();
    } finally {
      await output.close();
    }
    return hash.digest('hex');
  }

  return {
    async put(path, signal) {
      for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
        const contents = await digestFile(path, signal);
        // Only a content that can be read is one: a damaged object is written anew.
        if (await isWhole(contents.digest, signal)) return contents;
        const folder = join(dir, contents.digest.slice(0, 2));
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const half = join(folder, `.${randomBytes(6).toString('hex')}.grace-tmp`);
        try {
          if ((await seal(path, half, signal)) !== contents.digest) continue;
          await rename(half, pathOf(contents.digest));
          return contents;
        } finally {
          await rm(half, { force: true });
        }
      }
      throw new SnapshotRefused(`${path} is being written to all the time`, 'stop what writes to it, or keep it as a database');
    },
    extract: (digest, to, signal) => unseal(digest, to, signal),
    digestOf: async (path, signal) => (await digestFile(path, signal)).digest,
    async stored() {
      const found = new Map<string, number>();
      for (const part of await entries(dir))
        for (const name of await entries(join(dir, part)))
          if (DIGEST.test(name)) found.set(name, (await stat(join(dir, part, name))).size);
          // left by one that was killed while it wrote: whoever asks is alone at work
          else if (name.endsWith('.grace-tmp')) await rm(join(dir, part, name), { force: true });
      return found;
    },
    async remove(digest) {
      if (DIGEST.test(digest)) await rm(pathOf(digest), { force: true });
    },
  };
}

function derived(key: Uint8Array, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `grace snapshots ${use}`, 32));
}

async function entries(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
