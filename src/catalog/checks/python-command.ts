import { basename, dirname, isAbsolute, resolve } from 'node:path';
import type { CheckContext } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';

/** What a command makes Python run. */
export interface PythonStart {
  readonly interpreter: string;
  /** Where Python then looks first, absolute or relative to the working directory. */
  readonly paths: readonly string[];
  readonly roots: readonly { readonly kind: 'file' | 'module'; readonly name: string; readonly main?: boolean }[];
}

/** All that is looked into. */
type Files = Pick<CheckContext, 'files'>;
type Environment = Readonly<Record<string, string>>;
type Root = PythonStart['roots'][number];

const INTERPRETER = /^(?:python|pypy)(?:\d(?:\.\d{1,2})?)?$/;
const SERVERS = ['uvicorn', 'gunicorn', 'hypercorn', 'daphne', 'granian', 'waitress-serve', 'waitress'];
const RUNNERS = new Set([...SERVERS, 'flask', 'celery', 'django-admin', 'django', 'fastapi']);
/** Start the rest of the command in an environment of the project. */
const WRAPPERS = new Set(['poetry', 'pipenv', 'uv', 'pdm', 'rye', 'hatch']);
const MODULE = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;
/** `unix:app.sock` and its like are addresses. */
const APPLICATION = /^(?!(?:unix|fd|tcp|ssl):)([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):[A-Za-z_][\w.]*(?:\(.*\))?$/;
const SCRIPT_BYTES = 400;

/** @returns null when it starts no Python, or in a way that is not known */
export async function pythonStart(spec: ComponentSpec, env: Environment, context: Files): Promise<PythonStart | null> {
  const [first = '', ...rest] = spec.command;
  const name = basename(first);
  if (WRAPPERS.has(name) && rest[0] === 'run') {
    const interpreter = resolve(spec.cwd, '.venv/bin/python');
    if ((await context.files.stat(interpreter)) === null) return null;
    return start(interpreter, rest.slice(1), spec, env, context);
  }
  if (INTERPRETER.test(name)) return start(first, spec.command, spec, env, context);
  // `./app.py`: its first line names the interpreter, and no options that change where modules are looked for
  if (first.includes('/') && name.endsWith('.py') && !RUNNERS.has(name)) {
    const line = ((await context.files.readText(resolve(spec.cwd, first), SCRIPT_BYTES).catch(() => null)) ?? '').split('\n')[0] ?? '';
    const interpreter = / -[A-Za-z]*[EI]/.test(line) ? null : await interpreterOf(first, spec, env, context);
    const file = first.replace(/^(?:\.\/)+/, '');
    return interpreter === null ? null : start(interpreter, [interpreter, file, ...rest], spec, env, context);
  }
  if (!RUNNERS.has(name)) return null;
  const interpreter = await interpreterOf(first, spec, env, context);
  return interpreter === null ? null : start(interpreter, spec.command, spec, env, context);
}

async function start(
  interpreter: string,
  command: readonly string[],
  spec: ComponentSpec,
  env: Environment,
  context: Files,
): Promise<PythonStart | null> {
  const [first = '', ...rest] = command;
  const paths = (env['PYTHONPATH'] ?? '').split(':').filter(Boolean);
  const cwd = ['.', ...paths];
  if (RUNNERS.has(basename(first))) return of(interpreter, cwd, await rootsOf(basename(first), rest, spec, env, context), rest);
  if (!INTERPRETER.test(basename(first))) return null;
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? '';
    if (word === '-m') {
      const module = rest[at + 1] ?? '';
      if (!MODULE.test(module)) return null;
      const args = rest.slice(at + 2);
      if (RUNNERS.has(module)) return of(interpreter, cwd, await rootsOf(module, args, spec, env, context), args);
      return { interpreter, paths: cwd, roots: [{ kind: 'module', name: module, main: true }] };
    }
    if (['-X', '-W'].includes(word)) at++;
    else if (/^-[BbEdIiOPqRsSuvx]+$/.test(word)) {
      if (/[EI]/.test(word)) return null; // it does not look where others do
    } else if (word.startsWith('-')) return null;
    else {
      const django = basename(word) === 'manage.py' ? await djangoRoots(spec, env, context, word) : [];
      return { interpreter, paths: [dirname(word), ...paths], roots: [{ kind: 'file', name: word }, ...django] };
    }
  }
  return null;
}

