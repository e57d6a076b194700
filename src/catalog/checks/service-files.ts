import { basename, extname, isAbsolute, join, resolve } from 'node:path';
import type { CheckContext, ConfigFormat } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { readEnvLines } from '../config-lint/env-lines.ts';
import { envFilesOf } from '../families/env-text.ts';

/** A file of the service, and how it came to be looked at. */
export interface ServiceFile {
  readonly path: string;
  readonly component: string;
  /** The command, the environment or the config names it: the service does read it. */
  readonly isNamed: boolean;
  /** The option or variable that names it; null where it is named by its place alone, or not at all. */
  readonly namedBy: string | null;
}

/** A path that the service is given, and by which option or variable. */
export interface NamedPath {
  readonly path: string;
  readonly by: string | null;
}

/** A larger one is data, and would take its parser seconds. */
export const CONFIG_BYTES_MAX = 512 * 1024;
/** Of one service. */
const FILES_MAX = 100;
/** Entries of one directory that are looked at. */
const ENTRIES_MAX = 1000;

/** Of a command that are combined with each other. */
const WORDS_MAX = 8;

/** Where projects keep their configuration, beside their root. */
const CONFIG_DIRS = ['config', 'conf', 'settings', 'etc'];
const CERTIFICATE_DIRS = ['certs', 'cert', 'certificates', 'ssl', 'tls', 'secrets'];
/** Written by programs, and read by them alone. */
const NOT_CONFIG =
  /^(?:package-lock|npm-shrinkwrap|composer|pnpm-lock|yarn|poetry|cargo|deno|bun)(?:\.lock)?\.(?:json|yaml|yml|toml)$|\.lock\.|-lock\.|^\.|\.tsbuildinfo$|\.min\.|\.map$/i;
/** Shows how a file looks, and is none. */
const EXAMPLE = /(?:^|[._-])(?:example|sample|template|tmpl|tpl|dist|default|defaults|schema)(?:[._-]|$)/i;

const FORMATS: Readonly<Record<string, ConfigFormat>> = {
  '.json': 'json',
  '.jsonc': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.toml': 'toml',
  '.ini': 'ini',
};

export function formatOf(path: string): ConfigFormat | null {
  const name = basename(path);
  if (isEnvFile(name)) return 'env';
  return FORMATS[extname(name).toLowerCase()] ?? null;
}

/** JavaScript that is run as it stands. */
export function isScript(path: string): boolean {
  return /\.[cm]?js$/.test(path);
}

function isEnvFile(name: string): boolean {
  return /^\.env(?:\.|$)|\.env$/.test(name) && !EXAMPLE.test(name.replace(/^\./, ''));
}

/** Configuration of the service: what it names, then what lies where such files lie. Each once, links followed. */
export async function configFilesOf(context: CheckContext): Promise<readonly ServiceFile[]> {
  const files = new Files(context);
  for (const spec of context.components) {
    for (const path of envFilesOf(spec)) await files.add(path, spec.name, true, 'env');
    for (const path of context.settings.configFiles.get(spec.name) ?? []) await files.add(path, spec.name, true);
    for (const { path, by } of await namedPaths(spec, context))
      if (formatOf(path) !== null || isScript(path)) await files.add(path, spec.name, true, undefined, by);
    for (const path of insideNamedDirs(spec)) if (formatOf(path) !== null) await files.add(path, spec.name, false);
  }
  for (const spec of context.components)
    for (const dir of [spec.cwd, ...CONFIG_DIRS.map((name) => join(spec.cwd, name))])
      for (const name of (await context.files.list(dir)).slice(0, ENTRIES_MAX)) {
        if (formatOf(name) === null || (NOT_CONFIG.test(name) && !isEnvFile(name)) || EXAMPLE.test(name.replace(/^\./, ''))) continue;
        if (name.startsWith('grace.config.')) continue; // checked before anything else
        await files.add(join(dir, name), spec.name, false);
      }
  return files.found;
}

/** Env files that are there: those that the service names, and their like beside it. */
export async function envFilesThere(context: CheckContext): Promise<readonly ServiceFile[]> {
  const files = new Files(context);
  for (const spec of context.components) {
    for (const path of envFilesOf(spec)) await files.add(path, spec.name, true, 'env');
    for (const name of (await context.files.list(spec.cwd)).slice(0, ENTRIES_MAX))
      if (isEnvFile(name)) await files.add(join(spec.cwd, name), spec.name, false, 'env');
  }
  return files.found;
}

const CERTIFICATE = /\.(?:pem|crt|cer|cert)$/i;
const KEY = /\.(?:key|pem)$/i;

/** Certificates and private keys, by the name of the file. */
export async function certificateFilesOf(context: CheckContext): Promise<readonly ServiceFile[]> {
  const files = new Files(context);
  for (const spec of context.components)
    for (const { path, by } of await namedPaths(spec, context))
      if (CERTIFICATE.test(path) || KEY.test(path)) await files.add(path, spec.name, true, undefined, by);
  for (const spec of context.components)
    for (const dir of [spec.cwd, ...[...CONFIG_DIRS, ...CERTIFICATE_DIRS].map((name) => join(spec.cwd, name))])
      for (const name of (await context.files.list(dir)).slice(0, ENTRIES_MAX))
        if (CERTIFICATE.test(name) || KEY.test(name)) await files.add(join(dir, name), spec.name, false);
  return files.found;
}

