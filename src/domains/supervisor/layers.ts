import { GraceError } from '../../kernel/index.ts';

export class DependencyCycle extends GraceError {
  constructor(cycle: readonly string[]) {
    super({
      code: 'GRACE_SUPERVISOR_DEPENDENCY_CYCLE',
      message: `components depend on each other in a circle: ${cycle.join(' -> ')}`,
      hint: 'remove one of these dependsOn entries',
      details: { cycle },
    });
  }
}

interface Node {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/**
 * Groups components so that each depends only on earlier groups; within a group order does not matter.
 * @throws DependencyCycle naming the circle
 */
export function layersOf<T extends Node>(components: readonly T[]): readonly (readonly T[])[] {
  const layers: T[][] = [];
  const placed = new Set<string>();
  let rest = [...components];
  while (rest.length > 0) {
    const layer = rest.filter((c) => c.dependsOn.every((d) => placed.has(d)));
    if (layer.length === 0) throw new DependencyCycle(findCycle(rest));
    for (const c of layer) placed.add(c.name);
    layers.push(layer);
    rest = rest.filter((c) => !placed.has(c.name));
  }
  return layers;
}

function findCycle(nodes: readonly Node[]): readonly string[] {
  const byName = new Map(nodes.map((n) => [n.name, n]));
  const path: string[] = [];
  let name = nodes[0]?.name;
  while (name !== undefined && !path.includes(name)) {
    path.push(name);
    name = byName.get(name)?.dependsOn.find((d) => byName.has(d));
  }
  return name === undefined ? path : [...path.slice(path.indexOf(name)), name];
}
