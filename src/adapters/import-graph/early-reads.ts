import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { AnyNode } from 'acorn';
import { readFully, type BuiltGraph } from './build-graph.ts';
import type { Suspicion } from './find-problems.ts';
import { boundNames, childrenOf, declared, nameOf, programOf } from './syntax-tree.ts';
import { isPackaged } from './module-folders.ts';
import type { NodeTraits } from './node-traits.ts';
import { isTypeScript, type ServiceEntry } from './service-entry.ts';
import { topLevelUses, type NameUse } from './top-level-uses.ts';

/** Larger circles are walked for seconds, and nobody reads of them. */
const CIRCLE_MAX = 500;

/**
 * Circles of imports that break: while modules are evaluated in the order in which Node does it, one reads a binding of a module whose
 * own turn has not come. Other circles do no harm, and are passed over. Of packages nothing is said: theirs are released as they are.
 * @see ECMA-262, 16.2.1.6 (evaluation of cyclic modules), 9.1.1.5.1 (bindings that are not initialised)
 */
export function earlyReads(graph: BuiltGraph, entry: ServiceEntry, node: NodeTraits): readonly Suspicion[] {
  const circles = circlesOf(graph);
  if (circles.size === 0 || circles.size > CIRCLE_MAX) return [];
  const evaluation = new Evaluation(graph, entry, node, circles);
  // Only the first counts: with it the service ends.
  return evaluation.run().slice(0, 1);
}

/** Modules of the project that import each other. */
function circlesOf({ modules }: BuiltGraph): ReadonlySet<string> {
  const own = [...modules.values()].filter(({ file, facts }) => !isPackaged(file) && facts.format !== 'leaf' && !facts.isUnread);
  const next = new Map(
    own.map(({ file, facts, leadsTo }) => [
      file,
      leadsTo.flatMap((to, i) => {
        const how = facts.requests[i]?.how;
        return to.state === 'file' && (how === 'import' || how === 'require') ? [to.file] : [];
      }),
    ]),
  );
  // Tarjan, without recursion.
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found = new Set<string>();
  for (const root of next.keys()) {
    if (index.has(root)) continue;
    const work = [{ file: root, at: 0 }];
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const { file } = top;
      if (top.at === 0 && !index.has(file)) {
        low.set(file, index.size);
        index.set(file, index.size);
        open.push(file);
        isOpen.add(file);
      }
      const to = next.get(file)?.[top.at++];
      if (to !== undefined) {
        if (!next.has(to)) continue;
        if (!index.has(to)) work.push({ file: to, at: 0 });
        else if (isOpen.has(to)) low.set(file, Math.min(low.get(file) ?? 0, index.get(to) ?? 0));
        continue;
      }
      work.pop();
      const above = work.at(-1);
      if (above !== undefined) low.set(above.file, Math.min(low.get(above.file) ?? 0, low.get(file) ?? 0));
      if (low.get(file) !== index.get(file)) continue;
      const circle = open.splice(open.indexOf(file));
      for (const one of circle) isOpen.delete(one);
      if (circle.length > 1 || next.get(file)?.includes(file) === true) for (const one of circle) found.add(one);
    }
  }
  return found;
}

/** A module whose tree is at hand. */
interface Tree {
  readonly file: string;
  readonly body: readonly AnyNode[];
  /** What an import binds here: name there, where from; null for the whole module. */
  readonly imported: ReadonlyMap<string, { readonly name: string | null; readonly from: string }>;
  /** Local name of what is exported. */
  readonly exported: ReadonlyMap<string, string>;
  /** Names that cannot be read before the module has run. */
  readonly dead: ReadonlySet<string>;
  readonly functions: ReadonlyMap<string, readonly AnyNode[]>;
}

class Evaluation {
  private readonly done = new Set<string>();
  /** Modules whose turn has come and is not over, outermost first. */
  private readonly waiting: string[] = [];
  /** Of CommonJS: where in its source a waiting module stands. */
  private readonly standsAt = new Map<string, number>();
  private readonly trees = new Map<string, Tree | null>();
  private readonly found: Suspicion[] = [];
  private readonly graph: BuiltGraph;
  private readonly entry: ServiceEntry;
  private readonly node: NodeTraits;
  private readonly circles: ReadonlySet<string>;

