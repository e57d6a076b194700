import { basename, dirname, extname, join, relative } from 'node:path';
import { parseEnv } from 'node:util';
import { sha256Hex, type Clock, type Files, type FileStat } from '../../kernel/index.ts';
import type { LastGood, LastGoodEntry } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Drift } from './drift.ts';
import { CODE, CONTENT_BYTES_MAX, namedBy, pathsIn, pathsOfCommand } from './named-paths.ts';
import { hasLostEverything, isTorn } from './torn-content.ts';

/** Where the map of a component's files, as of its last verified boot, is kept. */
export interface LastGoodStore {
  load(component: string): Promise<readonly StoredEntry[]>;
  replace(component: string, entries: readonly StoredEntry[]): Promise<void>;
  /** Of every content that any component's map names. */
  digests(): Promise<readonly string[]>;
}

/** `mtimeMs` spares reading what did not change. */
export type StoredEntry = LastGoodEntry & { readonly mtimeMs: number };

/** Contents by digest, private to Grace and unreadable without its key. */
export interface CopyVault {
  put(digest: string, content: Uint8Array): Promise<void>;
  get(digest: string): Promise<Uint8Array | null>;
  /** Removes what no digest in `keep` names. */
  prune(keep: ReadonlySet<string>): Promise<void>;
}

/** Whether a file's content is what its name promises. */
export type ContentCheck = (path: string, content: Uint8Array) => Promise<'valid' | 'broken' | 'unknown'>;

export interface LastGoodPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly store: LastGoodStore;
  readonly vault: CopyVault;
  readonly checkContent: ContentCheck;
  /** Directories of Grace itself: its memory and its playbooks are not the service's. */
  readonly ownDirs: readonly string[];
  /** Further files of a component of which copies are kept, whatever they are called. */
  keptFiles(component: string): readonly string[];
}

/** Never looked into: rebuilt by tools from what is looked at, or not the service's. */
const SKIPPED_DIRS = new Set([
  'node_modules',
  '.git',
  '.grace',
  '__pycache__',
  '.venv',
  'venv',
  '.cache',
  '.next',
  'target',
  'coverage',
  '.idea',
  '.vscode',
]);
/** Files whose content is kept: what configures a service, what it keeps in small files, what it proves itself with. */
const KEPT_EXTENSIONS = new Set([
  '.json', '.json5', '.jsonc', '.yaml', '.yml', '.toml', '.ini', '.cfg', '.conf', '.config', '.properties', '.xml', '.env', '.pem', '.crt', '.cer', '.cert', '.der', '.key', '.p12', '.pfx', '.jks', '.keystore', '.truststore',
  '.lock', '.sum', '.mod', '.lockb', '.gradle', '.gemspec', '.csproj', '.service', '.rules', '.acl', '.htpasswd', '.html', '.htm', '.css', '.csv', '.tsv', '.txt', '.sql', '.graphql', '.proto', '.prisma', '.tf', '.erb', '.j2', '.tmpl',
  '.js', '.cjs', '.mjs', '.ts', '.cts', '.mts', '.py', '.rb', '.ru', '.rake', '.php', '.enc', '.lua', '.sh', '.aof', '.rdb', '.manifest', '.db', '.sqlite', '.sqlite3', '.db3', '.dat', '',
]); // prettier-ignore
const TOTAL_BYTES_MAX = 32 * 1024 * 1024;
const ENTRIES_MAX = 8000;
const DEPTH_MAX = 8;
/** Paths that are written anew at every start, or nobody's loss; relative to the component. */
export const PASSING = /\.(?:log|pid|sock|socket|lock|tmp|out)$|(?:^|\/)(?:logs?|tmp|temp|cache|run)(?:\/|$)/i;
/** Log and lock of LevelDB and RocksDB, emptied at every start. */
const OWN_LOG = /^(?:LOG(?:\.old(?:\.\d+)?)?|LOCK)$/;
/** Directories and files that services write to. */
const WRITTEN_TO = /^(?:data|db|storage|store|uploads?|var|mails?|queue|state|spool)$|[-_.](?:data|dir)$|\.(?:db3?|sqlite3?|aof|rdb)$/i;
/** Grace's own leavings beside broken files. */
const ASIDE = /\.broken-\d{8,}|\.grace-(?:aside|tmp|old)/;

