// A thread in which the modules of a service are read: a file that keeps the parser busy, or makes it eat memory, ends with this thread.
import Module from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { init } from 'es-module-lexer';
import { buildGraph } from './build-graph.ts';
import { checkEngines } from './check-engines.ts';
import { checkNative } from './check-native.ts';
import { findProblems } from './find-problems.ts';
import { missingForPlatform } from './platform-packages.ts';
import type { GraphOrder, GraphAnswer } from './graph-memory.ts';

await init;
// A thread is not given the folders of NODE_PATH by itself.
(Module as unknown as { _initPaths?: () => void })._initPaths?.();
const { entry, node, records, env } = workerData as GraphOrder;
// With the option this thread is started with, it takes the module that asks as well.
const resolveImport = import.meta.resolve;
// oxlint-disable-next-line require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(await answer());

async function answer(): Promise<GraphAnswer | null> {
  const graph = buildGraph(entry, node, new Map(records), resolveImport);
  if (graph === null) return null;
  const problems = findProblems(graph, entry, node);
  const native = await checkNative(graph, entry, node, env);
  const platform = missingForPlatform(graph, entry.cwd, node);
  const engines = checkEngines(graph, entry, node);
  return {
    graph: {
      node: { version: node.version, abi: node.abi },
      entries: graph.entries,
      moduleCount: graph.modules.size,
      problems,
      native: [...native.problems, ...platform.problems],
      engines: engines.problems,
      isCut: graph.isCut,
    },
    records: [...graph.records],
    files: [...native.files, ...platform.files, ...engines.files, ...graph.resolver.configs],
    folders: [...graph.folders.read.keys()],
    listed: [...graph.folders.listed],
  };
}
