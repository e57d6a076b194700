import { Worker } from 'node:worker_threads';
import type { LintConfigFiles, TextProblem } from '../../domains/preflight/index.ts';

/** The largest text that is looked at takes a tenth of it. */
const MEMORY_MB = 192;

/** Less than the check has: it still has to say at which text the time was over. */
const TIME_MS = 4000;

/** Beside this file as source; an entry of the build above its chunk. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './config-lint-worker.ts' : '../config-lint-worker.mjs', import.meta.url);

/** Looks into texts in a thread, which is ended when the signal is aborted, or its time or memory is used up. */
export const lintInThread: LintConfigFiles = (texts, signal) =>
  new Promise((resolve) => {
    const answers: (readonly TextProblem[] | null)[] = [];
    // Streams of its own, so that nothing a parser prints gets into what people see.
    const thread = new Worker(THREAD, {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, stackSizeMb: 2 },
      env: {},
      // An ES module is compiled to see whether it can be.
      execArgv: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      stdout: true,
      stderr: true,
    });
    const end = (): void => void thread.terminate();
    const timer = setTimeout(end, TIME_MS);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    thread.on('message', (problems: readonly TextProblem[] | null) => answers.push(problems));
    thread.on('error', () => undefined); // what it has not answered says so
    thread.on('exit', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve(texts.map((_, i) => answers[i] ?? null));
    });
    // oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
    thread.postMessage(texts);
  });
