import { Worker } from 'node:worker_threads';
import type { ModuleCalls, ReadModules } from '../../domains/playbooks/index.ts';

const MEMORY_MB = 512;
/** A thousand files of a service take some seconds; a time is taken where the machine is busy. */
const TIME_MS = 20_000;

/** Beside this file as source; an entry of the build above its chunk. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './module-calls-worker.ts' : '../module-calls-worker.mjs', import.meta.url);

/** Reads modules in a thread that is ended when its time or memory is used up: what was read by then is the answer. */
export const readModules: ReadModules = (paths, signal) => {
  const found = new Map<string, ModuleCalls>();
  if (paths.length === 0) return Promise.resolve(found);
  return new Promise((resolve, reject) => {
    const thread = new Worker(THREAD, {
      workerData: paths,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdout: true,
      stderr: true,
    });
    const end = (): void => void thread.terminate();
    const timer = setTimeout(end, TIME_MS);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    thread.on('message', ([path, calls]: readonly [string, ModuleCalls]) => found.set(path, calls));
    thread.on('error', () => undefined); // its memory: what was read before stands
    thread.on('exit', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(found);
    });
  });
};