  constructor(graph: BuiltGraph, entry: ServiceEntry, node: NodeTraits, circles: ReadonlySet<string>) {
    this.graph = graph;
    this.entry = entry;
    this.node = node;
    this.circles = circles;
  }

  run(): readonly Suspicion[] {
    for (const file of this.graph.entries) this.evaluate(file);
    return this.found;
  }

  private evaluate(file: string): void {
    // What packages load is not the project's.
    if (this.done.has(file) || this.waiting.includes(file) || isPackaged(file) || this.found.length > 0) return;
    const full = readFully(file, this.graph, this.entry, this.node);
    if (full === null || full.facts.isUnread || full.facts.format === 'leaf') return;
    this.waiting.push(file);
    const isModule = full.facts.format === 'esm';
    for (const [i, request] of full.facts.requests.entries()) {
      const to = full.leadsTo[i];
      if (to?.state !== 'file' || request.certainty !== 'sure' || request.how === 'ask') continue;
      if (isModule && request.how !== 'import') continue;
      this.standsAt.set(file, offsetOf(request));
      this.evaluate(to.file);
    }
    if (this.circles.has(file)) this.judge(file, isModule);
    this.waiting.pop();
    this.done.add(file);
    for (const [i, request] of full.facts.requests.entries()) {
      const to = full.leadsTo[i];
      if (isModule && to?.state === 'file' && request.certainty === 'sure' && request.how === 'dynamic') this.evaluate(to.file);
    }
  }

  private judge(file: string, isModule: boolean): void {
    const tree = this.found.length > 0 ? null : this.treeOf(file);
    if (tree === null) return;
    const early = isModule ? this.earlyBinding(tree) : this.earlyProperty(tree);
    if (early !== null) this.found.push(early);
  }

  /** The first name of an ES module that is read before that module has run. */
  private earlyBinding(tree: Tree): Suspicion | null {
    for (const use of topLevelUses(tree.body, (name) => tree.functions.get(name) ?? null)) {
      const source = tree.imported.get(use.name);
      if (source === undefined) continue;
      const name = source.name ?? use.member?.name;
      const to = this.graph.resolver.resolve(source.from, 'import', tree.file);
      if (name === undefined || to.state !== 'file') continue;
      const binding = this.bindingOf(to.file, name, new Set());
      // It is linked, and its turn has not come or is not over.
      if (binding === null || binding.tree.file === tree.file || this.done.has(binding.tree.file)) continue;
      if (binding.tree.dead.has(binding.local)) return this.suspicion(tree, use, source.from, name, binding.tree.file);
      // A function can be called before its module has run; what it reads there cannot be.
      const body = use.use === 'call' || use.member?.use === 'call' ? binding.tree.functions.get(binding.local) : undefined;
      if (body === undefined) continue;
      const hidden = new Set(body.flatMap(declared));
      const inner = topLevelUses(body).find((one) => !hidden.has(one.name) && binding.tree.dead.has(one.name));
      if (inner !== undefined) return this.suspicion(tree, use, source.from, inner.name, binding.tree.file);
    }
    return null;
  }

  private bindingOf(file: string, name: string, asked: Set<string>): { readonly tree: Tree; readonly local: string } | null {
    if (asked.has(file) || !this.circles.has(file)) return null;
    asked.add(file);
    const tree = this.treeOf(file);
    if (tree === null) return null;
    const local = tree.exported.get(name);
    if (local !== undefined) {
      const passed = tree.imported.get(local);
      if (passed === undefined) return { tree, local };
      const to = this.graph.resolver.resolve(passed.from, 'import', file);
      return passed.name === null || to.state !== 'file' ? null : this.bindingOf(to.file, passed.name, asked);
    }
    const module = this.graph.modules.get(file);
    for (const [exported, there, i] of module?.facts.passedOn ?? []) {
      const to = module?.leadsTo[i];
      if (exported === name) return to?.state === 'file' ? this.bindingOf(to.file, there, asked) : null;
    }
    for (const i of module?.facts.stars ?? []) {
      const to = module?.leadsTo[i];
      const found = to?.state === 'file' ? this.bindingOf(to.file, name, asked) : null;
      if (found !== null) return found;
    }
    return null;
  }

