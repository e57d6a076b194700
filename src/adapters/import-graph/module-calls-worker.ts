// A thread in which files of a service are parsed: one that keeps the parser busy, or makes it eat memory, ends with this thread.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { moduleCalls } from './module-calls.ts';

for (const path of workerData as readonly string[]) {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch {
    continue;
  }
  const calls = moduleCalls(source, path);
  // oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
  if (calls !== null) parentPort?.postMessage([path, calls]);
}
