import { readFileSync, statSync } from 'node:fs';
import { basename, extname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { treatAsModule } from '../../adapters/node/module-files.ts';
import { codeOf, messageOf } from '../../kernel/index.ts';
import { ConfigInvalid, didYouMean, fileInvalid, pathText, type Locate, type Mistake } from './mistakes.ts';

const EXTENSIONS = ['.ts', '.js', '.mjs', '.json', '.yaml', '.yml'] as const;
export const CONFIG_FILE_NAMES: readonly string[] = EXTENSIONS.map((extension) => `grace.config${extension}`);

/** More is a mix-up with a data file, and would be slow to report on. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** A config that waits for something longer than this would keep the service down. */
const IMPORT_MS_MAX = 10_000;

/** A config file as it was read, before anything in it was checked. */
export interface LoadedFile {
  readonly file: string;
  readonly data: unknown;
  readonly locate: Locate;
}

/**
 * The config file of a directory, or null when it has none.
 * @throws ConfigInvalid when there is more than one, since each would be right for somebody
 */
export function findConfigFile(directory: string): string | null {
  const found = CONFIG_FILE_NAMES.map((name) => resolve(directory, name)).filter((file) =>
    statSync(file, { throwIfNoEntry: false })?.isFile(),
  );
  if (found.length > 1)
    throw fileInvalid(directory, `has ${found.length} config files: ${found.map((file) => basename(file)).join(' and ')}`, {
      suggestion: 'keep one of them, or name it with --config',
    });
  return found[0] ?? null;
}

/** @throws ConfigInvalid with line and column where the format tells them */
export async function loadConfigFile(file: string): Promise<LoadedFile> {
  const extension = extname(file);
  if (!EXTENSIONS.some((known) => known === extension))
    throw fileInvalid(file, `cannot be read: Grace knows no config files that end in "${extension}"`, {
      suggestion: didYouMean(extension, EXTENSIONS) ?? `use one of ${EXTENSIONS.join(' ')}`,
    });
  const text = readConfigText(file);
  switch (extension) {
    case '.json':
      return loadJson(file, text);
    case '.yaml':
    case '.yml':
      return loadYaml(file, text);
    default:
      return importModule(file, text);
  }
}

function readConfigText(file: string): string {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw fileInvalid(file, 'is not a file');
    if (stat.size > FILE_BYTES_MAX) throw fileInvalid(file, `is larger than ${FILE_BYTES_MAX / 1024 / 1024} MiB, which no config is`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof ConfigInvalid) throw error;
    if (codeOf(error) === 'ENOENT')
      throw fileInvalid(file, 'does not exist', {
        suggestion: 'grace init writes one',
        cause: error,
      });
    if (codeOf(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw fileInvalid(file, 'is not UTF-8 text', { cause: error });
    throw fileInvalid(file, `cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function loadJson(file: string, text: string): Promise<LoadedFile> {
  const jsonc = await import('jsonc-parser');
  const place = (offset: number): string => locationAt(file, text, offset);
  if (text.trim() === '') throw emptyFile(file);
  const errors: import('jsonc-parser').ParseError[] = [];
  let root: import('jsonc-parser').Node | undefined;
  try {
    root = jsonc.parseTree(text, errors, { allowTrailingComma: true });
  } catch (error) {
    throw fileInvalid(file, 'is nested too deep', { cause: error }); // the parser ran out of stack
  }
  if (errors.length > 0 || !root) {
    const mistakes = errors.slice(0, 10).map((error): Mistake => ({
      path: '',
      problem: `is not valid JSON: ${spaced(jsonc.printParseErrorCode(error.error))}`,
      suggestion: null,
      location: place(error.offset),
    }));
    throw mistakes.length > 0 ? new ConfigInvalid(file, mistakes) : emptyFile(file);
  }
  const twice: Mistake[] = [];
  const data = jsonValue(root, [], (path, offset) =>
    twice.push({
      path: pathText(path),
      problem: 'is written twice',
      suggestion: 'remove one of them',
      location: place(offset),
    }),
  );
  if (twice.length > 0) throw new ConfigInvalid(file, twice.slice(0, 100), twice.length);
  return {
    file,
    data,
    locate(path, what = 'value') {
      const node = jsonc.findNodeAtLocation(
        root,
        path.map((key) => (typeof key === 'number' ? key : String(key))),
      );
      if (!node) return null;
      return place(what === 'key' && node.parent?.type === 'property' ? node.parent.offset : node.offset);
    },
  };
}

/** The parser's own conversion assigns `__proto__`, which would change the prototype; so this one defines. */
function jsonValue(
  node: import('jsonc-parser').Node,
  path: readonly PropertyKey[],
  onTwice: (path: readonly PropertyKey[], offset: number) => void,
): unknown {
  if (node.type === 'array') return (node.children ?? []).map((child, index) => jsonValue(child, [...path, index], onTwice));
  if (node.type !== 'object') return node.value;
  const entries = new Map<string, unknown>();
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (!key || !value) continue;
    const name = String(key.value);
    if (entries.has(name)) onTwice([...path, name], key.offset);
    entries.set(name, jsonValue(value, [...path, name], onTwice));
  }
  return Object.fromEntries(entries);
}

async function loadYaml(file: string, text: string): Promise<LoadedFile> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${basename(file)}:${line}:${col}`;
  };
  let document: ReturnType<typeof yaml.parseDocument>;
  let data: unknown;
  try {
    // prettyErrors would repeat the source below each message
    document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
    if (document.errors.length > 0)
      throw new ConfigInvalid(
        file,
        document.errors.slice(0, 10).map((error) => ({
          path: '',
          problem: `is not valid YAML: ${error.message}`,
          suggestion: null,
          location: place(error.pos[0]),
        })),
      );
    data = document.toJS();
  } catch (error) {
    if (error instanceof ConfigInvalid) throw error;
    throw fileInvalid(file, `is not usable YAML: ${error instanceof RangeError ? 'nested too deep' : messageOf(error)}`, { cause: error });
  }
  if (data === null || data === undefined) throw emptyFile(file);
  return {
    file,
    data,
    locate(path, what = 'value') {
      const last = path.at(-1);
      const parent: unknown = path.length <= 1 ? document.contents : document.getIn(path.slice(0, -1), true);
      if (what === 'key' && yaml.isMap(parent)) {
        const pair = parent.items.find((item) => yaml.isScalar(item.key) && String(item.key.value) === String(last));
        const offset = yaml.isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
        return offset === undefined ? null : place(offset);
      }
      const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
      const offset = yaml.isNode(node) ? node.range?.[0] : undefined;
      return offset === undefined ? null : place(offset);
    },
  };
}

async function importModule(file: string, text: string): Promise<LoadedFile> {
  if (text.trim() === '') throw emptyFile(file);
  // a module is loaded once in a process; the stamp lets a corrected file be read again
  const url = `${pathToFileURL(file).href}?read=${statSync(file).mtimeMs}`;
  if (/^export\s+default\b/m.test(text)) treatAsModule(file);
  let module: { default?: unknown };
  const limit = timeLimit(file);
  try {
    module = (await Promise.race([import(/* @vite-ignore */ url), limit.expired])) as {
      default?: unknown;
    };
  } catch (error) {
    if (error instanceof ConfigInvalid) throw error;
    const location =
      importLocation(error, file) ??
      missingLocation(error, file, text) ??
      (error instanceof SyntaxError ? await syntaxLocation(file, text) : null);
    throw fileInvalid(file, `cannot be loaded: ${importProblem(error)}`, {
      ...(location === null ? {} : { location }),
      ...importSuggestion(error),
      cause: error,
    });
  } finally {
    limit.cancel();
  }
  if (!('default' in module))
    throw fileInvalid(file, 'exports no settings', {
      suggestion: 'write: export default { components: { … } }',
    });
  const data: unknown = await module.default;
  return { file, data, locate: () => null };
}

function timeLimit(file: string): { readonly expired: Promise<never>; cancel(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        fileInvalid(file, `cannot be loaded: it was not done after ${IMPORT_MS_MAX / 1000} s`, {
          suggestion: 'a config must not wait for anything',
        }),
      ),
    IMPORT_MS_MAX,
  );
  promise.catch(() => {}); // rejected or not, the race has looked at it
  return { expired: promise, cancel: () => clearTimeout(timer) };
}

function importProblem(error: unknown): string {
  // Node names absolute paths twice in this one; the package or file is what matters
  const missing = /^Cannot find (package|module) '([^']+)'/.exec(messageOf(error));
  if (missing) return `it imports the ${missing[1] === 'package' ? 'package' : 'file'} ${missing[2]}, which is not there`;
  const kind = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  return `${kind}${messageOf(error).slice(0, 500)}`;
}