function of(interpreter: string, paths: readonly string[], roots: readonly Root[], args: readonly string[]): PythonStart | null {
  const dir = valueOf(args, '--app-dir', '--chdir', '--pythonpath', '--workdir');
  return roots.length === 0 ? null : { interpreter, paths: dir === null ? paths : [dir, ...paths], roots };
}

async function rootsOf(
  runner: string,
  args: readonly string[],
  spec: ComponentSpec,
  env: Environment,
  context: Files,
): Promise<readonly Root[]> {
  if (SERVERS.includes(runner)) {
    const named = args.map((word) => APPLICATION.exec(word)?.[1]).find((module) => module !== undefined);
    return named === undefined ? [] : [{ kind: 'module', name: named }];
  }
  switch (runner) {
    case 'celery': {
      const module = (valueOf(args, '-A', '--app') ?? '').split(':')[0] ?? '';
      return MODULE.test(module) ? [{ kind: 'module', name: module }] : [];
    }
    case 'flask': {
      const app = valueOf(args, '-A', '--app') ?? env['FLASK_APP'] ?? '';
      const module = app.split(':')[0] ?? '';
      if (module.endsWith('.py')) return [{ kind: 'file', name: module }];
      if (MODULE.test(module)) return [{ kind: 'module', name: module }];
      for (const name of ['wsgi.py', 'app.py'])
        if ((await context.files.stat(resolve(spec.cwd, name)))?.kind === 'file') return [{ kind: 'file', name }];
      return [];
    }
    case 'fastapi': {
      const file = args.find((word) => word.endsWith('.py'));
      return file === undefined ? [] : [{ kind: 'file', name: file }];
    }
    default:
      return djangoRoots(spec, env, context, 'manage.py');
  }
}

/** Django loads its settings by name. */
async function djangoRoots(spec: ComponentSpec, env: Environment, context: Files, manage: string): Promise<readonly Root[]> {
  const source = (await context.files.readText(resolve(spec.cwd, manage), 64 * 1024).catch(() => null)) ?? '';
  const written = /DJANGO_SETTINGS_MODULE["']\s{0,4}[,\]]\s{0,4}=?\s{0,4}["']([\w.]{1,200})["']/.exec(source)?.[1];
  const module = env['DJANGO_SETTINGS_MODULE'] || written || '';
  return MODULE.test(module) ? [{ kind: 'module', name: module }] : [];
}

function valueOf(args: readonly string[], ...names: readonly string[]): string | null {
  for (const [at, word] of args.entries()) {
    if (names.includes(word)) return args[at + 1] ?? null;
    const name = names.find((one) => one.startsWith('--') && word.startsWith(`${one}=`));
    if (name !== undefined) return word.slice(name.length + 1);
  }
  return null;
}

/** By the first line of the script that pip made of an entry point; where that would be too long, by the second. */
async function interpreterOf(command: string, spec: ComponentSpec, env: Environment, { files }: Files): Promise<string | null> {
  const candidates = command.includes('/')
    ? [resolve(spec.cwd, command)]
    : (env['PATH'] ?? '')
        .split(':')
        .filter(isAbsolute)
        .map((dir) => resolve(dir, command));
  for (const path of candidates) {
    const real = await files.realpath(path).catch(() => null);
    if (real === null) continue;
    const text = (await files.readText(real, SCRIPT_BYTES).catch(() => null)) ?? '';
    const found =
      /^#!(\S{1,200}\/(?:python|pypy)[\d.]{0,5})\s/.exec(text)?.[1] ??
      /^#!\S{1,40}\/env (?:-S )?((?:python|pypy)[\d.]{0,5})\s/.exec(text)?.[1];
    return found ?? /^#!\/bin\/sh\n'''exec' "?(\/[^"\n]{1,300}\/(?:python|pypy)[\d.]{0,5})"? /.exec(text)?.[1] ?? null;
  }
  return null;
}
