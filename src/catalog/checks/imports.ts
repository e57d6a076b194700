import { basename, join, resolve } from 'node:path';
import type { Check, CheckContext, Finding, ImportGraph, ImportProblem } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { found, listed, shownPath } from './found.ts';
import { isScript } from './service-files.ts';

/** Raised with each change of what is said: remembered answers of an older one are then asked again. */
const VERSION = 6;
/** Of the way from the entry to a problem; who has a longer one sees its ends. */
const PATH_SHOWN = 6;

/**
 * The modules of Node services, resolved and linked without running them [PF-3]. An error only where the service is sure to fail when
 * it starts; what packages leave open, and what stands under a condition, is passed over.
 */
export const imports: Check = {
  name: 'imports',
  title: 'imports of the service',
  timeLimitMs: 25_000,
  when: 'beside_start',
  isNeeded: startsNode,
  inputs: async (context) => JSON.stringify([VERSION, (await graphsOf(context)).map(({ spec, graph }) => [spec.name, graph])]),
  async run(context) {
    const findings: Finding[] = [];
    for (const { spec, graph } of await graphsOf(context)) {
      const manager = await managerOf(spec.cwd, context);
      for (const { first, others } of byPackage(graph.problems.filter((problem) => !isSaidElsewhere(problem, spec)))) {
        const finding = asFinding(first, spec, manager, context);
        const also = `and by ${listed(others.map(({ place }) => shownPath(context.projectDir, place.file)))}`;
        findings.push(others.length === 0 ? finding : { ...finding, evidence: [...finding.evidence, also] });
      }
      if (graph.isCut)
        findings.push(
          found(context, {
            severity: 'info',
            code: 'imports_cut',
            component: spec.name,
            message: `only the first ${graph.moduleCount} modules were looked at`,
            hint: 'nothing needs to be done; what lies beyond was not judged',
          }),
        );
    }
    return findings;
  },
};

/** The script right behind `node` is read as a configuration file, which finds the column as well. */
function isSaidElsewhere({ kind, place }: ImportProblem, { command: [program = '', first = ''], cwd, env }: ComponentSpec): boolean {
  const isFirst = basename(program) === 'node' && resolve(cwd, first) === place.file && env['NODE_OPTIONS'] === undefined;
  return kind === 'syntax' && isFirst && isScript(place.file);
}

/** A package that is missing is one thing to mend, however many modules ask for it: the surest of them speaks for all. */
function byPackage(
  problems: readonly ImportProblem[],
): readonly { readonly first: ImportProblem; readonly others: readonly ImportProblem[] }[] {
  const groups = Map.groupBy(problems, (problem) => (problem.kind === 'missing_package' ? packageOf(problem.specifier) : problem));
  return [...groups.values()].flatMap((group) => {
    const first = group.find(({ isSure }) => isSure) ?? group[0];
    return first === undefined ? [] : [{ first, others: group.filter((one) => one !== first) }];
  });
}

/** Components whose first module can be told. */
export async function startsNode(context: CheckContext): Promise<boolean> {
  for (const spec of context.components)
    if (context.imports.isNode({ command: spec.command, cwd: spec.cwd, env: await context.environmentOf(spec) })) return true;
  return false;
}

/** What the components are linked to, one after the other: they share most of what is read. */
export async function graphsOf(context: CheckContext): Promise<readonly { readonly spec: ComponentSpec; readonly graph: ImportGraph }[]> {
  const graphs: { spec: ComponentSpec; graph: ImportGraph }[] = [];
  for (const spec of context.components) {
    const order = { command: spec.command, cwd: spec.cwd, env: await context.environmentOf(spec) };
    if (!context.imports.isNode(order)) continue;
    const graph = await context.imports.look(order, context.signal);
    if (graph !== null) graphs.push({ spec, graph });
  }
  return graphs;
}

type Manager = 'npm' | 'pnpm' | 'yarn';

async function managerOf(cwd: string, { files }: CheckContext): Promise<Manager> {
  if ((await files.stat(join(cwd, 'pnpm-lock.yaml'))) !== null) return 'pnpm';
  return (await files.stat(join(cwd, 'yarn.lock'))) === null ? 'npm' : 'yarn';
}

