import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from 'oxc-parser';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '..', 'src');
/** Each ring may import the rings before it. */
const RINGS = ['kernel', 'domains', 'catalog', 'primitives', 'adapters', 'runtime', 'apps'] as const;
/** Each domain may import the domains before it, through their index.ts. Read top to bottom, like a story. */
const DOMAINS = [
  'audit',
  'incidents',
  'health',
  'governance',
  'supervisor',
  'schema',
  'preflight',
  'missions',
  'snapshots',
  'playbooks',
  'learning',
  'healing',
  'boot',
] as const;
/** The world comes in through ports: kernel and domains do without these. */
const FORBIDDEN_MODULES = /^node:(?:fs|child_process|net|http|https|sqlite|os|timers|worker_threads)/;
const FORBIDDEN_CALLS = /\b(?:Date\.now|Math\.random|setTimeout|setInterval|process\.env)\b/;

interface Import {
  readonly from: string;
  readonly to: string;
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.endsWith('.test.ts') && !file.includes(`${sep}testing${sep}`) && !file.endsWith(`${sep}testing.ts`));
}

const files = sourceFiles(SRC);

function importsOf(file: string): string[] {
  const { module } = parseSync(file, readFileSync(file, 'utf8'));
  return [
    ...module.staticImports.map((i) => i.moduleRequest.value),
    ...module.staticExports.flatMap((e) => e.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.flatMap(
      (d) => /^['"](.+)['"]$/.exec(readFileSync(file, 'utf8').slice(d.moduleRequest.start, d.moduleRequest.end))?.[1] ?? [],
    ),
  ];
}

const edges = (of: (file: string) => readonly string[]): Import[] =>
  files.flatMap((file) =>
    of(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => ({ from: relative(SRC, file), to: relative(SRC, resolve(dirname(file), name)) })),
  );

const imports = edges(importsOf);
/** What is still there when types are erased: only these can make a circle that breaks at run time. */
const runtimeImports = edges((file) =>
  parseSync(file, readFileSync(file, 'utf8'))
    .module.staticImports.filter((i) => i.entries.length === 0 || i.entries.some((entry) => !entry.isType))
    .map((i) => i.moduleRequest.value),
);

const ring = (path: string): number => RINGS.indexOf(path.split(sep)[0] as (typeof RINGS)[number]);
const domain = (path: string): number =>
  path.startsWith(`domains${sep}`) ? DOMAINS.indexOf(path.split(sep)[1] as (typeof DOMAINS)[number]) : -1;

describe('architecture', () => {
  it('finds the source it is about', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(300);
  });

  it('has only rings and domains that are in the lists', () => {
    const outside = files.map((f) => relative(SRC, f)).filter((f) => f.includes(sep) && ring(f) < 0);
    expect(outside).toEqual([]);
    expect(readdirSync(join(SRC, 'domains')).toSorted()).toEqual(DOMAINS.toSorted());
  });

  it('imports only from rings further in', () => {
    expect(imports.filter(({ from, to }) => from.includes(sep) && ring(to) > ring(from))).toEqual([]);
  });

  it('imports only from domains earlier in the list, through their index', () => {
    const wrong = imports.filter(({ from, to }) => {
      const target = domain(to);
      if (target < 0) return false;
      const source = domain(from);
      if (source === target) return false;
      const isThroughIndex = to.split(sep).length === 3 && to.endsWith('index.ts');
      return !isThroughIndex || (source >= 0 && target > source);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps adapters apart from each other', () => {
    const folder = (path: string): string | undefined => path.split(sep)[1];
    expect(
      imports.filter(
        ({ from, to }) => ring(from) === RINGS.indexOf('adapters') && ring(to) === RINGS.indexOf('adapters') && folder(from) !== folder(to),
      ),
    ).toEqual([]);
  });

  it('lets kernel and domains reach the world through ports only', () => {
    const inner = files.filter((f) => ring(relative(SRC, f)) <= 1 && ring(relative(SRC, f)) >= 0);
    const modules = inner.flatMap((f) =>
      importsOf(f)
        .filter((name) => FORBIDDEN_MODULES.test(name))
        .map((name) => `${relative(SRC, f)}: ${name}`),
    );
    const calls = inner.filter((f) => FORBIDDEN_CALLS.test(withoutComments(readFileSync(f, 'utf8')))).map((f) => relative(SRC, f));
    expect({ modules, calls }).toEqual({ modules: [], calls: [] });
  });

  it('has no folder for what has no name', () => {
    const nameless = files.map((f) => relative(SRC, f)).filter((f) => /(?:^|\/)(?:utils?|helpers?|common|lib|misc)(?:\/|\.ts$)/.test(f));
    expect(nameless).toEqual([]);
  });

  it('has no circle of imports', () => {
    const graph = new Map<string, string[]>();
    for (const { from, to } of runtimeImports) graph.set(from, [...(graph.get(from) ?? []), to]);
    const state = new Map<string, 'open' | 'done'>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of graph.keys()) visit(file, []);
    expect(circles).toEqual([]);
  });
});

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