/** Data that its configuration does not lead to any more. */
export interface LeftBehind {
  readonly config: string;
  readonly data: string;
  /** What it names instead. */
  readonly now: string;
}

/** Copies of a component's small files, and a map of its directories, as of its last verified boot. */
export class LastGoodKeeper implements LastGood {
  private readonly ports: LastGoodPorts;
  private readonly cache = new Map<string, readonly StoredEntry[]>();

  constructor(ports: LastGoodPorts) {
    this.ports = ports;
  }

  async entries(component: string): Promise<readonly StoredEntry[]> {
    const cached = this.cache.get(component) ?? (await this.ports.store.load(component));
    this.cache.set(component, cached);
    return cached;
  }

  async entry(component: string, path: string): Promise<LastGoodEntry | null> {
    return (await this.entries(component)).find((e) => e.path === path) ?? null;
  }

  async content(entry: LastGoodEntry): Promise<Uint8Array | null> {
    return entry.hasContent ? this.ports.vault.get(entry.digest) : null;
  }

  /** Takes the present state as good. Files that are broken now keep their older copy. */
  async take(spec: ComponentSpec, bootId: string): Promise<number> {
    const { files, vault, store, checkContent } = this.ports;
    const before = new Map((await this.entries(spec.name)).map((e) => [e.path, e]));
    const named = await namedBy(spec, files);
    const taken: StoredEntry[] = [];
    let total = 0;
    for (const { path, stat } of await this.walk(spec)) {
      const old = before.get(path);
      const traits = { path, mode: stat.mode, uid: stat.uid, gid: stat.gid, sizeBytes: stat.sizeBytes, mtimeMs: stat.mtimeMs, bootId };
      if (stat.kind === 'directory') taken.push({ ...traits, kind: 'directory', digest: '', hasContent: false });
      else if (stat.kind === 'symlink')
        taken.push({ ...traits, kind: 'symlink', digest: (await files.readLink(path)) ?? '', hasContent: false });
      else if (stat.kind === 'file') {
        const isSame =
          old !== undefined && old.kind === 'file' && old.mtimeMs === stat.mtimeMs && old.sizeBytes === stat.sizeBytes && old.hasContent;
        if (isSame) {
          total += stat.sizeBytes;
          taken.push({ ...traits, kind: 'file', digest: old.digest, hasContent: true });
          continue;
        }
        const isKept = this.keepsContent(path, stat, spec, named) && total + stat.sizeBytes <= TOTAL_BYTES_MAX;
        const content = isKept ? await files.read(path).catch(() => null) : null;
        if (content === null) {
          taken.push({ ...traits, kind: 'file', digest: '', hasContent: false });
          continue;
        }
        if (old?.hasContent && (await checkContent(path, content)) === 'broken') {
          taken.push(old);
          continue;
        }
        total += content.length;
        const digest = sha256Hex(content);
        await vault.put(digest, content);
        taken.push({ ...traits, kind: 'file', digest, hasContent: true });
      }
    }
    await store.replace(spec.name, taken);
    this.cache.set(spec.name, taken);
    await this.forgetUnused();
    return taken.length;
  }

  /** What is there now, as `take` would map it, without keeping anything. Files that did not change are not read again. */
  async present(spec: ComponentSpec): Promise<readonly StoredEntry[]> {
    const { files } = this.ports;
    const before = new Map((await this.entries(spec.name)).map((e) => [e.path, e]));
    const named = await namedBy(spec, files);
    const found: StoredEntry[] = [];
    let total = 0;
    for (const { path, stat } of await this.walk(spec)) {
      const traits = { path, mode: stat.mode, uid: stat.uid, gid: stat.gid, sizeBytes: stat.sizeBytes, mtimeMs: stat.mtimeMs, bootId: '' };
      if (stat.kind === 'symlink') {
        found.push({ ...traits, kind: 'symlink', digest: (await files.readLink(path)) ?? '', hasContent: false });
        continue;
      }
      const kind = stat.kind === 'directory' ? 'directory' : 'file';
      const old = before.get(path);
      const isSame = old?.kind === 'file' && old.hasContent && old.mtimeMs === stat.mtimeMs && old.sizeBytes === stat.sizeBytes;
      const isRead = !isSame && kind === 'file' && this.keepsContent(path, stat, spec, named) && total + stat.sizeBytes <= TOTAL_BYTES_MAX;
      const content = isRead ? await files.read(path).catch(() => null) : null;
      total += content?.length ?? 0;
      const digest = isSame ? old.digest : content === null ? '' : sha256Hex(content);
      found.push({ ...traits, kind, digest, hasContent: digest !== '' });
    }
    return found;
  }