function importSuggestion(error: unknown): { readonly suggestion?: string } {
  switch (codeOf(error)) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return {
        suggestion: 'types are stripped, not compiled: leave out enums, namespaces and parameter properties',
      };
    case 'ERR_MODULE_NOT_FOUND':
      return {
        suggestion: 'install it, or correct the import; imports of files need their extension',
      };
    default:
      return {};
  }
}

/** Node puts the place of a syntax error on the first line of the stack, that of a throw on the first frame. */
function importLocation(error: unknown, file: string): string | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const head = /^((?:file:\/\/)?\/[^\n]*?)(?:\?[^\n:]*)?:(\d+)\n/.exec(stack);
  if (head?.[1] && head[2]) return `${nameBeside(file, head[1])}:${head[2]}`;
  const frame = /\(?(file:\/\/[^\s?()]+)(?:\?[^\s:()]*)?:(\d+):(\d+)\)?/.exec(stack);
  return frame?.[1] && frame[2] && frame[3] ? `${nameBeside(file, frame[1])}:${frame[2]}:${frame[3]}` : null;
}

/** Where this file imports what is not there; null when another one does. */
function missingLocation(error: unknown, file: string, text: string): string | null {
  const match = /^Cannot find (?:package|module) '([^']+)' imported from (.+)$/.exec(messageOf(error));
  if (match?.[1] === undefined || match[2]?.startsWith(file) !== true) return null;
  const line = text
    .split('\n')
    .findIndex((candidate) => /\b(?:import|from)\b/.test(candidate) && candidate.includes(basename(match[1] ?? '')));
  return line === -1 ? null : `${basename(file)}:${line + 1}`;
}

/** For plain JavaScript Node keeps the place of a syntax error to itself; its TypeScript parser does not. */
async function syntaxLocation(file: string, text: string): Promise<string | null> {
  const { stripTypeScriptTypes } = await import('node:module');
  try {
    stripTypeScriptTypes(text, { sourceUrl: file });
    return null;
  } catch (error) {
    return importLocation(error, file);
  }
}

function nameBeside(file: string, place: string): string {
  const path = place.startsWith('file:') ? fileURLToPath(place) : place;
  const name = relative(resolve(file, '..'), path);
  return name.startsWith('..') ? path : name;
}

function emptyFile(file: string): ConfigInvalid {
  return fileInvalid(file, 'is empty', { suggestion: 'grace init writes one' });
}

function locationAt(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `${basename(file)}:${line}:${offset - before.lastIndexOf('\n')}`;
}

/** `CommaExpected` → `comma expected` */
function spaced(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
