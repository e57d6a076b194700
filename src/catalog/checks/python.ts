import { join } from 'node:path';
import * as z from 'zod';
import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { asFound, askingFolder } from '../asking-folder.ts';
import { found, shownPath } from './found.ts';
import { pythonStart, type PythonStart } from './python-command.ts';
import { PYTHON_PASS } from './python-pass.ts';
import { serviceEnvironment, textOf } from './service-files.ts';

const TIMEOUT_MS = 9000;

const answerSchema = z.object({
  version: z.string(),
  problems: z.array(
    z.object({
      kind: z.enum(['syntax', 'module']),
      file: z.string(),
      line: z.number().nullable(),
      column: z.number().nullable(),
      name: z.string(),
      /** The start of the service comes by it. */
      certain: z.boolean(),
    }),
  ),
});

/** Whether a Python service can be loaded: its files are Python, what they import is there, and the interpreter is new enough. */
export const python: Check = {
  name: 'python',
  title: 'Python modules',
  timeLimitMs: 10_000,
  when: 'beside_start',
  async isNeeded(context) {
    for (const spec of context.components) if ((await startOf(spec, context)) !== null) return true;
    return false;
  },
  async run(context) {
    const findings: Finding[] = [];
    const seen = new Set<string>();
    for (const spec of context.components) {
      const start = await startOf(spec, context);
      if (start === null || seen.has(JSON.stringify([spec.cwd, start]))) continue;
      seen.add(JSON.stringify([spec.cwd, start]));
      findings.push(...(await look(spec, start, context)));
    }
    return findings.filter((one, at) => findings.findIndex((other) => other.message === one.message) === at);
  },
};

async function startOf(spec: ComponentSpec, context: CheckContext): Promise<PythonStart | null> {
  return pythonStart(spec, await serviceEnvironment(spec, context), context);
}

async function look(spec: ComponentSpec, start: PythonStart, context: CheckContext): Promise<readonly Finding[]> {
  const env = await serviceEnvironment(spec, context);
  const input = JSON.stringify({ cwd: spec.cwd, paths: start.paths, roots: start.roots, userSite: env['PYTHONNOUSERSITE'] === undefined });
  // `-I`: neither the folder nor PYTHON* variables; `-B`: no cache is written
  const result = await context.spawner.run([start.interpreter, '-I', '-B', '-X', 'utf8', '-c', PYTHON_PASS], {
    cwd: askingFolder(await asFound(start.interpreter, context), spec.cwd),
    env,
    timeoutMs: TIMEOUT_MS,
    signal: context.signal,
    input,
  });
  // One that is not there or does not start is said elsewhere.
  if (result.spawnErrorCode !== null) return [];
  const answer = answerSchema.safeParse(parsed(result.stdout.trim().split('\n').at(-1) ?? ''));
  if (!answer.success)
    return [
      found(context, {
        severity: 'warn',
        code: 'python_not_looked_at',
        component: spec.name,
        message: result.timedOut ? 'its modules could not be looked at in 9 s' : 'its Python could not look at its modules',
        hint: `is ${start.interpreter} Python 3.7 or newer? Try it: ${start.interpreter} --version`,
      }),
    ];
  const { version, problems } = answer.data;
  return [...(await forItsVersion(spec, version, context)), ...problems.map((problem) => told(spec, version, problem, context))];
}

function told(
  spec: ComponentSpec,
  version: string,
  problem: z.infer<typeof answerSchema>['problems'][number],
  context: CheckContext,
): Finding {
  const { kind, file, line, column, name, certain } = problem;
  const where = {
    component: spec.name,
    ...(file === '' ? {} : { file }),
    ...(line === null ? {} : { line }),
    ...(line === null || column === null ? {} : { column }),
  };
  if (kind === 'syntax')
    return found(context, {
      severity: certain ? 'error' : 'warn',
      code: 'python_syntax',
      ...where,
      message: `is no Python ${version.replace(/\.\d+$/, '')}: ${reasonOf(name)}`,
      hint: certain ? 'correct it: the service imports it when it starts' : 'correct it; the start of the service does not seem to need it',
    });
  const isOwn = name.includes('.');
  return found(context, {
    severity: certain ? 'error' : 'warn',
    code: 'python_module_missing',
    ...where,
    message: `${file === '' ? 'its command names' : 'imports'} ${name}, which is not there${certain ? '' : ' unless the service changes where modules are looked for, or makes it'}`,
    hint: isOwn
      ? 'correct the name, or add the file'
      : `install it into the environment of the service: pip install -r requirements.txt; or is it a module of the service in another folder?`,
  });
}

