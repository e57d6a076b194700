import { stripTypeScriptTypes } from 'node:module';
import { parse, type AnyNode, type Options } from 'acorn';
import { parse as parseModule } from 'es-module-lexer';
import { effectOf, type CallEffect } from './survived-calls.ts';

/** How surely a request is made when its module runs. */
export type Certainty =
  /** Whatever happens. */
  | 'sure'
  /** When a function is called that holds it. */
  | 'later'
  /** Under a condition, or where its failure is caught. */
  | 'maybe';

/** One import or require. */
export interface Request {
  readonly specifier: string;
  /** `ask`: `require.resolve`, which looks and does not load. */
  readonly how: 'import' | 'require' | 'dynamic' | 'ask';
  readonly certainty: Certainty;
  /** Names of a static import that have to be exported. */
  readonly names: readonly string[];
  /** Something before it may make the file it asks for. */
  readonly mayBeMade?: true;
  readonly line: number;
  readonly column: number;
}

/** What a module says of itself, found without running it. */
export interface ModuleFacts {
  readonly format: 'esm' | 'cjs' | 'leaf';
  /** In the order of the source. */
  readonly requests: readonly Request[];
  /** Of an ES module. */
  readonly exports: readonly string[];
  /** Exported again under a name: name here, name there, index of the request. */
  readonly passedOn: readonly (readonly [string, string, number])[];
  /** `export *`: indices of the requests. */
  readonly stars: readonly number[];
  /** It could not be parsed: nothing in it is sure. */
  readonly isUnread: boolean;
  /** Only skimmed: what it requires may stand in a comment, and has neither place nor certainty. */
  readonly isSkimmed: boolean;
  /** It changes how modules are found. */
  readonly isHooking: boolean;
}

/** A file without imports and exports of its own. */
export const LEAF: ModuleFacts = {
  format: 'leaf',
  requests: [],
  exports: [],
  passedOn: [],
  stars: [],
  isUnread: false,
  isSkimmed: false,
  isHooking: false,
};