  /** Contents that no component's map names any more. */
  private async forgetUnused(): Promise<void> {
    await this.ports.vault.prune(new Set(await this.ports.store.digests()));
  }

  /** What is different now, most suspicious first. */
  async drift(spec: ComponentSpec, mentions: readonly string[]): Promise<readonly Drift[]> {
    const { files, checkContent } = this.ports;
    const found: Drift[] = [];
    const entries = await this.entries(spec.name);
    const missingDirs = new Set<string>();
    for (const entry of entries) {
      const stat = await files.stat(entry.path);
      if (stat === null) {
        // Of a whole missing tree, the top is what is missing.
        if ([...missingDirs].some((dir) => entry.path.startsWith(`${dir}/`)) && !entry.hasContent) continue;
        if (entry.kind === 'directory') missingDirs.add(entry.path);
        found.push(this.rank(entry, 'missing', `${entry.path} is gone`, false, mentions, spec));
        continue;
      }
      if (entry.kind === 'file' && entry.hasContent && (stat.mtimeMs !== entry.mtimeMs || stat.sizeBytes !== entry.sizeBytes)) {
        const content = await files.read(entry.path, CONTENT_BYTES_MAX * 4).catch(() => null);
        if (content !== null && sha256Hex(content) !== entry.digest) {
          const isBroken =
            (await checkContent(entry.path, content)) === 'broken' ||
            (content.length === 0 && entry.sizeBytes > 0) ||
            isTorn(content, (await this.content(entry)) ?? content);
          const isEmptied = hasLostEverything(content, entry.sizeBytes);
          if (isEnvFile(entry.path, spec)) found.push(...(await this.envDrift(entry, content)));
          const size = content.length === entry.sizeBytes ? 'same size' : `was ${entry.sizeBytes} bytes, is ${content.length}`;
          found.push(
            this.rank(
              entry,
              'changed',
              `${entry.path} changed (${size})${isBroken ? ' and cannot be parsed any more' : isEmptied ? ' and holds nothing any more' : ''}`,
              isBroken || isEmptied,
              mentions,
              spec,
            ),
          );
        }
      }
      if (entry.kind === 'file' && stat.kind === 'symlink' && (await files.realpath(entry.path)) === null) {
        found.push(this.rank(entry, 'missing', `${entry.path} is a link to nothing now, it was a file`, false, mentions, spec));
        continue;
      }
      if (entry.kind === 'file' && stat.kind === 'directory') {
        found.push(this.rank(entry, 'changed', `${entry.path} is a directory now, it was a file`, true, mentions, spec));
        continue;
      }
      if (entry.kind === 'symlink' && (await files.readLink(entry.path)) !== entry.digest)
        found.push(this.rank(entry, 'changed', `${entry.path} points elsewhere`, false, mentions, spec));
      if (stat.uid !== entry.uid || stat.gid !== entry.gid)
        found.push(
          this.rank(
            entry,
            'owner',
            `${entry.path} belongs to ${stat.uid}:${stat.gid}, belonged to ${entry.uid}:${entry.gid}`,
            false,
            mentions,
            spec,
          ),
        );
      else if (stat.mode !== entry.mode && entry.kind !== 'symlink')
        found.push(
          this.rank(entry, 'mode', `${entry.path} has mode ${stat.mode.toString(8)}, had ${entry.mode.toString(8)}`, false, mentions, spec),
        );
    }
    return found.toSorted((a, b) => b.suspicion - a.suspicion);
  }

