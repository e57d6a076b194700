import { extname } from 'node:path';
import type { AnyNode } from 'acorn';
import type { DroppedCall, ModuleCalls } from '../../domains/playbooks/index.ts';
import { stripped } from './module-facts.ts';
import { boundNames, childrenOf, declared, nameOf, programOf } from './syntax-tree.ts';

/** Of one module; a file with more is made by a program. */
const CALLS_MAX = 200;

/**
 * What a module of JavaScript or TypeScript says of its asynchronous functions and of the calls whose promise it drops: a call
 * that is a statement of its own. `void f()` says that it is meant, and `f().catch(…)` that its failure is handled.
 * @returns null for what cannot be parsed: JSX, enums, decorators, mistakes
 */
export function moduleCalls(source: string, path: string): ModuleCalls | null {
  const text = /\.[cm]?ts$/.test(path) ? stripped(source) : source;
  const parsed = text === null ? null : programOf(text, { format: formatOf(path) });
  if (parsed?.program.type !== 'Program') return null;
  const reader = new Reader();
  try {
    reader.read(parsed.program.body);
  } catch {
    return null; // nested deeper than the stack
  }
  return reader.calls();
}

function formatOf(path: string): 'esm' | 'cjs' | null {
  const ending = extname(path);
  return ending === '.mjs' || ending === '.mts' ? 'esm' : ending === '.cjs' || ending === '.cts' ? 'cjs' : null;
}

type Callable = Extract<AnyNode, { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }>;

class Reader {
  private readonly asyncs = new Set<string>();
  private readonly classes = new Set<string>();
  private readonly instances = new Map<string, string>();
  private readonly imports: (readonly [string, string, string])[] = [];
  private readonly exports: (readonly [string, string])[] = [];
  private readonly dropped: DroppedCall[] = [];
  /** Names that something else is put into, somewhere in the module: what they call cannot be told. */
  private readonly unsure = new Set<string>();

  read(body: readonly AnyNode[]): void {
    for (const node of body) this.topLevel(node);
    for (const node of body) this.walk(node, null, new Set());
  }

  calls(): ModuleCalls {
    const isSure = (name: string): boolean => !this.unsure.has(name);
    return {
      asyncs: [...this.asyncs].filter(isSure),
      classes: [...this.classes],
      instances: [...this.instances].filter(([name]) => isSure(name)),
      imports: this.imports,
      exports: this.exports,
      dropped: this.dropped,
    };
  }

