import { stripTypeScriptTypes } from 'node:module';
import { RequestReader, type Found } from './request-reader.ts';
import { programOf, usedNames } from './syntax-tree.ts';

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
  readonly hooks: Hooks;
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
  hooks: null,
};

/** Calls of what these change are harmless. */
const HOOKS_LOOKUP =
  /_resolveFilename\s{0,4}=[^=]|registerHooks\s{0,2}\(|\b(?:module|Module|nodeModule)\.register\(|_nodeModulePaths\s{0,4}=[^=]|\bmodule\.paths\.(?:push|unshift)|globalPaths\.(?:push|unshift)|_initPaths\(|\brequire\.cache\s{0,4}\[[^\]\n]{1,100}\]\s{0,4}=[^=]|\bModule\.prototype\.(?:require|load)\s{0,4}=[^=]/;
/** Of Node's own class, whatever it is called here. */
const HOOKS_LOAD = /\._load\s{0,4}=[^=]/;
const NAMES_MODULE = /['"](?:node:)?module['"]|\bmodule\.constructor\b/;
/** Packages have an `_extensions` of their own, such as those of MIME types. */
const HOOKS_ENDINGS =
  /(?<!\bthis)\._extensions\s{0,4}(?:\[[^\]\n]{1,100}\]|\.\w{1,20})\s{0,4}=[^=]|\brequire\.extensions\s{0,4}(?:\[[^\]\n]{1,100}\]|\.\w{1,20})\s{0,4}=[^=]|\bModule\.prototype\._compile\s{0,4}=[^=]/;
const PIRATES = /['"]pirates['"]/;

/**
 * What a module changes of how Node finds modules: any of it, or only what files of some ending are, and that a name without an ending may
 * mean one of them.
 */
export type Hooks = 'lookup' | 'endings' | null;

export function hooksOf(source: string): Hooks {
  if (HOOKS_LOOKUP.test(source) || (HOOKS_LOAD.test(source) && NAMES_MODULE.test(source))) return 'lookup';
  return HOOKS_ENDINGS.test(source) || PIRATES.test(source) ? 'endings' : null;
}

/** A line that only an ES module has. */
export const ESM_SYNTAX = /(?:^|[;}])[ \t]{0,40}(?:import\b[ \t]{0,4}[\w$*{'"]|export\b[ \t]{0,4}[\w{*])|\bimport\.meta\b/m;

export interface SourceKind {
  /** What Node takes it for by its name and package.json; null where the syntax decides. */
  readonly format: 'esm' | 'cjs' | null;
  readonly isTypeScript: boolean;
  /** Imports that are only used as types are left out by whoever translates it. */
  readonly isElided: boolean;
}

export function moduleFacts(source: string, kind: SourceKind): ModuleFacts {
  const hooks = hooksOf(source);
  // Most leaves of a graph ask for nothing, and need no parser.
  if (kind.format === 'cjs' && !kind.isTypeScript && !/\brequire\b|\bimport\b/.test(source)) return { ...LEAF, format: 'cjs', hooks };
  const text = kind.isTypeScript ? stripped(source) : source;
  const parsed = text === null ? null : programOf(text, kind);
  if (parsed === null) return unread(source, kind, hooks);
  const { program, format } = parsed;
  const reader = new RequestReader(format);
  try {
    reader.program(program);
  } catch {
    return unread(source, kind, hooks); // nested deeper than the stack
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
    hooks,
  };
}

/** Types blanked out, so that lines and columns stay; null for syntax that is more than types. */
export function stripped(source: string): string | null {
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' });
  } catch {
    return null;
  }
}

/** What a text names, where no parser understands it: decorators, JSX, enums. */
function unread(source: string, { format }: SourceKind, hooks: Hooks): ModuleFacts {
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
  return { ...LEAF, format: format ?? (ESM_SYNTAX.test(source) ? 'esm' : 'cjs'), requests, isUnread: true, hooks };
}