  /** The first property of a half-made `exports` that is called, extended or looked into. */
  private earlyProperty(tree: Tree): Suspicion | null {
    const whole = new Map<string, string>();
    const parts = new Map<string, { readonly name: string; readonly from: string }>();
    for (const node of tree.body)
      if (node.type === 'VariableDeclaration')
        for (const { id, init } of node.declarations) {
          const from = requiredBy(init);
          if (from === null) continue;
          if (id.type === 'Identifier') whole.set(id.name, from);
          else if (id.type === 'ObjectPattern')
            for (const one of id.properties)
              if (one.type === 'Property' && one.value.type === 'Identifier' && !one.computed)
                parts.set(one.value.name, { name: nameOf(one.key), from });
        }
    for (const use of topLevelUses(tree.body, (name) => tree.functions.get(name) ?? null)) {
      const part = parts.get(use.name);
      const from = part?.from ?? whole.get(use.name);
      const name = part?.name ?? use.member?.name;
      const how = part === undefined ? use.member?.use : use.use;
      if (from === undefined || name === undefined || how === undefined || how === 'value' || name in Object.prototype) continue;
      const to = this.graph.resolver.resolve(from, 'require', tree.file);
      if (to.state !== 'file' || !this.waiting.includes(to.file) || to.file === tree.file || !this.lacks(to.file, name)) continue;
      if (this.isGiven(name)) continue;
      return this.suspicion(tree, use, from, name, to.file);
    }
    return null;
  }

  /** A module of the circle may put it into another, whose turn is not over: `a.z = 1`, `Object.assign(a, …)`. */
  private isGiven(name: string): boolean {
    return [...this.circles].some((file) => {
      const body = this.treeOf(file)?.body ?? [];
      const others = new Set(
        body.flatMap((node) =>
          node.type === 'VariableDeclaration'
            ? node.declarations.flatMap(({ id, init }) => (id.type === 'Identifier' && requiredBy(init) !== null ? [id.name] : []))
            : [],
        ),
      );
      return others.size > 0 && body.some((node) => gives(node, name, others));
    });
  }

  /** A waiting CommonJS module has surely not exported a name yet. */
  private lacks(file: string, name: string): boolean {
    const tree = this.treeOf(file);
    const at = this.standsAt.get(file);
    if (tree === null || at === undefined || this.graph.modules.get(file)?.facts.format !== 'cjs') return false;
    for (const node of tree.body) {
      const line = node.loc?.start.line ?? 0;
      const isBefore = line * LINE_WIDTH + (node.loc?.start.column ?? 0) <= at;
      const mentions = mentionsOf(node);
      if (mentions === 'none') continue;
      // What a function does may be done already.
      if (mentions === 'hidden') return false;
      if (isBefore && (mentions === 'any' || mentions.includes(name))) return false;
    }
    return true;
  }

  private suspicion(tree: Tree, { node }: NameUse, specifier: string, name: string, target: string): Suspicion {
    const { line, column } = node.loc?.start ?? { line: 1, column: 0 };
    const place = { file: tree.file, line, column: column + 1 };
    return { kind: 'early_read', place, specifier, name, target, nearest: null, declared: null, isCertain: true };
  }

  private treeOf(file: string): Tree | null {
    const known = this.trees.get(file);
    if (known !== undefined) return known;
    const tree = this.read(file);
    this.trees.set(file, tree);
    return tree;
  }

  private read(file: string): Tree | null {
    // A translator may make `var` of everything.
    if (isTypeScript(file) && this.entry.loader !== 'node') return null;
    try {
      const source = readFileSync(file, 'utf8');
      const text = isTypeScript(file) ? stripTypeScriptTypes(source, { mode: 'strip' }) : source;
      const format = this.graph.modules.get(file)?.facts.format;
      const parsed = format === 'esm' || format === 'cjs' ? programOf(text, { format }) : null;
      return parsed?.program.type === 'Program' ? treeOf(file, parsed.program.body) : null;
    } catch {
      return null;
    }
  }
}

/** Lines and columns as one number, to compare places. */
const LINE_WIDTH = 1_000_000;

function offsetOf({ line, column }: { readonly line: number; readonly column: number }): number {
  return line * LINE_WIDTH + column - 1;
}

