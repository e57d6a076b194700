import type { AnyNode } from 'acorn';
import type { Certainty, Request } from './module-facts.ts';
import { effectOf, type CallEffect } from './survived-calls.ts';
import { boundNames, childrenOf, declared, nameOf } from './syntax-tree.ts';

/** A request, and what its static import binds. */
export interface Found extends Request {
  /** All that a static import binds; null for one that is there for its effect. */
  readonly locals: readonly string[] | null;
  readonly namedLocals: readonly string[];
}

/** A function whose body is walked as part of what runs. */
interface Frame {
  /** It may have returned before: what follows is not sure. */
  hasReturned: boolean;
}

type Node = AnyNode & { readonly loc?: { readonly start: { readonly line: number; readonly column: number } } | null };

/** Walks a module in the order in which it runs. */
export class RequestReader {
  readonly requests: Found[] = [];
  readonly exports: string[] = [];
  passedOn: (readonly [string, string, number])[] = [];
  stars: number[] = [];
  /** Names that load a module when called. */
  private readonly loaders: Set<string>;
  /** How often a loader's name is bound to something else around here. */
  private readonly shadowed = new Map<string, number>();
  private readonly imported = new Map<string, readonly [string, number]>();
  private readonly format: 'esm' | 'cjs';
  /** What was called before, in the order of the source. */
  private readonly effects = new Set<CallEffect>();

  constructor(format: 'esm' | 'cjs') {
    this.format = format;
    this.loaders = new Set(format === 'cjs' ? ['require'] : []);
  }

  program(program: AnyNode): void {
    if (program.type !== 'Program') return;
    if (this.format === 'esm') for (const node of program.body) this.declaration(node);
    if (this.format === 'cjs' && this.declares(program.body, 'require')) this.loaders.delete('require');
    const frame: Frame = { hasReturned: false };
    this.statements(program.body, 'sure', frame);
  }

