import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { ModuleAnswer, RunModule } from '../../domains/preflight/index.ts';
import type { Spawner } from '../../kernel/index.ts';

/** Of the heap of its language: a schema needs a tenth. */
const HEAP_MB = 256;
const TEXT_CHARS_MAX = 300;

/** Beside this file as source; an entry of the build above its chunk. */
const CHILD = new URL(import.meta.url.endsWith('.ts') ? './check-module-child.ts' : '../check-module-child.mjs', import.meta.url);

/**
 * Runs code of the service in a process of its own, on the Node of Grace. However much it prints, only its last line counts; at its
 * time limit the process and what it started are ended.
 */
export function checkModules(spawner: Spawner): RunModule {
  return async (order, signal) => {
    const mark = randomBytes(16).toString('hex');
    const { task, module, input, cwd, env, timeLimitMs: timeoutMs } = order;
    // Node takes options of the environment before those of the command line.
    const { NODE_OPTIONS: _, ...plain } = env;
    const argv = [process.execPath, `--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning', fileURLToPath(CHILD)];
    const result = await spawner.run(argv, { cwd, env: plain, timeoutMs, signal, input: JSON.stringify({ mark, task, ...module, input }) });
    if (result.timedOut) return { state: 'failed', problem: `took more than ${timeoutMs} ms, and was ended` };
    if (result.spawnErrorCode !== null) return { state: 'failed', problem: `could not be started (${result.spawnErrorCode})` };
    const said = result.stdout.slice(result.stdout.lastIndexOf(`\n${mark}`));
    const read = said.startsWith(`\n${mark}`) ? parsed(said.slice(mark.length + 1)) : null;
    if (read !== null) return read;
    const how = result.signal === null ? `exit code ${result.exitCode}` : result.signal;
    return { state: 'failed', problem: `ended with ${how} before it had answered: ${lastLine(result.stderr)}` };
  };
}

function parsed(text: string): ModuleAnswer | null {
  try {
    return JSON.parse(text) as ModuleAnswer; // written by the program beside this one
  } catch {
    return null;
  }
}

function lastLine(output: string): string {
  const line = output.trim().split('\n').at(-1) ?? '';
  return line === '' ? 'it printed nothing' : line.slice(0, TEXT_CHARS_MAX);
}
