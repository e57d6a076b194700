import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse as parseCommonJs } from 'cjs-module-lexer';
import type { BuiltGraph } from './build-graph.ts';
import type { NodeTraits } from './node-traits.ts';
import type { Resolution } from './resolve-module.ts';

/** Names a module can be asked for; null where they cannot be told. */
export type ExportedNames = ReadonlySet<string> | null;

/** Names that Node has only behind an option, which this Node was not started with. */
const BEHIND_OPTIONS = ['SourceTextModule', 'SyntheticModule'];

/** Names that modules export, as Node links them: `export *` is followed, and CommonJS is read by the lexer that Node uses. */
export class ModuleExports {
  private readonly known = new Map<string, ExportedNames>();
  private readonly graph: BuiltGraph;
  private readonly node: NodeTraits;

  constructor(graph: BuiltGraph, node: NodeTraits) {
    this.graph = graph;
    this.node = node;
  }

  of(to: Resolution, specifier: string): ExportedNames {
    if (to.state === 'builtin') return this.ofBuiltin(specifier);
    return to.state === 'file' ? this.ofFile(to.file, new Set()) : null;
  }

  forget(file: string): void {
    this.known.delete(file);
  }

  private ofBuiltin(specifier: string): ExportedNames {
    // Another version of Node exports other names.
    if (this.node.version !== process.versions.node) return null;
    try {
      const module = createRequire(import.meta.url)(specifier) as object;
      return new Set([...Object.keys(module), ...BEHIND_OPTIONS, 'default', 'module.exports']);
    } catch {
      return null; // behind an option
    }
  }

  private ofFile(file: string, asking: Set<string>): ExportedNames {
    const known = this.known.get(file);
    if (known !== undefined) return known;
    if (asking.has(file)) return new Set(); // a circle: what it adds is added further out
    asking.add(file);
    const module = this.graph.modules.get(file);
    if (module === undefined || module.facts.isUnread) return null;
    const { facts, leadsTo } = module;
    if (facts.format === 'leaf') return file.endsWith('.json') ? new Set(['default']) : null;
    if (facts.format === 'cjs') {
      const names = this.ofCommonJs(file, new Set());
      this.known.set(file, names);
      return names;
    }
    const names = new Set([...facts.exports, ...facts.passedOn.map(([name]) => name)]);
    for (const i of facts.stars) {
      const to = leadsTo[i];
      const request = facts.requests[i];
      if (to === undefined || request === undefined) continue;
      const below = to.state === 'file' ? this.ofFile(to.file, asking) : this.of(to, request.specifier);
      if (below === null) return null;
      for (const name of below) if (name !== 'default') names.add(name);
    }
    // Within a circle the answer is only whole for the one who asked first.
    if (asking.size === 1 || facts.stars.length === 0) this.known.set(file, names);
    return names;
  }

  private ofCommonJs(file: string, asking: Set<string>): ExportedNames {
    const names = new Set(['default', 'module.exports']);
    if (asking.has(file)) return names;
    asking.add(file);
    if (/\.[cm]?tsx?$/.test(file) || file.endsWith('.node')) return null;
    if (file.endsWith('.json')) return names;
    let found: ReturnType<typeof parseCommonJs>;
    try {
      found = parseCommonJs(readFileSync(file, 'utf8'));
    } catch {
      return null; // Node takes such a module to have no names; whether it does in the service's version is not sure
    }
    for (const name of found.exports) names.add(name);
    for (const specifier of found.reexports) {
      const to = this.graph.resolver.resolve(specifier, 'require', file);
      const below =
        to.state === 'file' ? (this.graph.modules.get(to.file)?.facts.format === 'esm' ? null : this.ofCommonJs(to.file, asking)) : null;
      if (below === null) return null;
      for (const name of below) names.add(name);
    }
    return names;
  }
}
