import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import type { ImportProblem } from '../../domains/preflight/index.ts';
import { readFully, type BuiltGraph, type GraphModule } from './build-graph.ts';
import { earlyReads } from './early-reads.ts';
import { TRANSLATING } from './malformed.ts';
import { ModuleExports } from './module-exports.ts';
import { isPackaged, type ModuleFolders } from './module-folders.ts';
import type { NodeTraits } from './node-traits.ts';
import { readLock } from './package-lock.ts';
import { nearestName, packageName } from './resolve-module.ts';
import { isTypeScript, type ServiceEntry } from './service-entry.ts';
import { surePaths } from './sure-paths.ts';

/** A problem before it is known whether it is surely met. */
export interface Suspicion extends Omit<ImportProblem, 'path' | 'isSure'> {
  /** It is met whenever its module runs. */
  readonly isCertain: boolean;
}

/** More are not reported one by one. */
const PROBLEMS_MAX = 200;

/** What does not hold in the graph. What a service can live with (optional packages, branches not taken) is left out. */
export function findProblems(graph: BuiltGraph, entry: ServiceEntry, node: NodeTraits): readonly ImportProblem[] {
  const found = [...malformed(graph), ...suspicions(graph, entry, node), ...earlyReads(graph, entry, node)].slice(0, PROBLEMS_MAX);
  const paths = surePaths(
    found.filter(({ isCertain }) => isCertain).map(({ place }) => place.file),
    graph,
    entry,
    node,
  );
  const hooks = new Set([...graph.modules.values()].map(({ facts }) => facts.hooks));
  const isHooked = entry.loader === 'other' || hooks.has('lookup');
  // What is preloaded by require translates, as a rule: names are then properties, and what is read early may be there.
  const isTranslated = (isHooked || hooks.has('endings')) && entry.modules.some(({ how }) => how === 'require');
  const isSyntaxUnsure = isHooked || (found.some(({ kind }) => kind === 'syntax') && translates(graph));
  return found.flatMap(({ isCertain, ...suspicion }) => {
    const path = paths.get(suspicion.place.file);
    if (suspicion.kind === 'syntax' && isSyntaxUnsure) return [];
    const isOfNames = suspicion.kind === 'missing_export' || suspicion.kind === 'early_read';
    const mayBeFound = isHooked || (hooks.has('endings') && (isOfNames || hasAnotherEnding(suspicion)));
    const isSure = isCertain && path !== undefined && !(mayBeFound && (!isOfNames || isTranslated || isTypeScript(suspicion.place.file)));
    // What packages leave open is their affair.
    if (!isSure && isPackaged(suspicion.place.file)) return [];
    return [{ ...suspicion, isSure, path: path ?? [] }];
  });
}

/** A file that only a hook of its ending would take for the one that is asked for. */
function hasAnotherEnding({ kind, place, specifier }: Pick<Suspicion, 'kind' | 'place' | 'specifier'>): boolean {
  if (kind !== 'missing_file') return false;
  const at = resolve(dirname(place.file), specifier);
  try {
    return readdirSync(dirname(at)).some((name) => name.startsWith(`${basename(at)}.`));
  } catch {
    return false; // no such folder
  }
}

/** Modules that are no JavaScript. */
function malformed({ records }: BuiltGraph): readonly Suspicion[] {
  const nothing = { specifier: '', name: null, nearest: null, declared: null, target: null };
  return [...records].flatMap(([file, record]) =>
    record.isMalformed ? [{ ...nothing, kind: 'syntax', isCertain: true, place: { file, line: 1, column: 1 } }] : [],
  );
}

/** Something in the graph may turn other languages into JavaScript. Read only where a module is malformed. */
function translates({ modules }: BuiltGraph): boolean {
  for (const file of modules.keys())
    try {
      if (/\.[cm]?[jt]s$/.test(file) && TRANSLATING.test(readFileSync(file, 'utf8'))) return true;
    } catch {
      return true; // gone meanwhile: nothing is sure
    }
  return false;
}