  private topLevel(node: AnyNode): void {
    switch (node.type) {
      case 'ImportDeclaration':
        for (const one of node.specifiers) {
          const name =
            one.type === 'ImportNamespaceSpecifier' ? '*' : one.type === 'ImportDefaultSpecifier' ? 'default' : nameOf(one.imported);
          this.imports.push([one.local.name, String(node.source.value), name]);
        }
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration != null) {
          this.topLevel(node.declaration);
          for (const name of declared(node.declaration)) this.exports.push([name, name]);
        }
        for (const { local, exported } of node.specifiers) {
          // Under a name that no program can write.
          const here = node.source == null ? nameOf(local) : `*${nameOf(exported)}`;
          if (node.source != null) this.imports.push([here, String(node.source.value), nameOf(local)]);
          this.exports.push([nameOf(exported), here]);
        }
        return;
      case 'ExportDefaultDeclaration':
        this.exports.push(['default', this.named(node.declaration, '*default')]);
        return;
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
        if (node.id !== null) this.named(node, node.id.name);
        return;
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) this.variable(id, init ?? null);
        return;
      case 'ExpressionStatement':
        if (node.expression.type === 'AssignmentExpression') this.commonExport(node.expression.left, node.expression.right);
        return;
      default:
    }
  }

  /** @returns the name by which the module knows it */
  private named(node: AnyNode, otherwise: string): string {
    switch (node.type) {
      case 'Identifier':
        return node.name;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression': {
        const name = node.type === 'FunctionDeclaration' ? (node.id?.name ?? otherwise) : otherwise;
        if (node.async && !node.generator) this.asyncs.add(name);
        return name;
      }
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.ofClass(node, node.id?.name ?? otherwise);
      case 'NewExpression':
        if (node.callee.type === 'Identifier') this.instances.set(otherwise, node.callee.name);
        return otherwise;
      default:
        return otherwise;
    }
  }

  private ofClass(node: Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>, name: string): string {
    this.classes.add(name);
    for (const member of node.body.body) {
      if (member.type === 'StaticBlock' || member.computed || member.value == null) continue;
      this.named(member.value, `${name}.${nameOf(member.key)}`);
    }
    return name;
  }

  private variable(id: AnyNode, init: AnyNode | null): void {
    if (init === null) return;
    const module = requiredBy(init);
    if (id.type === 'Identifier') {
      if (module !== null) this.imports.push([id.name, module, '*']);
      else if (init.type === 'MemberExpression' && requiredBy(init.object) !== null)
        this.imports.push([id.name, requiredBy(init.object) ?? '', nameOf(init.property)]);
      else this.named(init, id.name);
    } else if (id.type === 'ObjectPattern' && module !== null) {
      for (const one of id.properties)
        if (one.type === 'Property' && one.value.type === 'Identifier') this.imports.push([one.value.name, module, nameOf(one.key)]);
    }
  }

  /** `exports.f = …`, `module.exports = { f }`, `module.exports = f`. */
  private commonExport(left: AnyNode, right: AnyNode): void {
    if (left.type !== 'MemberExpression' || left.computed) return;
    if (isNamed(left, 'module', 'exports')) {
      if (right.type !== 'ObjectExpression') {
        this.exports.push(['default', this.named(right, '*default')]);
        return;
      }
      for (const one of right.properties)
        if (one.type === 'Property' && !one.computed) this.exports.push([nameOf(one.key), this.named(one.value, `*${nameOf(one.key)}`)]);
      return;
    }
    const isExports = left.object.type === 'Identifier' ? left.object.name === 'exports' : isNamed(left.object, 'module', 'exports');
    const name = nameOf(left.property);
    if (isExports) this.exports.push([name, this.named(right, `*${name}`)]);
  }

  /**
   * @param inClass  whose `this` it is
   * @param hidden   names that mean something else here than at the top of the module
   */
  private walk(node: AnyNode, inClass: string | null, hidden: ReadonlySet<string>): void {
    switch (node.type) {
      case 'ClassDeclaration':
      case 'ClassExpression':
        for (const child of childrenOf(node)) this.walk(child, node.id?.name ?? null, hidden);
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression': {
        const own = node.type === 'ArrowFunctionExpression' || this.isMethod(node) ? inClass : null;
        const within = new Set([...hidden, ...node.params.flatMap(boundNames), ...namesIn(node.body)]);
        for (const child of childrenOf(node)) this.walk(child, own, within);
        return;
      }
      case 'MethodDefinition':
        this.methods.add(node.value);
        break;
      case 'AssignmentExpression':
        this.assigned(node.left, node.right, inClass, hidden);
        break;
      case 'ExpressionStatement':
        this.statement(node.expression, inClass, hidden);
        break;
      default:
    }
    for (const child of childrenOf(node)) this.walk(child, inClass, hidden);
  }

  private readonly methods = new WeakSet<AnyNode>();
  private isMethod(node: Callable): boolean {
    return this.methods.has(node);
  }

  private assigned(left: AnyNode, right: AnyNode, inClass: string | null, hidden: ReadonlySet<string>): void {
    if (left.type === 'Identifier') {
      if (!hidden.has(left.name)) this.unsure.add(left.name);
    } else if (left.type === 'MemberExpression' && left.object.type === 'ThisExpression' && inClass !== null && !left.computed) {
      const name = `${inClass}.${nameOf(left.property)}`;
      const isOf = right.type === 'NewExpression' && right.callee.type === 'Identifier' ? right.callee.name : null;
      const known = this.instances.get(name);
      if (isOf !== null && (known === undefined || known === isOf) && !this.asyncs.has(name)) this.instances.set(name, isOf);
      else this.unsure.add(name);
    }
  }

  private statement(expression: AnyNode, inClass: string | null, hidden: ReadonlySet<string>): void {
    const call = expression.type === 'ChainExpression' ? expression.expression : expression;
    if (call.type !== 'CallExpression' || this.dropped.length >= CALLS_MAX) return;
    const callee = calleeOf(call.callee, inClass, hidden);
    const line = call.loc?.start.line;
    if (callee !== null && line !== undefined) this.dropped.push({ callee, line });
  }
}

function calleeOf(callee: AnyNode, inClass: string | null, hidden: ReadonlySet<string>): DroppedCall['callee'] | null {
  if (callee.type === 'Identifier') return hidden.has(callee.name) ? null : [callee.name];
  if (callee.type !== 'MemberExpression' || callee.computed) return null;
  const member = nameOf(callee.property);
  const { object } = callee;
  if (object.type === 'ThisExpression') return inClass === null ? null : [inClass, member];
  if (object.type === 'Identifier') return hidden.has(object.name) ? null : [object.name, member];
  const isOwn = object.type === 'MemberExpression' && !object.computed && object.object.type === 'ThisExpression' && inClass !== null;
  return isOwn ? [`${inClass}.${nameOf(object.property)}`, member] : null;
}

/** Names that are declared anywhere in a function, not in functions within it: a block of one hides less, and is said to hide all. */
function namesIn(node: AnyNode): readonly string[] {
  const found: string[] = [...declared(node)];
  if (node.type === 'CatchClause' && node.param != null) found.push(...boundNames(node.param));
  for (const child of childrenOf(node)) {
    if (child.type === 'FunctionDeclaration' || child.type === 'ClassDeclaration') found.push(...declared(child));
    else if (child.type !== 'FunctionExpression' && child.type !== 'ArrowFunctionExpression' && child.type !== 'ClassExpression')
      found.push(...namesIn(child));
  }
  return found;
}

function requiredBy(node: AnyNode): string | null {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'require') return null;
  const [first] = node.arguments;
  return first?.type === 'Literal' && typeof first.value === 'string' ? first.value : null;
}

function isNamed(node: AnyNode, object: string, property: string): boolean {
  return (
    node.type === 'MemberExpression' &&
    !node.computed &&
    node.object.type === 'Identifier' &&
    node.object.name === object &&
    nameOf(node.property) === property
  );
}
