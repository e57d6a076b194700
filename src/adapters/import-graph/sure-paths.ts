import { readFully, type BuiltGraph } from './build-graph.ts';
import type { NodeTraits } from './node-traits.ts';
import type { ServiceEntry } from './service-entry.ts';

/**
 * Which modules surely run when the service starts, and by which imports.
 * Trees are read only of modules that can lead to one of those asked for: in a healthy service that is none.
 * @returns the modules from the entry to each that is surely reached
 */
export function surePaths(
  targets: Iterable<string>,
  graph: BuiltGraph,
  entry: ServiceEntry,
  node: NodeTraits,
): ReadonlyMap<string, readonly string[]> {
  const wanted = new Set(targets);
  const found = new Map<string, readonly string[]>();
  if (wanted.size === 0) return found;
  const leading = ancestors(wanted, graph);
  const stack = graph.entries.toReversed().map((file) => ({ file, path: [file] as readonly string[] }));
  const seen = new Set<string>();
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (seen.has(at.file) || !leading.has(at.file)) continue;
    seen.add(at.file);
    if (wanted.has(at.file)) found.set(at.file, at.path);
    const full = readFully(at.file, graph, entry, node);
    if (full === null) continue;
    for (let i = full.facts.requests.length - 1; i >= 0; i--) {
      const request = full.facts.requests[i];
      const to = full.leadsTo[i];
      if (request?.certainty === 'sure' && request.how !== 'ask' && to?.state === 'file')
        stack.push({ file: to.file, path: [...at.path, to.file] });
    }
  }
  return found;
}

/** The modules from which one of these can be reached, themselves included. */
function ancestors(wanted: ReadonlySet<string>, { modules }: BuiltGraph): ReadonlySet<string> {
  const importers = new Map<string, string[]>();
  for (const { file, leadsTo } of modules.values())
    for (const to of leadsTo)
      if (to.state === 'file') {
        const list = importers.get(to.file);
        if (list === undefined) importers.set(to.file, [file]);
        else list.push(file);
      }
  const found = new Set(wanted);
  const queue = [...wanted];
  for (let file = queue.pop(); file !== undefined; file = queue.pop())
    for (const importer of importers.get(file) ?? [])
      if (!found.has(importer)) {
        found.add(importer);
        queue.push(importer);
      }
  return found;
}