/** Words of the command and values of its environment that can be paths. */
export async function namedPaths(spec: ComponentSpec, context: CheckContext): Promise<readonly NamedPath[]> {
  const env = await context.environmentOf(spec);
  const own = new Set([...Object.keys(spec.env), ...(await ownNames(spec, context))]);
  const words = spec.command.slice(1).map((word, at, all): readonly [string, string | null] => {
    const [, inline, value] = OPTION.exec(word) ?? [];
    if (inline !== undefined && value !== undefined) return [value, inline];
    return [word, at > 0 ? (LONG_OPTION.exec(all[at - 1] ?? '')?.[1] ?? null) : null];
  });
  const values = [...own].flatMap((name): readonly (readonly [string, string])[] => {
    const value = env[name];
    return value === undefined ? [] : [[value, name]];
  });
  return [...words, ...values]
    .filter(([word]) => isPath(word))
    .map(([word, by]) => ({ path: isAbsolute(word) ? word : resolve(spec.cwd, word), by }));
}

const OPTION = /^--?([A-Za-z][\w-]{0,60})=(.*)$/s;
const LONG_OPTION = /^--([A-Za-z][\w-]{0,60})$/;

/** `--data dir file.json`: many programs look for a bare name in the folder they are given. Most of these are not there. */
function insideNamedDirs({ command, cwd }: ComponentSpec): readonly string[] {
  const words = command.slice(1).map((word) => word.replace(/^--?[A-Za-z][\w-]{0,60}=/, ''));
  const names = words.filter((word) => isPath(word) && !word.includes('/')).slice(0, WORDS_MAX);
  const dirs = words.filter((word) => /^[\w./-]{1,500}$/.test(word) && !isPath(word) && !/^(?:-|\d+$)/.test(word)).slice(0, WORDS_MAX);
  return dirs.flatMap((dir) => names.map((name) => resolve(cwd, dir, name)));
}

/** Names that its env files set: what else is in the environment belongs to the person, not to the service. */
async function ownNames(spec: ComponentSpec, { files }: CheckContext): Promise<readonly string[]> {
  const names: string[] = [];
  for (const path of envFilesOf(spec)) {
    const text = await files.readText(path, CONFIG_BYTES_MAX).catch(() => null);
    for (const match of (text ?? '').matchAll(/^\s{0,8}(?:export\s{1,4})?([A-Za-z_]\w{0,200})\s{0,4}=/gm)) names.push(match[1] ?? '');
  }
  return names;
}

function isPath(word: string): boolean {
  return (
    word.length < 1000 &&
    !word.includes('\n') &&
    !/^[a-z][a-z0-9+.-]{1,20}:\/\//i.test(word) &&
    /\.[A-Za-z]{2,6}$|^\/run\/secrets\//.test(word)
  );
}

/** Collects files, each once and no more than can be looked at. */
class Files {
  readonly found: ServiceFile[] = [];
  private readonly seen = new Set<string>();
  private readonly context: CheckContext;

  constructor(context: CheckContext) {
    this.context = context;
  }

  async add(path: string, component: string, isNamed: boolean, format?: 'env', namedBy: string | null = null): Promise<void> {
    if (this.found.length >= FILES_MAX || (format === undefined && !/\.[A-Za-z]+$/.test(path))) return;
    const { files, ownDirs } = this.context;
    if (path.split('/').includes('node_modules') || ownDirs.some((dir) => `${path}/`.startsWith(`${dir}/`))) return;
    try {
      // A link to itself leads nowhere; a pipe would be waited for.
      const real = await files.realpath(path);
      if (real === null || this.seen.has(real)) return;
      this.seen.add(real);
      const stat = await files.stat(real);
      if (stat?.kind === 'file') this.found.push({ path, component, isNamed, namedBy });
    } catch {
      // a place that may not be looked at: what the service finds there, it will say
    }
  }
}

/** What the service will see, also where its command reads the env files by itself. */
export async function serviceEnvironment(spec: ComponentSpec, context: CheckContext): Promise<Readonly<Record<string, string>>> {
  const env: Record<string, string> = {};
  for (const path of envFilesOf(spec)) {
    const content = await textOf(path, context);
    for (const { name, value } of content === null ? [] : readEnvLines(content.text).entries) env[name] = value;
  }
  return { ...env, ...(await context.environmentOf(spec)) };
}

/** UTF-8, or why it is none; null when it is gone, may not be read, or is larger than what is looked at. */
export async function textOf(path: string, { files }: CheckContext): Promise<{ readonly text: string; readonly isUtf8: boolean } | null> {
  try {
    const bytes = await files.read(path, CONFIG_BYTES_MAX + 1);
    if (bytes === null || bytes.length > CONFIG_BYTES_MAX) return null;
    const text = new TextDecoder().decode(bytes);
    return { text, isUtf8: !text.includes('\uFFFD') || isValidUtf8(bytes) };
  } catch {
    return null;
  }
}

function isValidUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
