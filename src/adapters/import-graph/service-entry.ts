import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import type { ImportOrder } from '../../domains/preflight/index.ts';
import { fileIdentity } from './file-record.ts';

/** What turns modules into something Node runs. `node`: nothing, or Node itself. `other`: code of somebody, who may resolve as he likes. */
export type Loader = 'node' | 'tsx' | 'ts-node' | 'other';

/** Where a service begins. */
export interface ServiceEntry {
  /** The Node that runs it. */
  readonly node: string;
  /** In the order in which they are loaded: preloaded modules, then the main one. */
  readonly modules: readonly EntryModule[];
  readonly loader: Loader;
  /** Of `--conditions`, for `exports` and `imports`. */
  readonly conditions: readonly string[];
  readonly isLinksKept: boolean;
  /** The configuration of TypeScript that the command or the environment names; null for the usual one. */
  readonly tsconfig: string | null;
  readonly cwd: string;
}

export interface EntryModule {
  /** A path, or a name where it is preloaded. */
  readonly specifier: string;
  readonly how: 'main' | 'require' | 'import';
}

/** `npm start` runs a script, which may run another. */
const DEPTH_MAX = 5;
const PACKAGE_BYTES_MAX = 1024 * 1024;
/** Programs that only run the rest of the line. */
const PREFIXES = new Set(['env', 'cross-env', 'exec', 'dumb-init', 'tini', 'nice', 'nohup']);
/** What only a shell understands. */
const SHELL = /[;&|<>`$(){}*?\\]/;
const WITH_VALUE =
  /^(?:--title|--env-file|--env-file-if-exists|--input-type|--icu-data-dir|--max-http-header-size|--inspect-port|--stack-trace-limit|--watch-path|--disable-warning|--redirect-warnings|--trace-event-categories|--unhandled-rejections|--dns-result-order|--openssl-config|--tls-cipher-list|--localstorage-file|--secure-heap|--diagnostic-dir|--cpu-prof-dir|--heap-prof-dir)$/;
/** Nothing is loaded from a file, or something else than the service is meant. */
const NO_SERVICE = /^(?:-e|--eval|-p|--print|-pe|-c|--check|-i|--interactive|--test|-h|--help|-v|--version|--build-sea)$/;

/**
 * Finds the modules a command begins with, as far as they can be told from it and from package.json.
 * @returns null for what is no Node, needs a shell, builds before it starts, or begins with a module that is not there
 */
export function serviceEntry({ command, cwd: from, env }: ImportOrder): ServiceEntry | null {
  let words: readonly string[] = command;
  let path = env['PATH'] ?? '';
  let cwd = from;
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const placed = inItsFolder(withoutPrefixes(words), cwd);
    if (placed === null) return null;
    if (placed.cwd !== cwd) path = `${join(cwd, 'node_modules', '.bin')}${delimiter}${path}`;
    words = placed.words;
    cwd = placed.cwd;
    const script = scriptOf(words);
    if (script === null) return entryOf(words, cwd, env, path);
    const text = scriptText(script, cwd);
    if (text === null) return null;
    words = [...text, ...script.rest];
    path = `${join(cwd, 'node_modules', '.bin')}${delimiter}${path}`;
  }
  return null;
}

function withoutPrefixes(words: readonly string[]): readonly string[] {
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (PREFIXES.has(basename(word)) || /^[A-Za-z_]\w*=/.test(word)) continue;
    // `tini -- node`, `dumb-init --`
    if (word === '--' && at > 0) continue;
    break;
  }
  return words.slice(at);
}

const IN_FOLDER = /^(?:(-w|--workspace)|(--prefix|-C|--dir|--cwd)|(?:-F|--filter|--filter-prod))(?:=(.*))?$/s;
/** More than one package, or one that only the manager knows. */
const ELSEWHERE = /^(?:-ws|--workspaces|-r|--recursive|-W|--workspace-root)$/;

/**
 * Takes out what sends a package manager to another folder: `npm start -w packages/a`, `pnpm -C packages/a start`.
 * @returns null where the folder cannot be told
 */
function inItsFolder(words: readonly string[], cwd: string): { readonly words: readonly string[]; readonly cwd: string } | null {
  const manager = basename(words[0] ?? '');
  if (!['npm', 'pnpm', 'yarn'].includes(manager)) return { words, cwd };
  const kept = words.slice(0, 1);
  let folder = cwd;
  let at = 1;
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    // npm takes options wherever they stand; for the others they are the script's once it is named
    const isNamed = /^(?:exec|dlx|x)$/.test(kept[1] ?? '') || (manager !== 'npm' && (kept[1] === 'start' || kept.length > 2));
    if (word === '--' || isNamed) break;
    if (ELSEWHERE.test(word)) return null;
    const [option, workspace, prefix, inline] = IN_FOLDER.exec(word) ?? [];
    if (option === undefined) kept.push(word);
    else {
      const value = inline ?? words[++at];
      if (value === undefined || (prefix === undefined && (workspace === undefined || manager !== 'npm'))) return null;
      folder = resolve(folder, value);
      if (readJson(join(folder, 'package.json')) === null) return null;
    }
  }
  return { words: [...kept, ...words.slice(at)], cwd: folder };
}

interface Script {
  readonly name: string;
  readonly rest: readonly string[];
  /** `node --run` runs no `pre` script. */
  readonly isPlain: boolean;
}

function scriptOf(words: readonly string[]): Script | null {
  const [program = '', verb = '', name, ...rest] = words;
  const manager = basename(program);
  if (manager === 'node' && verb === '--run' && name !== undefined) return { name, rest: afterDashes(rest), isPlain: true };
  if (!['npm', 'pnpm', 'yarn'].includes(manager)) return null;
  if (verb === 'start') return { name: 'start', rest: afterDashes(words.slice(2)), isPlain: false };
  if ((verb === 'run' || verb === 'run-script') && name !== undefined)
    return { name, rest: manager === 'npm' ? afterDashes(rest) : rest, isPlain: false };
  return null;
}

/** npm hands on only what stands after `--`. */
function afterDashes(words: readonly string[]): readonly string[] {
  const at = words.indexOf('--');
  return at < 0 ? [] : words.slice(at + 1);
}

function scriptText({ name, isPlain }: Script, cwd: string): readonly string[] | null {
  const scripts = (readJson(join(cwd, 'package.json')) as { scripts?: Record<string, unknown> } | null)?.scripts;
  const text = scripts?.[name];
  // What a build writes cannot be judged before it.
  if (typeof text !== 'string' || (!isPlain && scripts?.[`pre${name}`] !== undefined)) return null;
  return wordsOf(text);
}

/** Words of a script; null where they need a shell. */
function wordsOf(text: string): readonly string[] | null {
  const words: string[] = [];
  for (const match of text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    const plain = match[3];
    if (plain !== undefined && (SHELL.test(plain) || /["']/.test(plain))) return null;
    if (match[1] !== undefined && /[$`\\]/.test(match[1])) return null;
    words.push(match[1] ?? match[2] ?? plain ?? '');
  }
  return words;
}

