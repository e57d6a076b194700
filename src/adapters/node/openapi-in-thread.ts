import { Worker } from 'node:worker_threads';
import type { OpenApiAnswer, ReadOpenApi } from '../../domains/preflight/index.ts';

/** A document of the size that is read takes half of it. */
const MEMORY_MB = 256;
const TIME_MS = 5000;

/** Beside this file as source; an entry of the build above its chunk. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './openapi-worker.ts' : '../openapi-worker.mjs', import.meta.url);

/** Reads it in a thread, which is ended when the signal is aborted, or its time or memory is used up. */
export const openApiInThread: ReadOpenApi = (text, signal) =>
  new Promise((resolve) => {
    let answer: OpenApiAnswer = { state: 'unreadable', problem: 'could not be read within time and memory' };
    const thread = new Worker(THREAD, {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, stackSizeMb: 2 },
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    const end = (): void => void thread.terminate();
    const timer = setTimeout(end, TIME_MS);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    thread.on('message', (got: OpenApiAnswer) => (answer = got));
    thread.on('error', () => undefined); // said by the answer
    thread.on('exit', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve(answer);
    });
    // oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
    thread.postMessage(text);
  });