function suspicions(graph: BuiltGraph, entry: ServiceEntry, node: NodeTraits): readonly Suspicion[] {
  const names = new ModuleExports(graph, node);
  const found: Suspicion[] = [];
  for (const { file, facts, leadsTo } of graph.modules.values()) {
    const isSuspect =
      leadsTo.some(({ state }) => state === 'missing') ||
      (isLinked({ facts, file }, graph.folders, entry) && lacking({ file, facts, leadsTo }, names, entry).length > 0) ||
      (!node.requiresEsm && facts.format === 'cjs' && leadsTo.some((to) => to.state === 'file' && isEsm(to.file, graph)));
    if (!isSuspect) continue;
    const full = readFully(file, graph, entry, node);
    if (full === null) continue;
    names.forget(file);
    for (const [i, request] of full.facts.requests.entries()) {
      const to = full.leadsTo[i];
      if (to === undefined || request.certainty === 'maybe') continue;
      const place = { file, line: request.line, column: request.column };
      const isCertain = request.certainty === 'sure' && request.mayBeMade !== true;
      const plain = { place, specifier: request.specifier, isCertain, name: null, nearest: null, declared: null, target: null };
      if (to.state === 'missing') {
        const declared = to.kind === 'missing_package' ? declaredAs(packageName(request.specifier), file, graph.folders, entry) : null;
        found.push({ ...plain, kind: to.kind, nearest: to.nearest, declared });
      } else if (
        !node.requiresEsm &&
        entry.loader === 'node' &&
        full.facts.format === 'cjs' &&
        request.how === 'require' &&
        to.state === 'file' &&
        isEsm(to.file, graph)
      )
        found.push({ ...plain, kind: 'needs_import', target: to.file });
    }
    if (isLinked(full, graph.folders, entry))
      for (const { index, name, exported } of lacking(full, names, entry)) {
        const request = full.facts.requests[index];
        const to = full.leadsTo[index];
        if (request === undefined || to === undefined) continue;
        found.push({
          kind: 'missing_export',
          place: { file, line: request.line, column: request.column },
          specifier: request.specifier,
          isCertain: entry.loader === 'node',
          name,
          nearest: nearestName(name, [...exported]),
          declared: null,
          target: to.state === 'file' ? to.file : request.specifier,
        });
      }
  }
  return found;
}

/** Node itself links it, name by name. Translators turn most of TypeScript into CommonJS, where a missing name is only undefined. */
function isLinked({ facts, file }: Pick<GraphModule, 'facts' | 'file'>, folders: ModuleFolders, { loader }: ServiceEntry): boolean {
  if (facts.format !== 'esm' || facts.isUnread) return false;
  if (loader === 'node' || isPackaged(file)) return true;
  return loader === 'tsx' && (/\.m[jt]s$/.test(file) || folders.packageOf(file)?.type === 'module');
}

function isEsm(file: string, { modules }: BuiltGraph): boolean {
  const facts = modules.get(file)?.facts;
  return facts?.format === 'esm' && !facts.isUnread && extname(file) !== '.ts';
}

function lacking(
  { facts, leadsTo, file }: GraphModule,
  exports: ModuleExports,
  { loader }: ServiceEntry,
): readonly { readonly index: number; readonly name: string; readonly exported: ReadonlySet<string> }[] {
  return facts.requests.flatMap((request, index) => {
    const to = leadsTo[index];
    if (request.how !== 'import' || request.names.length === 0 || to === undefined) return [];
    // What a translator makes of a file of the project has more names than the file.
    if (loader !== 'node' && !isPackaged(file) && !(to.state === 'file' && !isPackaged(to.file))) return [];
    const exported = exports.of(to, request.specifier);
    if (exported === null) return [];
    return request.names.filter((name) => !exported.has(name)).map((name) => ({ index, name, exported }));
  });
}

/** How the project speaks of a package that is not there. */
function declaredAs(name: string, importer: string, folders: ModuleFolders, { cwd }: ServiceEntry): ImportProblem['declared'] {
  const json = folders.packageOf(importer)?.json ?? {};
  const lists = (key: string): boolean => {
    const list = json[key];
    return typeof list === 'object' && list !== null && Object.hasOwn(list, name);
  };
  if (lists('optionalDependencies')) return 'optional';
  if (lists('dependencies')) return 'dependency';
  if (lists('devDependencies') && !isPackaged(importer)) return 'dev_dependency';
  return isLocked(name, cwd) ? 'locked' : 'nowhere';
}

function isLocked(name: string, cwd: string): boolean {
  return Object.hasOwn(readLock(cwd)?.packages ?? {}, `node_modules/${name}`);
}
