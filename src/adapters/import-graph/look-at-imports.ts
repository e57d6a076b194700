import { closeSync, openSync, readSync, realpathSync } from 'node:fs';
import { delimiter, resolve as resolvePath } from 'node:path';
import { Worker } from 'node:worker_threads';
import { askingFolder } from '../../catalog/asking-folder.ts';
import type { ImportGraph, ImportGraphs, ImportOrder } from '../../domains/preflight/index.ts';
import { sha256Hex, type Spawner } from '../../kernel/index.ts';
import { confirmSyntax } from './confirm-syntax.ts';
import { fileIdentity } from './file-record.ts';
import { isUnchanged, readMemory, remembered, writeMemory, type GraphAnswer, type GraphMemory, type GraphOrder } from './graph-memory.ts';
import { TRAITS_PROGRAM, traitsIn, type NodeTraits } from './node-traits.ts';
import { serviceEntry, type ServiceEntry } from './service-entry.ts';

/** Three thousand modules take a third of it. */
const MEMORY_MB = 768;
const TIME_MS = 20_000;
const ASK_MS = 5000;

/** Beside this file as source; an entry of the build above its chunk. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './import-graph-worker.ts' : '../import-graph-worker.mjs', import.meta.url);

/**
 * Looks at the modules of services, in a thread that is ended when its time or memory is used up. What was found is kept in a file of
 * Grace's, and is the answer as long as no file, folder or Node it depends on has changed.
 * @param isKept   false writes nothing: a dry run leaves no trace
 */
export function importGraphs(spawner: Spawner, memoryFile: string, isKept = true): ImportGraphs {
  const asked = new Map<string, Promise<ImportGraph | null>>();
  let memory: GraphMemory | null = null;
  const kept = (): GraphMemory => (memory ??= readMemory(memoryFile));
  const keep = (change: Partial<GraphMemory>): void => {
    memory = { ...kept(), ...change };
    if (isKept) writeMemory(memoryFile, memory);
  };

  async function look(order: ImportOrder, signal: AbortSignal): Promise<ImportGraph | null> {
    const entry = serviceEntry(order);
    if (entry === null) return null;
    const node = await traitsOf(entry, order, signal);
    if (node === null) return null;
    const env: Record<string, string> = {};
    const { NODE_PATH: nodePath, LD_LIBRARY_PATH: libraryPath } = order.env;
    if (nodePath !== undefined)
      env['NODE_PATH'] = nodePath
        .split(delimiter)
        .map((dir) => (dir === '' ? '' : resolvePath(order.cwd, dir)))
        .join(delimiter);
    if (libraryPath !== undefined) env['LD_LIBRARY_PATH'] = libraryPath;
    const key = sha256Hex(JSON.stringify([entry, node, env, process.versions.node]));
    const known = kept().services.find((one) => one.key === key);
    if (known !== undefined && isUnchanged(known)) return known.graph;
    const seen = await inThread({ entry, node, env, records: known?.records ?? [] }, signal);
    if (seen === null) return null;
    const problems = await confirmSyntax(seen.graph.problems, entry.node, order, spawner, signal);
    const answer = { ...seen, graph: { ...seen.graph, problems } };
    signal.throwIfAborted(); // what was not confirmed in time is not remembered as well
    keep({ services: [...kept().services.filter((one) => one.key !== key), remembered(key, answer)] });
    return answer.graph;
  }

  async function traitsOf(entry: ServiceEntry, { env, cwd }: ImportOrder, signal: AbortSignal): Promise<NodeTraits | null> {
    const file = realpathSync(entry.node);
    const identity = fileIdentity(file) ?? '';
    const known = kept().nodes.find((one) => one.file === file && one.identity === identity);
    if (known !== undefined) return known.traits;
    // Its own options would load modules of the service.
    const { NODE_OPTIONS: _, ...plain } = env;
    const folder = askingFolder({ file, real: file, begin: firstBytes(file) }, cwd);
    const result = await spawner.run([file, '-e', TRAITS_PROGRAM], { cwd: folder, env: plain, timeoutMs: ASK_MS, signal });
    const traits = result.exitCode === 0 ? traitsIn(result.stdout) : null;
    if (traits !== null) keep({ nodes: [...kept().nodes.filter((one) => one.file !== file), { file, identity, traits }] });
    return traits;
  }

  return {
    isNode: (order) => serviceEntry(order) !== null,
    look(order, signal) {
      // Three checks ask the same at one time.
      const key = JSON.stringify(order);
      let answer = asked.get(key);
      if (answer === undefined) {
        answer = look(order, signal);
        asked.set(key, answer);
      }
      return answer;
    },
  };
}

function firstBytes(file: string): string {
  const begin = Buffer.alloc(2);
  const fd = openSync(file, 'r');
  try {
    return begin.toString('latin1', 0, readSync(fd, begin, 0, 2, 0));
  } finally {
    closeSync(fd);
  }
}

/** @throws when the thread ended before it had answered */
function inThread(order: GraphOrder, signal: AbortSignal): Promise<GraphAnswer | null> {
  const { conditions, isLinksKept } = order.entry;
  return new Promise((resolve, reject) => {
    let answer: GraphAnswer | null | undefined;
    let problem = 'its time was over';
    const thread = new Worker(THREAD, {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      // Node's own resolver reads its conditions from here.
      env: order.env['NODE_PATH'] === undefined ? {} : { NODE_PATH: order.env['NODE_PATH'] },
      execArgv: [
        '--experimental-import-meta-resolve',
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        ...conditions.map((name) => `--conditions=${name}`),
        ...(isLinksKept ? ['--preserve-symlinks'] : []),
        ...(order.node.requiresEsm ? [] : ['--no-experimental-require-module']),
      ],
      stdout: true,
      stderr: true,
    });
    const end = (): void => void thread.terminate();
    const timer = setTimeout(end, TIME_MS);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    thread.on('message', (message: GraphAnswer | null) => {
      answer = message;
    });
    thread.on('error', (error: Error) => {
      problem = error.message;
    });
    thread.on('exit', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (answer === undefined) reject(new Error(`the modules could not be read: ${problem}`));
      else resolve(answer);
    });
  });
}
