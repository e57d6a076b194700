import { basename, dirname, join, resolve } from 'node:path';
import type { Files } from '../../kernel/index.ts';

/** What a command comes to: a program with its words, after scripts of package.json were looked up. */
export type StartedProgram =
  | {
      readonly state: 'program';
      readonly argv: readonly string[];
      /** Variables that the line itself sets. */
      readonly env: Readonly<Record<string, string>>;
      /** The manager that runs it as a script; null where the command names the program itself. */
      readonly manager: string | null;
    }
  /** package.json has no such script, and its manager runs nothing else in its place. */
  | { readonly state: 'no_script'; readonly name: string };

/** A script may run another. */
const DEPTH_MAX = 5;
const PACKAGE_BYTES_MAX = 1024 * 1024;
const LINE_CHARS_MAX = 10_000;
const PREFIXES = new Set(['env', 'cross-env', 'exec', 'dumb-init', 'tini', 'nohup']);
/** Programs that make no file of the service. What else runs first could make anything. */
const MAKES_NOTHING = new Set(['echo', 'printf', 'true', ':', 'sleep', 'date', 'printenv', 'clear']);
const NEEDS_SHELL = /[;&|<>`$(){}*?\\~#\n]/;

/**
 * Follows `npm start` and its like to the first program that can fail or make a file.
 * @returns null where it cannot be told: it needs a shell, has options that change what is run, or something is built before it
 */
export async function startedProgram(command: readonly string[], cwd: string, files: Files): Promise<StartedProgram | null> {
  let words = command;
  const env: Record<string, string> = {};
  let manager: string | null = null;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const argv = withoutPrefixes(words, env);
    const script = scriptOf(argv);
    if (script === null) return argv.length === 0 || argv[0]?.startsWith('-') ? null : { state: 'program', argv, env, manager };
    if (script === 'unknown') return null;
    const scripts = await scriptsIn(cwd, files);
    if (scripts === null) return null;
    if (!script.isPlain && scripts[`pre${script.name}`] !== undefined) return null;
    const text = scripts[script.name];
    if (text === undefined) {
      // npm has this one by itself
      const isDefault = script.name === 'start' && !script.isPlain && (await files.stat(join(cwd, 'server.js')).catch(() => null)) !== null;
      return isDefault || script.manager === 'yarn' || ['env', 'restart', 'stop', 'test'].includes(script.name)
        ? null
        : { state: 'no_script', name: script.name };
    }
    const first = typeof text === 'string' ? firstOf(text) : null;
    if (first === null) return null;
    words = [...first.words, ...(first.isLast ? script.rest : [])];
    manager = script.manager;
  }
  return null;
}

function withoutPrefixes(words: readonly string[], env: Record<string, string>): readonly string[] {
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    const [, name, value = ''] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined) env[name] = value;
    else if (!PREFIXES.has(basename(word)) && !(word === '--' && at > 0)) break;
  }
  return words.slice(at);
}

interface Script {
  readonly name: string;
  readonly manager: string;
  readonly rest: readonly string[];
  /** `node --run` runs no `pre` script, and has none by itself. */
  readonly isPlain: boolean;
}

/** null where the words run no script; `unknown` where options say which, or in which folder. */
function scriptOf([program = '', ...words]: readonly string[]): Script | 'unknown' | null {
  const manager = basename(program);
  if (manager === 'node' && words[0] === '--run') {
    const [, name, dashes, ...rest] = words;
    return name === undefined || (dashes !== undefined && dashes !== '--') ? 'unknown' : { name, manager, rest, isPlain: true };
  }
  if (!['npm', 'pnpm', 'yarn'].includes(manager)) return null;
  const [verb = '', ...behind] = words.filter((word, i) => !(['-s', '--silent', '-q', '--quiet'].includes(word) && i < 3));
  const [name, ...more] = verb === 'start' ? ['start', ...behind] : verb === 'run' || verb === 'run-script' ? behind : [];
  if (name === undefined || name.startsWith('-')) return 'unknown';
  const dashes = more.indexOf('--');
  const own = dashes < 0 ? more : more.slice(0, dashes);
  if (own.some((word) => word.startsWith('-'))) return 'unknown';
  return { name, manager, rest: [...(manager === 'npm' ? [] : own), ...(dashes < 0 ? [] : more.slice(dashes + 1))], isPlain: false };
}

async function scriptsIn(cwd: string, files: Files): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const text = await files.readText(join(cwd, 'package.json'), PACKAGE_BYTES_MAX);
    const value: unknown = JSON.parse((text ?? '').replace(/^\uFEFF/, ''));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const { scripts = {} } = value as { readonly scripts?: unknown };
    return typeof scripts === 'object' && scripts !== null ? (scripts as Record<string, unknown>) : null;
  } catch {
    return null; // it is judged as a configuration file
  }
}

/** The first program of `a && b` that is more than talk. */
function firstOf(line: string): { readonly words: readonly string[]; readonly isLast: boolean } | null {
  if (line.length > LINE_CHARS_MAX) return null;
  let words: string[] = [];
  const isTalk = (): boolean => MAKES_NOTHING.has(words[0] ?? '');
  for (const match of line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    const [, double, single, plain] = match;
    if (plain === '&&') {
      if (!isTalk()) return words.length === 0 ? null : { words, isLast: false };
      words = [];
    } else {
      if (
        plain !== undefined &&
        (NEEDS_SHELL.test(plain) || /["']/.test(plain)) &&
        !(words.length > 0 && isTalk() && /^[\w.,:!?#*~-]+$/.test(plain))
      )
        return null;
      if (double !== undefined && /[$`\\]/.test(double)) return null;
      words.push(double ?? single ?? plain ?? '');
    }
  }
  return words.length === 0 || isTalk() ? null : { words, isLast: true };
}

/** Whether `node_modules` of this folder or one above has what is asked for. */
export async function isInstalled(inside: string, cwd: string, files: Files): Promise<boolean> {
  // where a process finds itself, and where npm was told to be
  const real = (await files.realpath(cwd).catch(() => null)) ?? cwd;
  return (await isAbove(inside, real, files)) || (real !== resolve(cwd) && (await isAbove(inside, resolve(cwd), files)));
}

async function isAbove(inside: string, from: string, files: Files): Promise<boolean> {
  for (let at = from; ; at = dirname(at)) {
    if ((await files.stat(join(at, 'node_modules', inside)).catch(() => null)) !== null) return true;
    // it has packages in archives
    for (const name of ['.pnp.cjs', '.pnp.js']) if ((await files.stat(join(at, name)).catch(() => null)) !== null) return true;
    if (dirname(at) === at) return false;
  }
}