/** Python quotes what it does not understand; only what quotes nothing is passed on. */
function reasonOf(name: string): string {
  const colon = name.indexOf(':');
  const [kind, words] = [name.slice(0, colon), name.slice(colon + 2)];
  const isHarmless =
    /^(?:invalid syntax|expected '[^a-z0-9']{1,3}'|'[([{]' was never closed|unmatched '[)\]}]'|unexpected (?:indent|EOF while parsing)|expected an indented block|unindent does not match any outer indentation level|unterminated (?:string|triple-quoted string|f-string) literal|'(?:return|await|yield|break|continue)' outside|Missing parentheses in call to '(?:print|exec)'|invalid character|source code string cannot contain null bytes)/.test(
      words,
    );
  if (!isHarmless) return kind === 'IndentationError' || kind === 'TabError' ? 'its indentation is wrong' : 'invalid syntax';
  return words
    .replace(/[.:(;].*$/s, '')
    .slice(0, 80)
    .trim();
}

/** `requires-python` of pyproject.toml, or that of Poetry. */
async function forItsVersion(spec: ComponentSpec, version: string, context: CheckContext): Promise<readonly Finding[]> {
  const file = join(spec.cwd, 'pyproject.toml');
  const content = await textOf(file, context);
  if (content === null) return [];
  let section = '';
  for (const [at, line] of content.text.split('\n').entries()) {
    section = /^\s{0,8}\[([\w.-]{1,100})\]/.exec(line)?.[1] ?? section;
    const name = section === 'project' ? 'requires-python' : section === 'tool.poetry.dependencies' ? 'python' : null;
    const wanted = name === null ? undefined : new RegExp(`^\\s{0,8}${name}\\s{0,8}=\\s{0,8}["']([^"']{1,100})["']`).exec(line)?.[1];
    if (wanted === undefined || meets(version, wanted) !== false) continue;
    return [
      found(context, {
        severity: 'warn',
        code: 'python_version',
        component: spec.name,
        file,
        line: at + 1,
        message: `asks for Python ${/^[\w.,<>=!~^* |-]+$/.test(wanted) ? wanted : 'of another version'}, and ${shownPath(context.projectDir, spec.command[0] ?? 'it')} runs on ${version}`,
        hint: 'make its environment anew with a Python of that version',
      }),
    ];
  }
  return [];
}

/** @returns null when what is wanted is not understood. @see PEP 440; Poetry's caret and tilde */
export function meets(version: string, wanted: string): boolean | null {
  const has = numbers(version);
  let all: boolean = true;
  for (const part of wanted.split(',')) {
    const [, operator = '', text = '', star] = /^\s*(>=|<=|==|!=|~=|>|<|\^|~|)\s*(\d+(?:\.\d+){0,3})(\.\*)?\s*$/.exec(part) ?? [];
    if (text === '') return null;
    const want = numbers(text);
    const order = compare(has, want);
    const isSame = star !== undefined ? want.every((n, i) => (has[i] ?? 0) === n) : order === 0;
    const isBelow = (length: number): boolean => want.slice(0, length).every((n, i) => (has[i] ?? 0) === n);
    switch (operator) {
      case '>=':
        all &&= order >= 0;
        break;
      case '<=':
        all &&= order <= 0;
        break;
      case '>':
        all &&= order > 0;
        break;
      case '<':
        all &&= order < 0;
        break;
      case '!=':
        all &&= !isSame;
        break;
      case '^':
        all &&= order >= 0 && isBelow(1);
        break;
      case '~':
        all &&= order >= 0 && isBelow(Math.min(2, want.length));
        break;
      case '~=':
        all &&= order >= 0 && isBelow(want.length - 1);
        break;
      default:
        all &&= isSame;
    }
  }
  return all;
}

const numbers = (text: string): readonly number[] => text.split('.').map(Number);

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) - (b[i] ?? 0);
  return 0;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