  /** Static imports and exports: they count before anything runs. */
  private declaration(node: AnyNode): void {
    if (node.type === 'ImportDeclaration') {
      const names: string[] = [];
      const namedLocals: string[] = [];
      const locals: string[] = [];
      const index = this.requests.length;
      for (const one of node.specifiers) {
        locals.push(one.local.name);
        if (one.type === 'ImportNamespaceSpecifier') continue;
        const name = one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported);
        names.push(name);
        namedLocals.push(one.local.name);
        this.imported.set(one.local.name, [name, index]);
      }
      this.add(String(node.source.value), 'import', 'sure', node, names, node.specifiers.length === 0 ? null : locals, namedLocals);
    } else if (node.type === 'ExportAllDeclaration') {
      const index = this.add(String(node.source.value), 'import', 'sure', node);
      if (node.exported == null) this.stars.push(index);
      else this.exports.push(nameOf(node.exported));
    } else if (node.type === 'ExportDefaultDeclaration') {
      this.exports.push('default');
    } else if (node.type === 'ExportNamedDeclaration') {
      if (node.source != null) {
        const names = node.specifiers.map(({ local }) => nameOf(local));
        const index = this.add(String(node.source.value), 'import', 'sure', node, names);
        for (const { local, exported } of node.specifiers) this.passedOn.push([nameOf(exported), nameOf(local), index]);
      } else if (node.declaration != null) {
        for (const name of declared(node.declaration)) this.exports.push(name);
      } else for (const { exported } of node.specifiers) this.exports.push(nameOf(exported));
    }
  }

  private add(
    specifier: string,
    how: Request['how'],
    certainty: Certainty,
    node: Node,
    names: readonly string[] = [],
    locals: readonly string[] | null = null,
    namedLocals: readonly string[] = [],
  ): number {
    const { line, column } = node.loc?.start ?? { line: 1, column: 0 };
    const isSurvived = certainty === 'sure' && this.effects.has('survives');
    const made = this.effects.has('makes') ? ({ mayBeMade: true } as const) : {};
    const asked = { specifier, how, certainty: isSurvived ? ('later' as const) : certainty, names, ...made };
    return this.requests.push({ ...asked, locals, namedLocals, line, column: column + 1 }) - 1;
  }

  private declares(body: readonly AnyNode[], name: string): boolean {
    return body.some((node) => declared(node).includes(name));
  }

  private statements(body: readonly AnyNode[], certainty: Certainty, frame: Frame): void {
    for (const node of body) this.walk(node, frame.hasReturned && certainty === 'sure' ? 'maybe' : certainty, frame);
  }

  private within(certainty: Certainty): Certainty {
    return certainty === 'later' ? 'maybe' : certainty === 'sure' ? 'maybe' : certainty;
  }

  private walk(node: AnyNode | null | undefined, certainty: Certainty, frame: Frame): void {
    if (node == null) return;
    const maybe = this.within(certainty);
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.body(node, certainty === 'maybe' ? 'maybe' : 'later');
        return;
      case 'CallExpression':
      case 'NewExpression':
        this.call(node, certainty, frame);
        return;
      case 'ImportExpression':
        if (node.source.type === 'Literal' && typeof node.source.value === 'string')
          this.add(node.source.value, 'dynamic', certainty === 'later' ? 'later' : 'maybe', node);
        this.walk(node.source, certainty, frame);
        return;
      case 'AwaitExpression':
        if (node.argument.type === 'ImportExpression' && certainty === 'sure') {
          const { source } = node.argument;
          if (source.type === 'Literal' && typeof source.value === 'string') this.add(source.value, 'dynamic', 'sure', node.argument);
          else this.walk(source, certainty, frame);
        } else this.walk(node.argument, certainty, frame);
        return;
      case 'IfStatement':
        this.walk(node.test, certainty, frame);
        this.walk(node.consequent, maybe, frame);
        this.walk(node.alternate, maybe, frame);
        return;
      case 'ConditionalExpression':
        this.walk(node.test, certainty, frame);
        this.walk(node.consequent, maybe, frame);
        this.walk(node.alternate, maybe, frame);
        return;
      case 'LogicalExpression':
        this.walk(node.left, certainty, frame);
        this.walk(node.right, maybe, frame);
        return;
      case 'AssignmentPattern':
        this.walk(node.left, certainty, frame);
        this.walk(node.right, maybe, frame);
        return;
      case 'AssignmentExpression':
        this.walk(node.left, certainty, frame);
        this.walk(node.right, /^(?:\|\||&&|\?\?)=$/.test(node.operator) ? maybe : certainty, frame);
        return;
      case 'ChainExpression':
        this.walk(node.expression, maybe, frame);
        return;
      case 'TryStatement':
        this.walk(node.block, node.handler == null ? certainty : 'maybe', frame);
        this.walk(node.handler, 'maybe', frame);
        this.walk(node.finalizer, certainty, frame);
        return;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
      case 'SwitchStatement':
      case 'LabeledStatement':
      case 'WithStatement':
        this.children(node, maybe, frame);
        return;
      case 'BlockStatement':
        this.scope(node.body, () => this.statements(node.body, certainty, frame));
        return;
      case 'ReturnStatement':
        this.walk(node.argument, certainty, frame);
        frame.hasReturned = true;
        return;
      case 'VariableDeclarator':
        this.makesLoader(node.id, node.init);
        this.children(node, certainty, frame);
        return;
      case 'MethodDefinition':
        this.walk(node.computed ? node.key : null, certainty, frame);
        this.walk(node.value, certainty, frame);
        return;
      case 'PropertyDefinition':
        this.walk(node.computed ? node.key : null, certainty, frame);
        this.walk(node.value, node.static ? certainty : certainty === 'maybe' ? 'maybe' : 'later', frame);
        return;
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'Literal':
      case 'Identifier':
        return;
      default:
        this.children(node, certainty, frame);
    }
  }

  private children(node: AnyNode, certainty: Certainty, frame: Frame): void {
    for (const child of childrenOf(node)) this.walk(child, frame.hasReturned && certainty === 'sure' ? 'maybe' : certainty, frame);
  }

  /** `const require = createRequire(import.meta.url)`. */
  private makesLoader(id: AnyNode, init: AnyNode | null | undefined): void {
    if (id.type !== 'Identifier' || init?.type !== 'CallExpression') return;
    const { callee } = init;
    const name =
      callee.type === 'Identifier' ? callee.name : callee.type === 'MemberExpression' && !callee.computed ? nameOf(callee.property) : '';
    if (!/^(?:createRequire|_?createRequire\d?)$/.test(name)) return;
    const [base] = init.arguments;
    const isHere =
      base?.type === 'MemberExpression' ? base.object.type === 'MetaProperty' : base?.type === 'Identifier' && base.name === '__filename';
    if (isHere) this.loaders.add(id.name);
    else this.loaders.delete(id.name);
  }

  private isLoader(node: AnyNode): boolean {
    return node.type === 'Identifier' && this.loaders.has(node.name) && !((this.shadowed.get(node.name) ?? 0) > 0);
  }

  private call(node: AnyNode & { type: 'CallExpression' | 'NewExpression' }, certainty: Certainty, frame: Frame): void {
    const { callee, arguments: given } = node;
    const [first] = given;
    this.effects.add(effectOf(node));
    if (node.type === 'CallExpression' && first?.type === 'Literal' && typeof first.value === 'string') {
      if (this.isLoader(callee)) this.add(first.value, 'require', certainty, node);
      else if (
        callee.type === 'MemberExpression' &&
        !callee.computed &&
        this.isLoader(callee.object) &&
        nameOf(callee.property) === 'resolve'
      )
        // with `paths` it is looked for elsewhere
        if (given.length === 1) this.add(first.value, 'ask', certainty, node);
    }
    // `(function () { … })()` and `(function () { … }).call(this)` run where they stand.
    const inner =
      callee.type === 'MemberExpression' && !callee.computed && /^(?:call|apply)$/.test(nameOf(callee.property)) ? callee.object : callee;
    if (inner.type === 'FunctionExpression' || inner.type === 'ArrowFunctionExpression') {
      for (const one of given) this.walk(one, certainty, frame);
      this.body(inner, inner.async || inner.generator ? (certainty === 'maybe' ? 'maybe' : 'later') : certainty);
      return;
    }
    this.walk(callee, certainty, frame);
    for (const one of given) this.walk(one, certainty, frame);
  }

  private body(
    node: AnyNode & { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' },
    certainty: Certainty,
  ): void {
    const names = node.params.flatMap(boundNames);
    this.shadow(names, () => {
      const own: Frame = { hasReturned: false };
      for (const param of node.params) this.walk(param, 'maybe', own);
      if (node.body.type === 'BlockStatement') {
        const { body } = node.body;
        this.scope(body, () => this.statements(body, certainty, own));
      } else this.walk(node.body, certainty, own);
    });
  }

  private scope(body: readonly AnyNode[], act: () => void): void {
    this.shadow(
      body.flatMap((node) =>
        declared(node).filter((name) => {
          // its own createRequire gives a name, and takes none
          if (node.type !== 'VariableDeclaration') return true;
          return !node.declarations.some(({ id, init }) => id.type === 'Identifier' && id.name === name && isCreateRequire(init));
        }),
      ),
      act,
    );
  }

  private shadow(names: readonly string[], act: () => void): void {
    const hiding = names.filter((name) => this.loaders.has(name));
    for (const name of hiding) this.shadowed.set(name, (this.shadowed.get(name) ?? 0) + 1);
    act();
    for (const name of hiding) this.shadowed.set(name, (this.shadowed.get(name) ?? 1) - 1);
  }
}

function isCreateRequire(init: AnyNode | null | undefined): boolean {
  if (init?.type !== 'CallExpression') return false;
  const { callee } = init;
  return callee.type === 'Identifier'
    ? /createRequire/.test(callee.name)
    : callee.type === 'MemberExpression' && !callee.computed && /createRequire/.test(nameOf(callee.property));
}
