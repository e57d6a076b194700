import { parse, type AnyNode, type Options } from 'acorn';
import type { SourceKind } from './module-facts.ts';

const OPTIONS: Options = {
  ecmaVersion: 'latest',
  allowHashBang: true,
  locations: true,
  allowReturnOutsideFunction: true,
  allowSuperOutsideMethod: true,
  allowAwaitOutsideFunction: false,
};

/** The tree of a module, and as what it parses. */
export function programOf(
  text: string,
  { format }: Pick<SourceKind, 'format'>,
): { readonly program: AnyNode; readonly format: 'esm' | 'cjs' } | null {
  // As Node does it: an ES module is what is no CommonJS.
  const tries = format === null ? (['cjs', 'esm'] as const) : ([format] as const);
  for (const as of tries)
    try {
      const program =
        as === 'esm'
          ? parse(text, { ...OPTIONS, sourceType: 'module', allowReturnOutsideFunction: false, allowAwaitOutsideFunction: true })
          : parse(text, { ...OPTIONS, sourceType: 'script' });
      return { program: program as AnyNode, format: as };
    } catch {
      // not as this
    }
  return null;
}

/** Nodes directly below a node. */
export function childrenOf(node: AnyNode): AnyNode[] {
  const found: AnyNode[] = [];
  for (const key in node) {
    if (key === 'loc' || key === 'type') continue;
    const value = (node as unknown as Record<string, unknown>)[key];
    if (Array.isArray(value)) {
      for (const one of value) if (isNode(one)) found.push(one);
    } else if (isNode(value)) found.push(value);
  }
  return found;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

/** Of an identifier, or a string where one may stand for it. */
export function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' || node.type === 'PrivateIdentifier' ? node.name : node.type === 'Literal' ? String(node.value) : '';
}

/** Names a statement declares in the scope it stands in. */
export function declared(node: AnyNode): readonly string[] {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') return node.id === null ? [] : [node.id.name];
  if (node.type === 'VariableDeclaration') return node.declarations.flatMap(({ id }) => boundNames(id));
  return [];
}

/** Names that a pattern binds. */
export function boundNames(pattern: AnyNode): readonly string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) => boundNames(one.type === 'RestElement' ? one.argument : one.value));
    case 'ArrayPattern':
      return pattern.elements.flatMap((one) => (one === null ? [] : boundNames(one)));
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/** Names that are used as values anywhere but in an import. */
export function usedNames(program: AnyNode): ReadonlySet<string> {
  const used = new Set<string>();
  const stack: AnyNode[] = [program];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === 'ImportDeclaration') continue;
    if (node.type === 'ExportNamedDeclaration' && node.source != null) continue;
    if (node.type === 'Identifier') used.add(node.name);
    stack.push(...childrenOf(node));
  }
  return used;
}
