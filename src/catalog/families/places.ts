import { basename, dirname, isAbsolute, relative, resolve } from 'node:path';
import type { CaseFile, Drift } from '../../domains/learning/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';

/** A path as a message writes it (`./data/x.json`, `file:///srv/x.js`), absolute; null when it names nothing. */
export function absolutePath(component: ComponentSpec, written: string): string | null {
  const path = written
    .trim()
    .replace(/^file:\/\//, '')
    .replace(/^["'`]|["'`]$/g, '');
  return path === '' || path.includes('\0') ? null : resolve(component.cwd, path);
}

export function isBelow(dir: string, path: string): boolean {
  const way = relative(dir, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}

/** Below the directories that a playbook for this component may change. */
export function isOwn(component: ComponentSpec, path: string): boolean {
  return component.roots.some((root) => isBelow(root, path));
}

/** Inside installed packages: the lock file looks after those, not the last good copies. */
export function isInPackages(path: string): boolean {
  return /(?:^|\/)(?:node_modules|site-packages|vendor\/(?:bundle|composer)|vendor\/(?!assets\/|lib\/|plugins\/)[\w.-]{1,60}\/[\w.-]{1,60})\//.test(
    path,
  );
}

/** As people read it: relative below the working directory. */
export function shownPath(component: ComponentSpec, path: string): string {
  return isBelow(component.cwd, path) ? relative(component.cwd, path) || '.' : path;
}

/** `data/settings.js` → `data_settings_js`, for the name of a playbook. */
export function slugOf(component: ComponentSpec, path: string): string {
  const slug = shownPath(component, path)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  return slug.slice(-60).replace(/^_+/, '') || 'root';
}

/** `unleash-db` → `unleash_db`. */
export function nameSlug(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '') || 'it'
  );
}

/** The path a drift entry is about; null for variables and settings. */
export function driftPath(component: ComponentSpec, drift: Drift): string | null {
  switch (drift.kind) {
    case 'missing':
    case 'changed':
    case 'new':
    case 'owner':
    case 'mode':
      return absolutePath(component, drift.subject);
    default:
      return null;
  }
}

export function driftAt(c: Pick<CaseFile, 'component' | 'drift'>, path: string, ...kinds: readonly Drift['kind'][]): Drift | null {
  return c.drift.find((d) => kinds.includes(d.kind) && driftPath(c.component, d) === path) ?? null;
}

/** Whether the start command names this file: `--config config.yaml`, `--env-file=.env`, `server.js`. */
export function isInCommand(component: ComponentSpec, path: string): boolean {
  return component.command.some((word) => {
    const value = word.startsWith('-') && word.includes('=') ? word.slice(word.indexOf('=') + 1) : word;
    return (
      value !== '' &&
      (resolve(component.cwd, value) === path ||
        (!value.startsWith('/') && !value.startsWith('-') && basename(value) === basename(path) && value.includes('.')))
    );
  });
}

const CONFIG_OPTION = /^--?(?:c|f|conf|config|cfg|config[-_]?(?:file|path)|configuration|settings|rcfile)$/i;

/** Whether the start command says that this file is its configuration: `-c users`, `--config=/srv/app/main`. */
export function isConfigOfCommand(component: ComponentSpec, path: string): boolean {
  return component.command.some((word, i) => {
    const [option = '', value] = word.startsWith('-') && word.includes('=') ? word.split(/=(.*)/s) : [component.command[i - 1], word];
    return CONFIG_OPTION.test(option) && value !== undefined && value !== '' && resolve(component.cwd, value) === path;
  });
}

/** Whether a text names this file: by its path, or by a name that is long enough to mean it. */
export function isNamedIn(said: string, component: ComponentSpec, path: string): boolean {
  const name = basename(path);
  return said.includes(path) || said.includes(shownPath(component, path)) || (name.length >= 5 && said.includes(name));
}

const CODE = /\.(?:[cm]?[jt]sx?|py|rb|ru|rake|go|java|kt|php|pl|sh|lua|ex|exs)$/i;
const CONFIG_NAME = /(?:config|settings?|conf|rc|options|env|profile|properties)/i;

/** A program, not a configuration that happens to be written in a programming language. */
export function isCode(path: string): boolean {
  return CODE.test(path) && !CONFIG_NAME.test(basename(path)) && !/(?:^|\/)(?:config|conf|settings)\/[^/]+$/.test(path);
}

const DATA =
  /\.(?:json|jsonl|ndjson|csv|tsv|txt|sql|aof|rdb|manifest|htpasswd|db|db3|sqlite3?|xml|eml|log|pid|lock)$|^[^.]+$|^\.?htpasswd$/i;

/**
 * What the service or its users may have written since: an older copy in its place loses that. Such a file is put back
 * only when it is broken, or gone and asked for.
 */
export function mayBeData(path: string): boolean {
  const name = basename(path);
  if (
    isCertificate(path) ||
    CODE.test(name) ||
    CONFIG_NAME.test(name) ||
    /^(?:package|tsconfig|composer|deno)\.json$|^[A-Z][a-z]+file$/.test(name)
  )
    return false;
  return DATA.test(name) || looksLikeDirectory(dirname(path));
}

const VOLATILE = /^(?:logs?|tmp|temp|te?mp-.*|cache|\.cache|caches|run|pids?|sockets?|sessions?|spool)$/i;
const DIRECTORY_LIKE =
  /^(?:data|db|storage|store|uploads?|files|var|backups?|mails?|queue|public|assets|out|output|dist|media|state|work|workdir)$/i;

/** A directory whose content nobody misses: logs, caches, pid files. */
export function isVolatileDirectory(path: string): boolean {
  return VOLATILE.test(basename(path));
}

/** Its name says that it is a directory that services write to. */
export function looksLikeDirectory(path: string): boolean {
  const name = basename(path);
  return (
    isVolatileDirectory(path) ||
    DIRECTORY_LIKE.test(name) ||
    /[-_.](?:logs?|data|dir|cache|tmp)$/i.test(name) ||
    /^(?:log|data|cache|tmp)[-_]/i.test(name)
  );
}

const WRITTEN = /\.(?:log|pid|sock|socket|db|db3|sqlite3?|tmp|lock|aof|rdb|out|err)$/i;

/**
 * Whether a path that is missing together with its directory is one that is about to be written, so that the directory is
 * all it needs. A program, a package or a configuration is read: an empty directory would not help it.
 */
export function isToBeWritten(path: string, missingDirectory: string): boolean {
  if (WRITTEN.test(path)) return true;
  const name = basename(path);
  const isRead =
    CODE.test(name) ||
    CONFIG_NAME.test(name) ||
    /\.(?:jar|war|html?|ya?ml|toml|ini|cfg|wasm|so|node|mod)$|^package\.json$/i.test(name) ||
    isCertificate(path);
  return !isRead && looksLikeDirectory(missingDirectory);
}

export function isCertificate(path: string): boolean {
  return /\.(?:pem|crt|cer|key|p12|pfx|csr|jks)$/i.test(path);
}

export { basename, dirname };
