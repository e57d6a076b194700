import type { BuiltGraph } from './build-graph.ts';
import type { NodeTraits } from './node-traits.ts';
import type { ServiceEntry } from './service-entry.ts';
import type { Suspicion } from './find-problems.ts';

export function earlyReads(_graph: BuiltGraph, _entry: ServiceEntry, _node: NodeTraits): readonly Suspicion[] {
  return [];
}
