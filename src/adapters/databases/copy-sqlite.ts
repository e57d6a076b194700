import { statSync } from 'node:fs';
import { copyFile, chmod, chown, open, readdir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { codeOf, messageOf } from '../../kernel/index.ts';
import type { BringBack, DatabaseProof, PartProof } from '../../domains/snapshots/index.ts';
import { DatabaseRestoreRefused, DatabaseTimeout } from './errors.ts';
import { openRegularFile } from './regular-file.ts';
import { failureOf, isAtRest, isUnchanged, resultCodeOf } from './sqlite-session.ts';

/** Found beside itself: as source, or where the bundle has put it. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './sqlite-proof-worker.ts' : '../sqlite-proof-worker.mjs', import.meta.url);
const MAGIC = 'SQLite format 3\0';
/** Pages copied at a time: some 20 MB, after which somebody may ask to stop. */
const PAGES_AT_ONCE = 5_000;
/** In one go: what is written to is locked for it, and is old or new as a whole. */
const ALL_PAGES = 2 ** 31 - 1;
/** A service that holds its lock longer than this is at work. */
const LOCK_WAIT_MS = 5_000;
const LOCK_RETRY_MS = 50;
const [SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CORRUPT, SQLITE_NOTADB] = [5, 6, 11, 26];
/** The database last: it never stands without its log. */
const PARTS = ['-wal', '-shm', '-journal', ''] as const;

export async function isSqliteFile(path: string): Promise<boolean> {
  const file = await openRegularFile(path);
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === MAGIC;
  } finally {
    await file.close();
  }
}

export async function sqliteBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const suffix of ['', '-wal']) bytes += (await stat(`${path}${suffix}`).catch(() => null))?.size ?? 0;
  return bytes;
}

/**
 * Copies by SQLite's online backup, then reads the copy. With a write-ahead log a read transaction pins one state, so that a
 * service which writes all the time does not make the copy begin again and again, and is not held up by it.
 * @see https://www.sqlite.org/backup.html
 */
export async function copySqlite(path: string, to: string, key: Uint8Array, signal: AbortSignal): Promise<DatabaseProof> {
  const name = `SQLite database ${path}`;
  try {
    await undisturbed(path, (asFile) =>
      withSource(path, asFile, async (source) => {
        await rm(to, { force: true });
        if (source.prepare('PRAGMA journal_mode').get()?.['journal_mode'] === 'wal') {
          source.exec('BEGIN');
          source.prepare('SELECT count(*) FROM sqlite_schema').get();
        }
        // Without that log a reader keeps writers out: it lets go between the parts, and begins again when one was faster.
        await backup(source, to, { rate: PAGES_AT_ONCE, progress: () => signal.throwIfAborted() });
      }),
    );
  } catch (error) {
    await rm(to, { force: true });
    signal.throwIfAborted();
    throw failureOf(error, name);
  }
  await chmod(to, 0o600);
  signal.throwIfAborted();
  return told(name, signal, async () => ({ parts: await readAll(to, true, key, signal) }));
}

/** What is in it now. @throws DatabaseUnreachable when it is damaged */
export function proveSqlite(path: string, key: Uint8Array, signal: AbortSignal): Promise<DatabaseProof> {
  return told(`SQLite database ${path}`, signal, async () => ({
    parts: await undisturbed(path, (asFile) => readAll(path, asFile, key, signal)),
  }));
}

/**
 * Puts a copy back through SQLite itself, as one transaction under its locks: whoever has the database open sees the old or the
 * new one, and its log is never touched from outside. Only a database that is damaged or gone is made anew as a file; what was
 * there goes aside with its log, and only when nobody has it open.
 * @throws DatabaseRestoreRefused, DatabaseTimeout when it stays locked: nothing was changed
 */
export async function bringBackSqlite(
  path: string,
  from: string,
  { traits, isKept }: BringBack,
  key: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const name = `SQLite database ${path}`;
  const isThere = (await stat(path).catch(() => null)) !== null;
  if (isThere && isKept) return overwrite(path, from, name, signal);
  if (isThere && !(await isDamaged(path, key, signal))) throw new DatabaseRestoreRefused(name, 'it could not be copied before');
  const holder = await holderOf(path);
  if (holder !== null) throw new DatabaseRestoreRefused(name, `it is damaged or was removed, and process ${holder} still has it open`);
  const stamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  // Made ready first, so that the place is empty for two renames and no longer.
  const half = `${path}.grace-tmp`;
  await rm(half, { force: true });
  try {
    await copyFile(from, half);
    if (traits !== null) {
      await chown(half, traits.uid, traits.gid).catch((error: unknown) => {
        if (codeOf(error) !== 'EPERM') throw error; // not root: it stays ours
      });
      await chmod(half, traits.mode);
    }
    for (const suffix of PARTS)
      await rename(`${path}${suffix}`, `${path}.broken-${stamp}${suffix}`).catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
      });
    await rename(half, path);
  } finally {
    await rm(half, { force: true });
  }
}