  /**
   * What the start command or a configuration file in it names, was there at the last good boot and is gone. Many programs
   * make such a thing anew, empty, and then work: without their data.
   */
  async missingNamed(spec: ComponentSpec): Promise<readonly string[]> {
    const { files } = this.ports;
    const entries = await this.entries(spec.name);
    if (entries.length === 0) return [];
    const named = await namedBy(spec, files);
    const missing: string[] = [];
    for (const entry of entries) {
      const isIndex = extname(entry.path) === '.manifest';
      if ((!isIndex && !named.has(entry.path)) || PASSING.test(relative(spec.cwd, entry.path))) continue;
      const stat = await files.stat(entry.path);
      const isDangling = stat?.kind === 'symlink' && (await files.realpath(entry.path)) === null;
      if (stat !== null && !isDangling && !(entry.kind === 'file' && stat.kind === 'directory')) continue;
      const isData = entry.kind !== 'directory' || entries.some((e) => e.kind === 'file' && e.path.startsWith(`${entry.path}/`));
      if (isData && (named.has(entry.path) || (await hasParts(files, entry.path)))) missing.push(entry.path);
    }
    return missing;
  }

  /**
   * What the start command or a configuration file in it names, and its user lost: somebody else owns it now and keeps that
   * user out. Some programs start all the same, and work without their data until they should save it.
   */
  async takenAway(spec: ComponentSpec): Promise<readonly string[]> {
    const { files } = this.ports;
    const entries = await this.entries(spec.name);
    if (entries.length === 0) return [];
    const named = await namedBy(spec, files);
    const isNamed = (path: string): boolean =>
      named.has(path) || [...named].some((dir) => dir !== spec.cwd && !spec.roots.includes(dir) && path.startsWith(`${dir}/`));
    const taken: string[] = [];
    for (const entry of entries) {
      if (entry.kind === 'symlink' || entry.uid === 0 || !isNamed(entry.path) || PASSING.test(relative(spec.cwd, entry.path))) continue;
      const stat = await files.stat(entry.path);
      if (stat === null || stat.kind !== entry.kind || stat.uid === entry.uid) continue;
      const left = (stat.gid === entry.gid ? stat.mode >> 3 : stat.mode) & 0o7;
      const lost = (entry.mode >> 6) & ~left & 0o7;
      // What is only served may be handed to root by a deployment; what is read by nobody but root is not.
      if ((lost & 0o4) !== 0 || ((lost & 0o2) !== 0 && WRITTEN_TO.test(basename(entry.path)))) taken.push(entry.path);
    }
    return taken;
  }

  /**
   * A configuration of the start command that named a directory with data at the last good boot, and now names one that is
   * not there or empty, while the data is still where it was. Most programs then begin anew, and nobody notices for days.
   */
  async dataLeftBehind(spec: ComponentSpec): Promise<LeftBehind | null> {
    const { files } = this.ports;
    const entries = await this.entries(spec.name);
    const inCommand = pathsOfCommand(spec);
    for (const config of entries.filter((e) => e.hasContent && inCommand.has(e.path) && !CODE.test(e.path))) {
      const stat = await files.stat(config.path);
      if (stat?.kind !== 'file' || (stat.mtimeMs === config.mtimeMs && stat.sizeBytes === config.sizeBytes)) continue;
      const before = await this.content(config);
      const now = await files.readText(config.path, CONTENT_BYTES_MAX);
      if (before === null || now === null) continue;
      const [then, present] = [new Set(pathsIn(new TextDecoder().decode(before), spec, config.path)), pathsIn(now, spec, config.path)];
      const added = present.filter((path) => !then.has(path) && spec.roots.some((root) => path.startsWith(`${root}/`)));
      const empty: string[] = [];
      for (const path of added) if (await isEmptyOrGone(files, path)) empty.push(path);
      // A relative path stands for two places; where one of them holds something, that is the one.
      if (empty.length === 0 || empty.length < added.length) continue;
      for (const path of then) {
        const held = entries.filter((e) => e.kind === 'file' && e.path.startsWith(`${path}/`)).length;
        if (held === 0 || present.includes(path) || PASSING.test(`${relative(spec.cwd, path)}/`)) continue;
        if (entries.some((e) => e.path === path && e.kind === 'directory') && !(await isEmptyOrGone(files, path)))
          return { config: config.path, data: path, now: empty[0] ?? '' };
      }
    }
    return null;
  }