function asFinding(problem: ImportProblem, spec: ComponentSpec, manager: Manager, context: CheckContext): Finding {
  const { message, hint, code } = say(problem, manager, context);
  const { file, line, column } = problem.place;
  const finding = found(context, {
    severity: problem.isSure ? 'error' : 'warn',
    code,
    component: spec.name,
    file,
    line,
    column,
    message,
    hint,
  });
  const way = problem.path.map((path) => shownPath(context.projectDir, path));
  if (way.length < 2) return finding;
  const shown = way.length <= PATH_SHOWN ? way : [...way.slice(0, PATH_SHOWN / 2), '…', ...way.slice(-PATH_SHOWN / 2)];
  return { ...finding, evidence: [`loaded by ${shown.join(' → ')}`] };
}

function say(
  { kind, specifier, name, nearest, declared, target }: ImportProblem,
  manager: Manager,
  { projectDir }: CheckContext,
): { readonly code: string; readonly message: string; readonly hint: string } {
  const near = nearest === null ? null : shownPath(projectDir, nearest);
  const module = target === null ? `"${specifier}"` : shownPath(projectDir, target);
  switch (kind) {
    case 'missing_package': {
      const said = PACKAGE_HINTS[declared ?? 'nowhere'];
      return {
        code: 'package_missing',
        message: `imports "${specifier}", which is not installed${said.message}`,
        hint: specifier.startsWith('node:') ? 'start the service with a newer Node' : said.hint(manager, packageOf(specifier)),
      };
    }
    case 'missing_file':
      return {
        code: 'module_file_missing',
        message: `imports "${specifier}", and there is no such file${near === null ? '' : `; there is ${near}`}`,
        hint:
          near !== null
            ? `write it as the file is called${nearest !== null && isOtherCase(specifier, nearest) ? ': this machine tells capital letters from small ones' : ''}`
            : /^(?:[.#/~]|@\/)/.test(specifier)
              ? 'put the file there, build it, or correct the path'
              : `install the package anew: ${manager} install`,
      };
    case 'hidden_path':
      return {
        code: 'module_path_hidden',
        message: `imports "${specifier}", which package.json of that package does not export`,
        hint: 'import what its "exports" names, or install the version that has it',
      };
    case 'missing_export':
      return {
        code: 'export_missing',
        message: `imports ${name === 'default' ? 'the default export' : `"${name ?? ''}"`} of ${module}, which has none of that name${nearest === null ? '' : `; it has "${nearest}"`}`,
        hint: nearest === null ? 'export it there, or install the version that has it' : `import "${nearest}", or export the other there`,
      };
    case 'needs_import':
      return {
        code: 'module_needs_import',
        message: `requires ${module}, an ES module, which its version of Node cannot do`,
        hint: 'load it with import(), or start the service with Node 22.12 or newer',
      };
    case 'syntax':
      return {
        code: 'module_syntax',
        message: `cannot be read by the Node of the service${name === null ? '' : `: ${name}`}`,
        hint: 'correct it there; node --check tells the place',
      };
    case 'early_read':
      return {
        code: 'import_cycle_breaks',
        message: `reads "${name ?? ''}" of ${module} while that module still waits for this one: they import each other`,
        hint: `move "${name ?? ''}" into a module of its own, or read it inside a function that is called later`,
      };
  }
}

const PACKAGE_HINTS: Readonly<
  Record<NonNullable<ImportProblem['declared']>, { readonly message: string; readonly hint: (manager: Manager, name: string) => string }>
> = {
  dependency: { message: ', though package.json asks for it', hint: (manager) => `${manager} install` },
  dev_dependency: {
    message: ': package.json has it among devDependencies, which are left out in production',
    hint: (manager, name) => `make it a dependency: ${manager} ${manager === 'npm' ? 'install' : 'add'} ${name}`,
  },
  optional: {
    message: ', an optional dependency that could not be installed',
    hint: (manager) => `${manager} install, and read what it says`,
  },
  locked: { message: ', though the lock file has it', hint: (manager) => (manager === 'npm' ? 'npm ci' : `${manager} install`) },
  nowhere: {
    message: ' and stands in no package.json',
    hint: (manager, name) => `${manager} ${manager === 'npm' ? 'install' : 'add'} ${name}`,
  },
};

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function isOtherCase(specifier: string, nearest: string): boolean {
  const bare = (path: string): string => path.replace(/\.[cm]?[jt]sx?$/, '');
  const end = bare(specifier.replace(/^[./]+/, ''));
  const file = bare(nearest).slice(-end.length);
  return file !== end && file.toLowerCase() === end.toLowerCase();
}