async function overwrite(path: string, from: string, name: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      await withSource(from, true, (source) => backup(source, path, { rate: ALL_PAGES }));
      return;
    } catch (error) {
      const code = (resultCodeOf(error) ?? 0) & 0xff;
      // A lock that is held is reported without a code of its own.
      const isLocked = code === SQLITE_BUSY || code === SQLITE_LOCKED || (code === 0 && /not an error|locked|busy/.test(messageOf(error)));
      if (!isLocked) throw failureOf(error, name);
    }
    if (performance.now() >= deadlineMs) throw new DatabaseTimeout(name, LOCK_WAIT_MS, 'another process holds its lock');
    await delay(LOCK_RETRY_MS);
  }
}

/** Only what SQLite itself calls damaged: a lock, or a right that is missing, is no damage. */
async function isDamaged(path: string, key: Uint8Array, signal: AbortSignal): Promise<boolean> {
  try {
    await undisturbed(path, (asFile) => readAll(path, asFile, key, signal));
    return false;
  } catch (error) {
    signal.throwIfAborted();
    const code = (resultCodeOf(error) ?? 0) & 0xff;
    return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
  }
}

/**
 * A database that keeps a write-ahead log and has none now is at rest. It is read as a file, since a reader would make the log,
 * and the service might not be allowed to remove it. When somebody began to write meanwhile, what was read counts for nothing,
 * and is read again as everybody does. One with a rollback journal is always read under locks: between two of its
 * transactions it looks as if it were at rest.
 */
async function undisturbed<T>(path: string, work: (asFile: boolean) => Promise<T>): Promise<T> {
  if (isAtRest(path) && (await keepsLog(path))) {
    const before = statSync(path);
    try {
      const result = await work(true);
      if (isAtRest(path) && isUnchanged(before, statSync(path))) return result;
    } catch (error) {
      if (isAtRest(path) && isUnchanged(before, statSync(path))) throw error;
    }
  }
  return work(false);
}

/** @see https://www.sqlite.org/fileformat2.html, section 1.3.3: the read version is 2 with a write-ahead log */
async function keepsLog(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, 19);
    return bytesRead === 1 && buffer[0] === 2;
  } finally {
    await file.close();
  }
}

/** Read only. */
async function withSource<T>(path: string, asFile: boolean, work: (source: DatabaseSync) => T | Promise<T>): Promise<T> {
  const url = pathToFileURL(path);
  if (asFile) url.search = '?immutable=1';
  const source = new DatabaseSync(url, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    return await work(source);
  } finally {
    source.close();
  }
}

/** Errors of SQLite in the words of this adapter. */
async function told<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    throw failureOf(error, name);
  }
}

/** In a thread of its own. @throws what SQLite says, with its code */
function readAll(path: string, asFile: boolean, key: Uint8Array, signal: AbortSignal): Promise<readonly PartProof[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: { path, asFile, key }, env: {} });
    const stop = (): void => void worker.terminate();
    signal.addEventListener('abort', stop, { once: true });
    worker.once('message', (answer: readonly PartProof[] | { readonly errcode: number; readonly message: string }) => {
      if ('errcode' in answer) reject(Object.assign(new Error(answer.message), { errcode: answer.errcode }));
      else resolve(answer);
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      signal.removeEventListener('abort', stop);
      reject(new Error('reading the database was stopped'));
    });
    if (signal.aborted) stop();
  });
}

/** A process that has one of its files open; those of other users may hide it. */
async function holderOf(path: string): Promise<number | null> {
  return (await holdersOf(await namesOf(path, PARTS, ['', REMOVED]))).values().next().value ?? null;
}

/** Of paths beside which a process has the log or the journal of a database open, also one that was removed, the process. */
export async function logHolders(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const names = new Map<string, string>();
  for (const path of paths) {
    for (const [name] of await namesOf(path, LOGS, ['', REMOVED])) names.set(name, path);
  }
  return holdersOf(names);
}

/** How /proc names a file that is held open and has been removed. */
const REMOVED = ' (deleted)';
const LOGS = ['-wal', '-shm', '-journal'] as const;

/** The names /proc would show, each with the path it stands for. */
async function namesOf(path: string, suffixes: readonly string[], ends: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  return new Map(suffixes.flatMap((suffix) => ends.map((end) => [join(folder, `${basename(path)}${suffix}`) + end, path] as const)));
}

async function holdersOf(names: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, number>> {
  const held = new Map<string, number>();
  for (const pid of (await readdir('/proc').catch(() => [])).filter((entry) => /^\d+$/.test(entry)))
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const path = names.get(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ''));
      if (path !== undefined) held.set(path, Number(pid));
    }
  return held;
}
