import { fileURLToPath } from 'node:url';
import type { MigrationsApplied } from '../../domains/preflight/index.ts';
import { messageOf, type Spawner } from '../../kernel/index.ts';
import type { DatabaseLocation } from './locate.ts';
import type { SqlText } from './plain-sql.ts';
import { onPostgres } from './postgres-session.ts';

/** Beside this file as source; an entry of the build above its chunk. */
const CHILD = new URL(import.meta.url.endsWith('.ts') ? './sqlite-scratch-child.ts' : '../sqlite-scratch-child.mjs', import.meta.url);

/** Runs SQL in an empty database that nobody else uses. */
export function applySql(
  scratch: DatabaseLocation,
  texts: readonly SqlText[],
  { spawner, timeLimitMs, signal }: { readonly spawner: Spawner; readonly timeLimitMs: number; readonly signal: AbortSignal },
): Promise<MigrationsApplied> {
  return scratch.engine === 'sqlite'
    ? inChild(scratch.path, texts, spawner, timeLimitMs, signal)
    : onServer(scratch.url, texts, timeLimitMs, signal);
}

async function inChild(
  path: string,
  texts: readonly SqlText[],
  spawner: Spawner,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<MigrationsApplied> {
  const argv = [process.execPath, '--disable-warning=ExperimentalWarning', fileURLToPath(CHILD)];
  const result = await spawner.run(argv, { cwd: '/', env: {}, timeoutMs, signal, input: JSON.stringify({ path, texts }) });
  if (result.timedOut) return { state: 'not_possible', why: `it took more than ${timeoutMs} ms` };
  try {
    return JSON.parse(result.stdout) as MigrationsApplied; // written by the program beside this one
  } catch {
    return {
      state: 'not_possible',
      why: `SQLite ended before it was through (${result.signal ?? result.spawnErrorCode ?? result.exitCode})`,
    };
  }
}

async function onServer(url: string, texts: readonly SqlText[], timeLimitMs: number, signal: AbortSignal): Promise<MigrationsApplied> {
  const deadlineMs = performance.now() + timeLimitMs;
  return onPostgres(url, timeLimitMs, async (client): Promise<MigrationsApplied> => {
    for (const { file, sql } of texts) {
      signal.throwIfAborted();
      if (performance.now() > deadlineMs) return { state: 'not_possible', why: `it took more than ${timeLimitMs} ms` };
      try {
        await client.query(sql);
      } catch (error) {
        return { state: 'not_possible', why: `${file}: ${messageOf(error).slice(0, 200)}` };
      }
    }
    return { state: 'applied' };
  });
}