interface Options {
  readonly preloads: EntryModule[];
  readonly conditions: string[];
  isLinksKept: boolean;
  hasHooks: boolean;
  tsconfig: string | null;
}

function entryOf(words: readonly string[], cwd: string, env: ImportOrder['env'], path: string): ServiceEntry | null {
  let [program = '', ...rest] = words;
  let loader: Loader = 'node';
  let name = basename(program);
  if (name === 'npx' || ((name === 'pnpm' || name === 'yarn' || name === 'npm') && rest[0] === 'exec')) {
    rest = (name === 'npx' ? rest : rest.slice(1)).filter((word, i) => !(i < 2 && ['--', '--no-install', '--no', '-y'].includes(word)));
    program = rest.shift() ?? '';
    path = `${join(cwd, 'node_modules', '.bin')}${delimiter}${path}`;
    name = basename(program);
  }
  if (name === 'nodemon') {
    const at = rest.findIndex((word) => /\.[cm]?[jt]s$/.test(word) && statSync(resolve(cwd, word), { throwIfNoEntry: false })?.isFile());
    if (at < 0 || rest.includes('--exec') || rest.includes('-x')) return null;
    rest = rest.slice(at);
    program = 'node';
    name = 'node';
  }
  if (name === 'tsx' || name === 'ts-node' || name === 'ts-node-esm') {
    loader = name === 'tsx' ? 'tsx' : 'ts-node';
    if (rest[0] === 'watch') rest = rest.slice(1);
    program = 'node';
  } else if (name !== 'node' && name !== 'nodejs') {
    const script = nodeScript(program, cwd, path);
    if (script === null) return null;
    rest = [script, ...rest];
    program = 'node';
  }
  const node = findProgram(program, cwd, path);
  if (node === null) return null;
  const options: Options = { preloads: [], conditions: [], isLinksKept: false, hasHooks: false, tsconfig: null };
  const fromEnv = wordsOf(env['NODE_OPTIONS'] ?? '');
  if (fromEnv === null || readOptions(fromEnv, options) === null) return null;
  const at = readOptions(rest, options);
  if (at === null) return null;
  const main = rest[at];
  if (main === undefined || main === '-' || main === 'inspect') return null;
  for (const { specifier } of options.preloads) {
    if (/^tsx(?:\/|$)/.test(specifier)) loader = 'tsx';
    else if (/^ts-node(?:\/|$)/.test(specifier)) loader = 'ts-node';
  }
  if (options.hasHooks) loader = 'other';
  const tsconfig =
    options.tsconfig ?? { tsx: env['TSX_TSCONFIG_PATH'], 'ts-node': env['TS_NODE_PROJECT'], node: null, other: null }[loader];
  return {
    node,
    modules: [...options.preloads, { specifier: isAbsolute(main) ? main : resolve(cwd, main), how: 'main' }],
    loader,
    conditions: options.conditions,
    isLinksKept: options.isLinksKept,
    tsconfig: tsconfig == null || tsconfig === '' ? null : resolve(cwd, tsconfig),
    cwd,
  };
}