/** The default export that has no name of its own. */
const DEFAULT = '*default*';

function treeOf(file: string, body: readonly AnyNode[]): Tree {
  const imported = new Map<string, { readonly name: string | null; readonly from: string }>();
  const exported = new Map<string, string>();
  const dead = new Set<string>();
  const functions = new Map<string, readonly AnyNode[]>();
  const declare = (node: AnyNode): void => {
    if (node.type === 'ClassDeclaration' || (node.type === 'VariableDeclaration' && node.kind !== 'var'))
      for (const name of declared(node)) dead.add(name);
    if (node.type === 'FunctionDeclaration' && !node.async && !node.generator && node.params.every(({ type }) => type === 'Identifier')) {
      // Its parameters would hide names of the module.
      const params = new Set(node.params.flatMap(boundNames));
      if (params.size === 0 && node.id !== null) functions.set(node.id.name, node.body.body);
    }
  };
  for (const node of body) {
    declare(node);
    if (node.type === 'ImportDeclaration') {
      for (const one of node.specifiers)
        imported.set(one.local.name, {
          name: one.type === 'ImportNamespaceSpecifier' ? null : one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported),
          from: String(node.source.value),
        });
    } else if (node.type === 'ExportNamedDeclaration' && node.source == null) {
      if (node.declaration != null) {
        declare(node.declaration);
        for (const name of declared(node.declaration)) exported.set(name, name);
      }
      for (const one of node.specifiers) exported.set(nameOf(one.exported), nameOf(one.local));
    } else if (node.type === 'ExportDefaultDeclaration') {
      const { declaration } = node;
      const isFunction = declaration.type === 'FunctionDeclaration';
      const own = isFunction || declaration.type === 'ClassDeclaration' ? (declaration.id?.name ?? DEFAULT) : DEFAULT;
      exported.set('default', own);
      if (!isFunction) dead.add(own);
      if (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration') declare(declaration);
    }
  }
  return { file, body, imported, exported, dead, functions };
}

/** Whether a statement writes a property into one of other modules. */
function gives(statement: AnyNode, name: string, others: ReadonlySet<string>): boolean {
  const isOther = (node: AnyNode | undefined): boolean => node?.type === 'Identifier' && others.has(node.name);
  const stack: AnyNode[] = [statement];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression' && isOther(node.left.object))
      if (node.left.computed || nameOf(node.left.property) === name) return true;
    if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && !node.callee.computed)
      if (/^(?:assign|definePropert(?:y|ies))$/.test(nameOf(node.callee.property)) && isOther(node.arguments[0])) return true;
    stack.push(...childrenOf(node));
  }
  return false;
}

function requiredBy(init: AnyNode | null | undefined): string | null {
  if (init?.type !== 'CallExpression' || init.callee.type !== 'Identifier' || init.callee.name !== 'require') return null;
  const [first] = init.arguments;
  return first?.type === 'Literal' && typeof first.value === 'string' ? first.value : null;
}

/** Names a statement exports; `any` where that cannot be told, `hidden` where a function does it. */
function mentionsOf(node: AnyNode): 'none' | 'any' | 'hidden' | readonly string[] {
  const text = JSON.stringify(node, (key, value: unknown) => (key === 'loc' || key === 'start' || key === 'end' ? undefined : value));
  if (!/"name":"(?:exports|module)"/.test(text)) return 'none';
  if (/"type":"(?:FunctionDeclaration)"/.test(text)) return 'hidden';
  if (node.type !== 'ExpressionStatement' || node.expression.type !== 'AssignmentExpression') return 'any';
  const names: string[] = [];
  let value: AnyNode = node.expression;
  while (value.type === 'AssignmentExpression') {
    const { left } = value;
    if (left.type !== 'MemberExpression' || left.computed) return 'any';
    if (left.object.type !== 'Identifier' && left.object.type !== 'MemberExpression') return 'any';
    // `module.exports = …` makes another object of it
    if (left.object.type === 'Identifier' && left.object.name !== 'exports') return 'any';
    names.push(nameOf(left.property));
    value = value.right;
  }
  // `exports.a = exports.b = void 0` only announces.
  return value.type === 'UnaryExpression' && value.operator === 'void' ? [] : names;
}
