import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DependencyCycle, layersOf } from './layers.ts';

const node = (name: string, ...dependsOn: readonly string[]) => ({ name, dependsOn });
const names = (nodes: readonly { name: string; dependsOn: readonly string[] }[]) =>
  layersOf(nodes).map((layer) => layer.map((c) => c.name));

test('what depends on nothing starts first, and side by side', () => {
  expect(names([node('web', 'api'), node('db'), node('api', 'db', 'cache'), node('cache')])).toEqual([['db', 'cache'], ['api'], ['web']]);
});

test('nothing is started for nothing', () => {
  expect(layersOf([])).toEqual([]);
});

test('names the circle, and only those who are in it', () => {
  expect(() => layersOf([node('db'), node('web', 'api'), node('api', 'worker', 'db'), node('worker', 'api')])).toThrow(
    'api -> worker -> api',
  );
});

test('a component that needs itself is a circle', () => {
  expect(() => layersOf([node('api', 'api')])).toThrow(DependencyCycle);
});

test('a dependency that nobody declared is named, not waited for', () => {
  expect(() => layersOf([node('api', 'ghost')])).toThrow();
});

test('every component is placed once, after all it depends on', () => {
  const graph = fc
    .nat({ max: 12 })
    .chain((count) =>
      fc
        .tuple(...Array.from({ length: count }, (_, i) => fc.subarray(Array.from({ length: i }, (_unused, j) => `c${j}`))))
        .map((needs) => needs.map((dependsOn, i) => node(`c${i}`, ...dependsOn))),
    );
  fc.assert(
    fc.property(graph, (nodes) => {
      const layers = layersOf(nodes.toReversed());
      const layer = new Map(layers.flatMap((l, i) => l.map((c) => [c.name, i] as const)));
      expect(layers.flat()).toHaveLength(nodes.length);
      for (const n of nodes) for (const d of n.dependsOn) expect(layer.get(d)).toBeLessThan(layer.get(n.name) ?? -1);
    }),
  );
});