  /** Which variables of an env file are gone or have another value; the values stay here. */
  private async envDrift(entry: LastGoodEntry, content: Uint8Array): Promise<readonly Drift[]> {
    const old = await this.content(entry);
    if (old === null) return [];
    const decode = (bytes: Uint8Array): Record<string, string | undefined> => parseEnv(new TextDecoder().decode(bytes));
    const [before, now] = [decode(old), decode(content)];
    const found: Drift[] = [];
    for (const [key, value] of Object.entries(before)) {
      if (now[key] === value) continue;
      const isGone = now[key] === undefined;
      const message = isGone ? `${key} is gone from ${entry.path}` : `${key} has another value in ${entry.path}`;
      found.push({
        kind: isGone ? 'env_key_missing' : 'env_key_changed',
        subject: key,
        message,
        isBroken: false,
        canRestore: true,
        suspicion: isGone ? 8 : 4,
      });
    }
    return found;
  }

  private keepsContent(path: string, stat: FileStat, spec: ComponentSpec, named: ReadonlySet<string>): boolean {
    if (stat.sizeBytes > CONTENT_BYTES_MAX) return false;
    const name = basename(path);
    if (OWN_LOG.test(name)) return false;
    return (
      named.has(path) ||
      spec.command.some((word) => word.endsWith(name)) ||
      spec.envFiles.includes(path) ||
      this.ports.keptFiles(spec.name).includes(path) ||
      name.startsWith('.env') ||
      KEPT_EXTENSIONS.has(extname(name).toLowerCase()) ||
      /rc$|file$/i.test(name)
    );
  }

  private rank(
    entry: LastGoodEntry,
    kind: Drift['kind'],
    message: string,
    isBroken: boolean,
    mentions: readonly string[],
    spec: ComponentSpec,
  ): Drift {
    const name = basename(entry.path);
    let suspicion = kind === 'missing' ? 2 : 1;
    if (isBroken) suspicion += 5;
    if (spec.command.some((word) => word === entry.path || word.split('=').at(-1) === name || word.endsWith(`/${name}`) || word === name))
      suspicion += 3;
    if (mentions.some((text) => text.includes(name))) suspicion += 3;
    if (spec.envFiles.includes(entry.path)) suspicion += 2;
    return { kind, subject: entry.path, message, isBroken, canRestore: entry.hasContent || entry.kind !== 'file', suspicion };
  }

  private async walk(spec: ComponentSpec): Promise<readonly { path: string; stat: FileStat }[]> {
    const { files } = this.ports;
    const found: { path: string; stat: FileStat }[] = [];
    const seen = new Set<string>();
    // Breadth first: what is near the top is more likely to matter when the limit is reached.
    let level: readonly string[] = [...new Set([spec.cwd, ...spec.roots, ...spec.envFiles.map((f) => dirname(f))])];
    for (let depth = 0; depth < DEPTH_MAX && level.length > 0; depth++) {
      const next: string[] = [];
      for (const dir of level) {
        if (seen.has(dir)) continue;
        seen.add(dir);
        for (const name of await files.list(dir).catch(() => [])) {
          if (found.length >= ENTRIES_MAX) return found;
          if (SKIPPED_DIRS.has(name) || ASIDE.test(name)) continue;
          if (name === 'vendor' && (await files.stat(join(dir, name, 'autoload.php'))) !== null) continue; // Composer's, by its lock file
          const path = join(dir, name);
          if (path === spec.logFile || this.ports.ownDirs.includes(path)) continue;
          const stat = await files.stat(path);
          if (stat === null || stat.kind === 'other' || stat.kind === 'socket') continue;
          found.push({ path, stat });
          if (stat.kind === 'directory') next.push(path);
        }
      }
      level = next;
    }
    return found;
  }
}

async function isEmptyOrGone(files: Files, path: string): Promise<boolean> {
  const stat = await files.stat(path);
  return stat === null || (stat.kind === 'directory' && (await files.list(path)).length === 0);
}

/** The index of a data set is gone and what it lists is still there: Redis would begin a new, empty one over it. */
async function hasParts(files: Files, path: string): Promise<boolean> {
  const stem = basename(path, '.manifest');
  return (await files.list(dirname(path)).catch(() => [])).some((name) => name.startsWith(`${stem}.`));
}

function isEnvFile(path: string, spec: ComponentSpec): boolean {
  return spec.envFiles.includes(path) || basename(path).startsWith('.env');
}