/** Reads options of Node. @returns where the first word that is none stands; null where no file is run */
function readOptions(words: readonly string[], options: Options): number | null {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return at + 1;
    if (!word.startsWith('-') || word === '-') return at;
    if (NO_SERVICE.test(word)) return null;
    const [, flag = '', inline] =
      /^(-r|--require|--import|-C|--conditions|--loader|--experimental-loader|--tsconfig|-P|--project)(?:=(.*))?$/s.exec(word) ?? [
        null,
        '',
      ];
    if (flag !== '') {
      const value = inline ?? words[++at];
      if (value === undefined) return null;
      if (flag === '-r' || flag === '--require') options.preloads.push({ specifier: value, how: 'require' });
      else if (flag === '--import') {
        // code in place of a file
        if (value.startsWith('data:')) options.hasHooks = true;
        else options.preloads.push({ specifier: value, how: 'import' });
      } else if (flag === '-C' || flag === '--conditions') options.conditions.push(value);
      else if (flag === '--tsconfig' || flag === '-P' || flag === '--project') options.tsconfig = value;
      else if (flag.endsWith('loader')) {
        options.hasHooks = true;
        if (/^(?:tsx|ts-node)/.test(value)) options.preloads.push({ specifier: value, how: 'import' });
      }
    } else if (word.startsWith('--preserve-symlinks')) options.isLinksKept = true;
    // its own JavaScript has more than ours
    else if (/^--(?:harmony|js[-_]|allow[-_]natives)/.test(word)) options.hasHooks = true;
    else if (WITH_VALUE.test(word)) at++;
  }
  return words.length;
}

/** A program that is a script for Node: the bin of a package. */
function nodeScript(program: string, cwd: string, path: string): string | null {
  const file = findProgram(program, cwd, path);
  if (file === null) return null;
  try {
    const real = realpathSync(file);
    // pnpm writes a shell script in place of a link
    return isNodeScript(real) ? real : null;
  } catch {
    return null;
  }
}

/** Longer than any line that names an interpreter. */
const FIRST_LINE_BYTES = 120;
const JUDGED_MAX = 200;
/** Each check asks again, at each boot and hour, of programs that seldom change. */
const judged = new Map<string, { readonly identity: string | null; readonly isScript: boolean }>();

/** Reads the first line alone: programs of other languages have hundreds of megabytes. */
function isNodeScript(file: string): boolean {
  const identity = fileIdentity(file);
  const known = judged.get(file);
  if (known !== undefined && identity !== null && known.identity === identity) return known.isScript;
  const begin = Buffer.alloc(FIRST_LINE_BYTES);
  const fd = openSync(file, 'r');
  let bytes: number;
  try {
    bytes = readSync(fd, begin, 0, FIRST_LINE_BYTES, 0);
  } finally {
    closeSync(fd);
  }
  const isScript = /^#!.{0,80}\bnode(?:\s|$)/.test(begin.toString('latin1', 0, bytes).split('\n')[0] ?? '');
  if (judged.size >= JUDGED_MAX) judged.clear();
  judged.set(file, { identity, isScript });
  return isScript;
}

/** Where a program is found, as a shell would. */
export function findProgram(program: string, cwd: string, path: string): string | null {
  const places = program.includes('/')
    ? [resolve(cwd, program)]
    : path.split(delimiter).flatMap((dir) => (dir === '' ? [] : [join(resolve(cwd, dir), program)]));
  for (const place of places) {
    const stat = statSync(place, { throwIfNoEntry: false });
    if (stat?.isFile() === true && (stat.mode & 0o111) !== 0) return place;
  }
  return null;
}

/** null when it is not there, too large, or not JSON. */
export function readJson(file: string): unknown {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > PACKAGE_BYTES_MAX) return null;
    const value: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

export function isTypeScript(file: string): boolean {
  return ['.ts', '.mts', '.cts', '.tsx'].includes(extname(file));
}

/** The nearest folder at or above with a package.json. */
export function packageFolder(dir: string, has: (dir: string) => boolean): string | null {
  for (let at = dir; ; at = dirname(at)) {
    if (basename(at) === 'node_modules') return null;
    if (has(at)) return at;
    if (dirname(at) === at) return null;
  }
}
