import type { AnyNode } from 'acorn';
import { boundNames, childrenOf, declared, nameOf } from './syntax-tree.ts';

/** How a value is used: what is `undefined` can be handed on, and neither called nor extended nor looked into. */
export type Use = 'value' | 'call' | 'new' | 'extends' | 'member';

export interface NameUse {
  readonly name: string;
  readonly use: Use;
  readonly node: AnyNode;
  /** For `name.member`: what is read from it, and how that is used. */
  readonly member: { readonly name: string; readonly use: Use } | null;
}

/** Functions within functions that are followed. */
const DEPTH_MAX = 4;
/** Of one module: enough to find the first that fails. */
const USES_MAX = 2000;

/**
 * Names a module surely uses while it is evaluated, in that order: not what stands in functions (unless they are called right there), under
 * conditions, or where a failure is caught. The walk into functions that are called by name is left to `follow`.
 * @param follow   is given the name of a called function; its body, where it is known and to be walked in place
 */
export function topLevelUses(
  body: readonly AnyNode[],
  follow: (name: string) => readonly AnyNode[] | null = () => null,
): readonly NameUse[] {
  const walk = new Walk(follow);
  walk.statements(body, new Set());
  return walk.found;
}

class Walk {
  readonly found: NameUse[] = [];
  private depth = 0;
  private readonly follow: (name: string) => readonly AnyNode[] | null;

  constructor(follow: (name: string) => readonly AnyNode[] | null) {
    this.follow = follow;
  }

  /** @returns false when it may end before its end */
  statements(body: readonly AnyNode[], hidden: ReadonlySet<string>): boolean {
    for (const node of body) {
      this.visit(node, 'value', hidden);
      // What may leave early makes the rest unsure.
      if (node.type !== 'ExpressionStatement' && mayLeave(node)) return false;
    }
    return true;
  }

  private visit(node: AnyNode | null | undefined, use: Use, hidden: ReadonlySet<string>): void {
    if (node == null || this.found.length > USES_MAX) return;
    const each = (nodes: readonly (AnyNode | null)[]): void => {
      for (const one of nodes) this.visit(one, 'value', hidden);
    };
    switch (node.type) {
      case 'Identifier':
        if (!hidden.has(node.name)) this.found.push({ name: node.name, use, node, member: null });
        return;
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'LabeledStatement':
      case 'SwitchCase':
      case 'MetaProperty':
      case 'BreakStatement':
      case 'ContinueStatement':
        return;
      case 'ExportNamedDeclaration':
        this.visit(node.declaration, 'value', hidden);
        return;
      case 'MemberExpression':
        if (node.object.type === 'Identifier' && !node.computed && !node.optional) {
          if (!hidden.has(node.object.name))
            this.found.push({ name: node.object.name, use: 'member', node, member: { name: nameOf(node.property), use } });
          return;
        }
        this.visit(node.object, node.optional ? 'value' : 'member', hidden);
        if (node.computed) this.visit(node.property, 'value', hidden);
        return;
      case 'ChainExpression': {
        // Only its first link is read whatever it is.
        let first: AnyNode = node.expression;
        while (first.type === 'MemberExpression' || first.type === 'CallExpression')
          first = first.type === 'MemberExpression' ? first.object : first.callee;
        this.visit(first, 'value', hidden);
        return;
      }
      case 'CallExpression':
        this.called(node, hidden);
        return;
      case 'NewExpression':
        this.visit(node.callee, 'new', hidden);
        each(node.arguments);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.visit(node.superClass, 'extends', hidden);
        for (const part of node.body.body) {
          if (part.type === 'StaticBlock') this.statements(part.body, new Set([...hidden, ...part.body.flatMap(declared)]));
          else {
            if (part.computed) this.visit(part.key, 'value', hidden);
            if (part.type === 'PropertyDefinition' && part.static) this.visit(part.value, 'value', hidden);
          }
        }
        return;
      case 'Property':
        if (node.computed) this.visit(node.key, 'value', hidden);
        this.visit(node.value, 'value', hidden);
        return;
      case 'VariableDeclarator':
        // A pattern reads members of what it takes apart; of `undefined` it can read none.
        this.visit(node.init, node.id.type === 'Identifier' ? 'value' : 'member', hidden);
        return;
      case 'AssignmentExpression':
        if (node.left.type === 'MemberExpression') this.visit(node.left, 'value', hidden);
        if (!/^(?:\|\||&&|\?\?)=$/.test(node.operator)) this.visit(node.right, 'value', hidden);
        return;
      case 'IfStatement':
      case 'ConditionalExpression':
        this.visit(node.test, 'value', hidden);
        return;
      case 'SwitchStatement':
        this.visit(node.discriminant, 'value', hidden);
        return;
      case 'LogicalExpression':
        this.visit(node.left, 'value', hidden);
        return;
      case 'TryStatement':
        if (node.handler == null) this.visit(node.block, 'value', hidden);
        return;
      case 'ForStatement':
        this.visit(node.init, 'value', hidden);
        return;
      case 'ForOfStatement':
      case 'ForInStatement':
        this.visit(node.right, 'value', hidden);
        return;
      case 'WhileStatement':
        this.visit(node.test, 'value', hidden);
        return;
      case 'DoWhileStatement':
        return;
      case 'BlockStatement':
        this.statements(node.body, new Set([...hidden, ...node.body.flatMap(declared)]));
        return;
      default:
        for (const child of childrenOf(node)) this.visit(child, 'value', hidden);
    }
  }

  private called(node: AnyNode & { type: 'CallExpression' }, hidden: ReadonlySet<string>): void {
    const { callee, arguments: given } = node;
    const isInPlace = callee.type === 'FunctionExpression' || callee.type === 'ArrowFunctionExpression';
    if (!isInPlace) this.visit(callee, node.optional ? 'value' : 'call', hidden);
    for (const one of given) this.visit(one, 'value', hidden);
    if (this.depth >= DEPTH_MAX) return;
    this.depth++;
    if (isInPlace && !callee.async && !callee.generator) {
      const inner = new Set([...hidden, ...callee.params.flatMap(boundNames)]);
      if (callee.body.type === 'BlockStatement') this.visit(callee.body, 'value', inner);
      else this.visit(callee.body, 'value', inner);
    } else if (callee.type === 'Identifier' && !hidden.has(callee.name)) {
      const body = this.follow(callee.name);
      if (body !== null) this.statements(body, new Set([...hidden, ...body.flatMap(declared)]));
    }
    this.depth--;
  }
}

function mayLeave(node: AnyNode): boolean {
  const stack: AnyNode[] = [node];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at.type === 'ReturnStatement' || at.type === 'ThrowStatement') return true;
    if (/^(?:Function|ArrowFunction|Class)/.test(at.type)) continue;
    stack.push(...childrenOf(at));
  }
  return false;
}