/** Changes how Node finds modules. Calls of it are harmless. */
const HOOKING =
  /_resolveFilename\s{0,4}=[^=]|registerHooks\s{0,2}\(|\b(?:module|Module|nodeModule)\.register\(|\._load\s{0,4}=[^=]|_nodeModulePaths\s{0,4}=[^=]|\bmodule\.paths\.(?:push|unshift)|globalPaths\.(?:push|unshift)|_initPaths\(|\b(?:_extensions|require\.(?:extensions|cache))\s{0,4}(?:\[[^\]\n]{1,100}\]|\.\w{1,20})\s{0,4}=[^=]|\baddHook\s{0,2}\(|\bModule\.prototype\.(?:require|load|_compile)\s{0,4}=[^=]/;

const ESM_SYNTAX = /(?:^|[;}])[ \t]{0,40}(?:import\b[ \t]{0,4}[\w$*{'"]|export\b[ \t]{0,4}[\w{*])|\bimport\.meta\b/m;

export interface SourceKind {
  /** What Node takes it for by its name and package.json; null where the syntax decides. */
  readonly format: 'esm' | 'cjs' | null;
  readonly isTypeScript: boolean;
  /** Imports that are only used as types are left out by whoever translates it. */
  readonly isElided: boolean;
}

export function moduleFacts(source: string, kind: SourceKind): ModuleFacts {
  const isHooking = HOOKING.test(source);
  // Most leaves of a graph ask for nothing, and need no parser.
  if (kind.format === 'cjs' && !kind.isTypeScript && !/\brequire\b|\bimport\b/.test(source)) return { ...LEAF, format: 'cjs', isHooking };
  const text = kind.isTypeScript ? stripped(source) : source;
  const parsed = text === null ? null : programOf(text, kind);
  if (parsed === null) return unread(source, kind, isHooking);
  const { program, format } = parsed;
  const reader = new Reader(format);
  try {
    reader.program(program);
  } catch {
    return unread(source, kind, isHooking); // nested deeper than the stack
  }
  let { requests } = reader;
  if (kind.isElided) {
    const used = usedNames(program);
    const isUsed = (request: Found): boolean =>
      request.how !== 'import' || request.locals === null || request.locals.length === 0 || request.locals.some((name) => used.has(name));
    const kept = new Map<number, number>();
    requests.forEach((request, i) => {
      if (isUsed(request)) kept.set(i, kept.size);
    });
    requests = requests.filter(isUsed).map((request) => ({
      ...request,
      names: request.names.filter((_, i) => {
        const local = request.namedLocals[i];
        return local === undefined || used.has(local);
      }),
    }));
    reader.stars = reader.stars.flatMap((i) => kept.get(i) ?? []);
    reader.passedOn = reader.passedOn.flatMap(([a, b, i]) => {
      const now = kept.get(i);
      return now === undefined ? [] : [[a, b, now] as const];
    });
  }
  return {
    format,
    requests: requests.map(({ locals: _l, namedLocals: _n, ...request }) => request),
    exports: reader.exports,
    passedOn: reader.passedOn,
    stars: reader.stars,
    isUnread: false,
    isSkimmed: false,
    isHooking,
  };
}

/** Where `createRequire` makes a loader of another name, or types have to go, only the tree tells. */
const NEEDS_TREE = /\bcreateRequire\b/;
const REQUIRED =
  /\brequire\s{0,4}(\.\s{0,4}resolve\s{0,4})?\(\s{0,40}(["'`])([^"'`\n]{1,300})\2\s{0,40},?\s{0,40}\)|\bimport\s{0,4}\(\s{0,40}(["'`])([^"'`\n]{1,300})\4/g;

/**
 * What a module asks for, found without a tree: ten times as fast. It may hold more than the module really asks for, and never less;
 * static imports and exports of an ES module are exact.
 */
export function skimmedFacts(source: string, kind: SourceKind): ModuleFacts {
  if (kind.isTypeScript || NEEDS_TREE.test(source)) return moduleFacts(source, kind);
  const isHooking = HOOKING.test(source);
  if (kind.format !== 'cjs' && (kind.format === 'esm' || ESM_SYNTAX.test(source)))
    try {
      const [imports, exports, , hasModuleSyntax] = parseModule(source);
      if (kind.format === 'esm' || hasModuleSyntax) return skimmedModule(source, imports, exports, isHooking);
    } catch {
      return moduleFacts(source, kind); // what the lexer cannot tell apart, the parser can
    }
  const requests = [...source.matchAll(REQUIRED)].map(([, resolve, , required, , imported]): Request => ({
    specifier: required ?? imported ?? '',
    how: required === undefined ? 'dynamic' : resolve === undefined ? 'require' : 'ask',
    certainty: 'maybe',
    names: [],
    line: 0,
    column: 0,
  }));
  return { ...LEAF, format: 'cjs', requests, isSkimmed: requests.length > 0, isHooking };
}

function skimmedModule(
  source: string,
  imports: ReturnType<typeof parseModule>[0],
  exports: ReturnType<typeof parseModule>[1],
  isHooking: boolean,
): ModuleFacts {
  const requests: Request[] = [];
  const passedOn: (readonly [string, string, number])[] = [];
  const stars: number[] = [];
  const own = exports.map(({ n }) => n).filter((name) => name !== undefined);
  const given = new Set<string>();
  for (const { n: specifier, d: dynamic, ss, s } of imports) {
    if (specifier === undefined || dynamic === -2) continue;
    const isStatic = dynamic === -1;
    const at = requests.length;
    const clause = isStatic ? clauseOf(source.slice(ss, s - 1)) : null;
    requests.push({
      specifier,
      how: isStatic ? 'import' : 'dynamic',
      certainty: isStatic ? 'sure' : 'maybe',
      names: clause?.names.map(([name]) => name) ?? [],
      line: 0,
      column: 0,
    });
    if (clause?.isExport !== true) continue;
    if (clause.isStar) stars.push(at);
    for (const [name, as] of clause.names) {
      passedOn.push([as, name, at]);
      given.add(as);
    }
  }
  return { ...LEAF, format: 'esm', requests, exports: own.filter((name) => !given.has(name)), passedOn, stars, isSkimmed: true, isHooking };
}

/** `import a, { b as c } from`: the names that have to be exported, and as what they are known here. */
function clauseOf(statement: string): {
  readonly isExport: boolean;
  readonly isStar: boolean;
  readonly names: readonly (readonly [string, string])[];
} {
  const text = statement.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, ' ');
  const isExport = text.startsWith('export');
  const names: (readonly [string, string])[] = [];
  const braces = /\{([^}]*)\}/.exec(text)?.[1];
  for (const one of braces?.split(',') ?? []) {
    const [name, as = name] = one.trim().split(/\s+as\s+/);
    if (name !== undefined && name !== '') names.push([unquoted(name), unquoted(as ?? name)]);
  }
  const first = /^import\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*(?:,|from\b|$)/u.exec(text)?.[1];
  if (!isExport && first !== undefined && !/^import\s+(?:defer|source)\s/.test(text)) names.push(['default', first]);
  return { isExport, isStar: isExport && /^export\s*\*\s*from\b/.test(text), names };
}

function unquoted(name: string): string {
  return /^(["']).*\1$/s.test(name) ? name.slice(1, -1) : name;
}

/** Types blanked out, so that lines and columns stay; null for syntax that is more than types. */
function stripped(source: string): string | null {
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' });
  } catch {
    return null;
  }
}

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

/** What a text names, where no parser understands it: decorators, JSX, enums. */
function unread(source: string, { format }: SourceKind, isHooking: boolean): ModuleFacts {
  const requests: Request[] = [];
  let line = 1;
  for (const text of source.split('\n')) {
    if (text.length < 2000) {
      const match = /^\s{0,8}(?:import|export|\})[^'"]{0,500}?(?:\bfrom\s{0,4}|import\s{0,4})(['"])([^'"]{1,200})\1/.exec(text);
      if (match?.[2] !== undefined && !/^\s{0,8}(?:import|export)\s{1,4}type\b/.test(text))
        requests.push({ specifier: match[2], how: 'import', certainty: 'maybe', names: [], line, column: 1 });
    }
    line++;
  }
  return { ...LEAF, format: format ?? (ESM_SYNTAX.test(source) ? 'esm' : 'cjs'), requests, isUnread: true, isHooking };
}

interface Found extends Request {
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
class Reader {
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
    return (
      this.requests.push({
        specifier,
        how,
        certainty: isSurvived ? 'later' : certainty,
        names,
        ...made,
        locals,
        namedLocals,
        line,
        column: column + 1,
      }) - 1
    );
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
function usedNames(program: AnyNode): ReadonlySet<string> {
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
