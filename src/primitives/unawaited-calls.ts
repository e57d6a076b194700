import { dirname, join, relative } from 'node:path';
import type { ModuleCalls } from '../domains/playbooks/index.ts';

export interface UnawaitedCall {
  readonly path: string;
  readonly line: number;
  /** As the code writes it: `bus.publish`, `Bus.publish` for `this.publish`. */
  readonly called: string;
}

/** What a name means: a definition in some module, or a module itself. */
type Meaning = { readonly path: string; readonly name: string } | { readonly path: string; readonly name: null };

/** A name that is handed on more often than this goes in a circle. */
const HOPS_MAX = 8;

/**
 * Calls of asynchronous functions of these modules that drop what they get, by place. Only what is sure: a function that is defined
 * here, or imported from a module here; a method of a class here, of an object that is made of it. What could be anything is left out.
 * @param modules  by absolute path
 * @param cwd      where Python looks for modules first
 */
export function unawaitedCalls(modules: ReadonlyMap<string, ModuleCalls>, cwd: string): readonly UnawaitedCall[] {
  const program = new Program(modules, cwd);
  const found: UnawaitedCall[] = [];
  for (const [path, module] of modules)
    for (const { callee, line } of module.dropped) if (program.isAsync(path, callee)) found.push({ path, line, called: callee.join('.') });
  return found.toSorted((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}

interface Names {
  readonly asyncs: ReadonlySet<string>;
  readonly classes: ReadonlySet<string>;
  readonly instances: ReadonlyMap<string, string>;
  readonly imports: ReadonlyMap<string, readonly [string, string]>;
  readonly exports: ReadonlyMap<string, string>;
}

class Program {
  private readonly names = new Map<string, Names>();
  private readonly cwd: string;

  constructor(modules: ReadonlyMap<string, ModuleCalls>, cwd: string) {
    this.cwd = cwd;
    for (const [path, { asyncs, classes, instances, imports, exports }] of modules)
      this.names.set(path, {
        asyncs: new Set(asyncs),
        classes: new Set(classes),
        instances: new Map(instances),
        imports: new Map(imports.map(([here, from, there]) => [here, [from, there]])),
        exports: new Map(exports),
      });
  }

  isAsync(path: string, [first, member]: readonly [string, string?]): boolean {
    if (member === undefined) {
      const meant = this.meaning(path, first);
      return meant?.name != null && (this.names.get(meant.path)?.asyncs.has(meant.name) ?? false);
    }
    const owner = this.ownerOf(path, first);
    if (owner === null) return false;
    if (owner.name !== null) return this.names.get(owner.path)?.asyncs.has(`${owner.name}.${member}`) ?? false;
    const meant = this.exported(owner.path, member);
    return meant?.name != null && (this.names.get(meant.path)?.asyncs.has(meant.name) ?? false);
  }

  /** The class that something is, or is made of; or a module. */
  private ownerOf(path: string, name: string): Meaning | null {
    const meant = this.meaning(path, name);
    if (meant === null || meant.name === null) return meant;
    const there = this.names.get(meant.path);
    if (there?.classes.has(meant.name) === true) return meant;
    const made = there?.instances.get(meant.name);
    const of = made === undefined ? null : this.meaning(meant.path, made);
    return of?.name != null && this.names.get(of.path)?.classes.has(of.name) === true ? of : null;
  }

  private meaning(path: string, name: string, hops = 0): Meaning | null {
    const here = this.names.get(path);
    if (here === undefined || hops > HOPS_MAX) return null;
    if (here.asyncs.has(name) || here.classes.has(name) || here.instances.has(name)) return { path, name };
    const imported = here.imports.get(name);
    if (imported === undefined) return null;
    const [from, there] = imported;
    if (path.endsWith('.py')) {
      const module = there === '*' ? null : this.pythonModule(path, from.endsWith('.') ? from + there : `${from}.${there}`);
      const target = module ?? this.pythonModule(path, from);
      if (target === null) return null;
      return there === '*' || module !== null ? { path: target, name: null } : this.meaning(target, there, hops + 1);
    }
    const target = this.scriptModule(path, from);
    if (target === null) return null;
    if (there !== '*') return this.exported(target, there, hops + 1);
    // A module of CommonJS may itself be what it exports.
    return this.names.get(target)?.exports.has('default') === true && this.names.get(path)?.imports.get(name)?.[1] === '*'
      ? (this.whole(target, hops) ?? { path: target, name: null })
      : { path: target, name: null };
  }

  /** `module.exports = new Bus()`: the module is the object. */
  private whole(path: string, hops: number): Meaning | null {
    const names = this.names.get(path);
    return names !== undefined && names.exports.size === 1 ? this.exported(path, 'default', hops + 1) : null;
  }

  private exported(path: string, name: string, hops = 0): Meaning | null {
    const local = path.endsWith('.py') ? name : this.names.get(path)?.exports.get(name);
    return local === undefined ? null : this.meaning(path, local, hops + 1);
  }

  private scriptModule(from: string, specifier: string): string | null {
    if (!/^\.{1,2}\//.test(specifier)) return null;
    const at = join(dirname(from), specifier);
    const written = at.replace(/\.([cm]?)js$/, '.$1ts');
    for (const path of [at, written, ...ENDINGS.map((ending) => at + ending)]) if (this.names.has(path)) return path;
    return null;
  }

  /** Relative ones from the package, others from where Python starts and from the folder of the module. */
  private pythonModule(from: string, specifier: string): string | null {
    const dots = /^\.*/.exec(specifier)?.[0].length ?? 0;
    const parts = specifier
      .slice(dots)
      .split('.')
      .filter((part) => part !== '');
    const ups = Array.from({ length: Math.max(0, dots - 1) }, () => '..');
    const bases = dots > 0 ? [join(dirname(from), ...ups)] : [this.cwd, join(this.cwd, 'src'), dirname(from)];
    for (const base of bases) {
      const at = join(base, ...parts);
      if (relative(this.cwd, at).startsWith('..')) continue;
      for (const path of [`${at}.py`, join(at, '__init__.py')]) if (this.names.has(path)) return path;
    }
    return null;
  }
}

const ENDINGS = ['.js', '.ts', '.mjs', '.cjs', '.mts', '.cts', '/index.js', '/index.ts', '/index.mjs', '/index.cjs'];
