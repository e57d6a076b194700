import { statSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import { askingFolder } from '../../catalog/asking-folder.ts';
import type { Spawner } from '../../kernel/index.ts';

/** How a runtime is asked for its version, by what its command is called. */
const ASKED: readonly (readonly [command: RegExp, runtime: string, args: readonly string[]])[] = [
  [/^node(?:js)?$/, 'node', ['--version']],
  [/^python[\d.]*$/, 'python', ['--version']],
  [/^java$/, 'java', ['-version']],
  [/^ruby$/, 'ruby', ['--version']],
  [/^php[\d.]*$/, 'php', ['--version']],
  [/^dotnet$/, 'dotnet', ['--version']],
  [/^go$/, 'go', ['version']],
  [/^deno$/, 'deno', ['--version']],
  [/^bun$/, 'bun', ['--version']],
  [/^nginx$/, 'nginx', ['-v']],
  [/^redis-server$/, 'redis', ['--version']],
  [/^postgres$/, 'postgres', ['--version']],
];
/** Tools that run on a runtime which their own name does not say. */
const RUNS_ON: readonly (readonly [tool: RegExp, runtime: string])[] = [
  [/^(?:npm|npx|pnpm|yarn|next|nest|tsx|ts-node|nodemon|vite)$/, 'node'],
  [/^(?:gunicorn|uvicorn|hypercorn|celery|flask|django-admin|poetry|pipenv|uv)$|\.py$/, 'python3'],
  [/^(?:bundle|bundler|rails|rake|puma|rackup|unicorn|sidekiq)$|\.rb$/, 'ruby'],
  [/^(?:mvn|mvnw|gradle|gradlew)$|\.jar$/, 'java'],
  [/^(?:composer|artisan)$|\.php$/, 'php'],
];
const RUNTIMES_MAX = 4;
const VERSION = /\d+(?:\.\d+){1,3}[\w.+-]{0,20}/;

/**
 * Versions of the runtimes that a start command uses: `node` → `26.10.0`. The runtime is asked, unless it is the one Grace
 * itself runs on.
 */
export async function runtimeVersions(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  spawner: Spawner,
  timeoutMs: number,
): Promise<Readonly<Record<string, string>>> {
  const words = argv.flatMap((word) => word.split(/[\s;&|]+/)).filter((word) => word !== '' && !word.startsWith('-'));
  const commands = new Map<string, string>();
  for (const word of words) {
    const name = basename(word);
    const tool = RUNS_ON.find(([pattern]) => pattern.test(name))?.[1];
    const command = tool ?? word;
    const asked = ASKED.find(([pattern]) => pattern.test(basename(command)));
    // A word that only looks like a runtime: the first one is the command, others have to be found on the PATH.
    if (asked !== undefined && !commands.has(asked[1])) commands.set(asked[1], command);
    if (commands.size >= RUNTIMES_MAX) break;
  }
  const found: Record<string, string> = {};
  await Promise.all(
    [...commands].map(async ([runtime, command]) => {
      const file = findCommand(command, cwd, env['PATH'] ?? '');
      if (file === null) return;
      const version = await versionOf(runtime, file, cwd, env, spawner, timeoutMs);
      if (version !== null) found[runtime] = version;
    }),
  );
  return found;
}

async function versionOf(
  runtime: string,
  file: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  spawner: Spawner,
  timeoutMs: number,
): Promise<string | null> {
  const real = await realpath(file).catch(() => file);
  if (real === (await realpath(process.execPath).catch(() => process.execPath))) return process.versions.node;
  const args = ASKED.find(([, name]) => name === runtime)?.[2] ?? ['--version'];
  // Its own options could make it do more than answer.
  const { NODE_OPTIONS: _node, JAVA_TOOL_OPTIONS: _java, RUBYOPT: _ruby, PYTHONSTARTUP: _python, ...rest } = env;
  const folder = askingFolder({ file, real, begin: await firstBytes(real) }, cwd);
  const result = await spawner.run([file, ...args], { cwd: folder, env: rest, timeoutMs });
  if (result.timedOut || result.spawnErrorCode !== null) return null;
  return VERSION.exec(`${result.stdout}\n${result.stderr}`)?.[0] ?? null;
}

async function firstBytes(file: string): Promise<string> {
  const handle = await open(file).catch(() => null);
  if (handle === null) return ''; // it may be executed and not read
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function findCommand(command: string, cwd: string, path: string): string | null {
  const candidates = command.includes('/')
    ? [isAbsolute(command) ? command : resolve(cwd, command)]
    : path.split(delimiter).flatMap((dir) => (dir === '' ? [] : [join(dir, command)]));
  return (
    candidates.find((file) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0 && statSync(file).isFile()) ?? null
  );
}
