import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { CERTIFICATE_BYTES_MAX, describeCertificate, isNamedLikeACertificate } from '../adapters/node/certificates.ts';
import { filesTouched, gitRoot, gitState } from '../adapters/node/git.ts';
import { installedPackages } from '../adapters/node/installed-packages.ts';
import { machineTraits } from '../adapters/node/machine-traits.ts';
import { mountsAround } from '../adapters/node/mounts.ts';
import { processLimits } from '../adapters/node/process-limits.ts';
import { runtimeVersions } from '../adapters/node/runtime-versions.ts';
import { cleanLines, type Redactor } from '../domains/incidents/index.ts';
import type {
  ComponentState,
  Fingerprint,
  FingerprintPart,
  LastGoodKeeper,
  PathTrace,
  StoredEntry,
  Values,
} from '../domains/learning/index.ts';
import type { HostView } from '../domains/playbooks/index.ts';
import type { ComponentSpec, Launch } from '../domains/supervisor/index.ts';
import { messageOf, sha256Hex, type Clock, type Files, type Logger, type Spawner } from '../kernel/index.ts';
import { ENVIRONMENT_NAMES } from './config/index.ts';

export interface FingerprintSources {
  readonly clock: Clock;
  readonly files: Files;
  readonly spawner: Spawner;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly view: HostView;
  readonly lastGood: LastGoodKeeper;
  readonly components: readonly ComponentSpec[];
  readonly projectDir: string;
  readonly bootId: string;
  /** Where Grace and its components were started from. */
  readonly caller: Values;
  /** Digest that says nothing to whoever lacks the key. */
  digest(text: string): string;
  launchOf(spec: ComponentSpec): Promise<Launch>;
  /** What the schema of a component's database holds; null when there is none that can be looked at. */
  schemaOutline(component: string): Promise<Values | null>;
}

/** Each part has this long; what takes longer is left out, and is then not compared. */
const PART_MS = 1500;
const DIRTY_BYTES_MAX = 512 * 1024;
const PATHS_MAX = 3000;
const MIB = 1024 * 1024;
/** Below these shares of a disk, or this much, it is nearly full; without a megabyte left it is full. */
const NEARLY_FULL_RATIO = 0.05;
const FULL_BYTES = MIB;

/** What Grace itself is told is no reason why a service fails, and no cure. */
const OF_GRACE: ReadonlySet<string> = new Set(ENVIRONMENT_NAMES);
/** Variables that differ at every start and say nothing. */
const VOLATILE = /^(?:_|SHLVL|PWD|OLDPWD|COLUMNS|LINES|SSH_.*|TERM.*|WINDOWID|XDG_SESSION_ID|GRACE_MARK|GRACE_ROUTES_DIR|TMUX.*)$/;

/** What the world looks like now: names, versions and keyed digests, never values. */
export class Fingerprinting {
  private readonly sources: FingerprintSources;

  constructor(sources: FingerprintSources) {
    this.sources = sources;
  }

  /** The map of each component's files, walked anew; those of dependencies are not ours to look at. */
  async presentFiles(): Promise<ReadonlyMap<string, readonly StoredEntry[]>> {
    const found = new Map<string, readonly StoredEntry[]>();
    for (const spec of this.processes()) found.set(spec.name, await this.sources.lastGood.present(spec));
    return found;
  }

  /** The maps of the last good boot: right after they were taken they need no walk. */
  async keptFiles(): Promise<ReadonlyMap<string, readonly StoredEntry[]>> {
    const found = new Map<string, readonly StoredEntry[]>();
    for (const spec of this.processes()) found.set(spec.name, await this.sources.lastGood.entries(spec.name));
    return found;
  }

  async take(maps: ReadonlyMap<string, readonly StoredEntry[]>): Promise<Fingerprint> {
    const { redactor, digest, caller } = this.sources;
    const commands: Record<string, string> = {};
    const env: Record<string, Values> = {};
    const files: Record<string, string> = {};
    const launches = new Map<string, Launch>();
    for (const spec of this.processes()) {
      const launch = await this.sources.launchOf(spec);
      launches.set(spec.name, launch);
      commands[spec.name] = redactor.redact(launch.argv.join(' '));
      const lasting = Object.entries(launch.env).filter(([name]) => !VOLATILE.test(name) && !OF_GRACE.has(name));
      env[spec.name] = Object.fromEntries(lasting.map(([name, value]) => [name, digest(value)]));
    }
    for (const entries of maps.values()) for (const e of entries) if (e.kind === 'file' && e.hasContent) files[e.path] = digest(e.digest);
    const looks: Readonly<Record<FingerprintPart, () => Promise<Values | null>>> = {
      packages: async () => this.packages(launches),
      git: () => this.git(),
      runtimes: () => this.runtimes(launches),
      limits: async () => this.limits(launches),
      schema: () => this.schema(),
      ports: () => this.ports(),
      disks: () => this.disks(),
      mounts: async () =>
        Object.fromEntries(mountsAround(this.directories()).map((m) => [m.point, `${m.device} ${m.type} ${m.isReadOnly ? 'ro' : 'rw'}`])),
      certificates: () => this.certificates(maps, launches),
    };
    const parts = await Promise.all(Object.entries(looks).map(async ([name, look]) => [name, await this.inTime(name, look)] as const));
    return {
      commands,
      env,
      files,
      machine: machineTraits(caller),
      parts: Object.fromEntries(parts.flatMap(([name, values]) => (values === null ? [] : [[name, harmless(values)]]))),
    };
  }

  /** What one component's world looks like. */
  async stateOf(
    spec: ComponentSpec,
    fingerprint: Fingerprint,
    entries: readonly StoredEntry[],
    addresses: readonly string[],
  ): Promise<ComponentState> {
    const { clock, digest, view, bootId } = this.sources;
    const paths: Record<string, PathTrace> = {};
    for (const { path, kind, mode, uid, gid, digest: content, mtimeMs } of entries.slice(0, PATHS_MAX))
      paths[path] = { kind, mode, uid, gid, digest: kind === 'file' && content !== '' ? digest(content) : content, mtimeMs };
    const reachable: Record<string, boolean> = {};
    await Promise.all(
      addresses.map(async (address) => {
        const at = address.lastIndexOf(':');
        reachable[address] = await view.canConnect(address.slice(0, at), Number(address.slice(at + 1)));
      }),
    );
    return {
      component: spec.name,
      bootId,
      atMs: clock.nowMs(),
      // Of the others nothing that one component can fail of; its own files are among the paths.
      fingerprint: { ...fingerprint, files: {}, env: { [spec.name]: fingerprint.env[spec.name] ?? {} } },
      paths,
      envKeys: await this.envKeys(spec, Object.keys(paths)),
      reachable,
    };
  }

  /** What the commits between two touched, absolute; null when that cannot be told. */
  touched(from: string, to: string): Promise<readonly string[] | null> {
    return filesTouched(this.repository(), from, to, this.sources.spawner, PART_MS);
  }

  /** The config may lie elsewhere than the code it is for. */
  private repository(): string {
    const { projectDir } = this.sources;
    return [projectDir, ...this.directories()].find((dir) => gitRoot(dir) !== null) ?? projectDir;
  }

  private processes(): readonly ComponentSpec[] {
    return this.sources.components.filter((c) => c.kind === 'process');
  }

  private directories(): readonly string[] {
    return [...new Set(this.processes().flatMap((c) => [c.cwd, ...c.roots]))];
  }

  private async inTime(name: string, look: () => Promise<Values | null>): Promise<Values | null> {
    const { clock, logger } = this.sources;
    const late = new AbortController();
    try {
      return await Promise.race([look(), clock.sleep(PART_MS, late.signal).then(() => null)]);
    } catch (error) {
      logger.info('a part of the fingerprint could not be looked at', { part: name, error: messageOf(error) });
      return null;
    } finally {
      late.abort();
    }
  }

  private packages(launches: ReadonlyMap<string, Launch>): Values {
    const found: Record<string, string> = {};
    const dirs = new Map(this.processes().map((spec) => [spec.cwd, spec.name]));
    for (const [dir, name] of dirs) {
      const isOnly = dirs.size === 1;
      for (const [subject, version] of Object.entries(installedPackages(dir, launches.get(name)?.env ?? {})))
        found[isOnly ? subject : subject.replace(' ', ` ${name}/`)] = version;
    }
    return found;
  }

  private async git(): Promise<Values | null> {
    const { files, spawner, digest } = this.sources;
    const state = await gitState(this.repository(), files, spawner, PART_MS);
    if (state === null) return null;
    const found: Record<string, string> = { commit: state.commit, branch: state.branch };
    for (const path of state.changed) {
      const stat = await files.stat(path);
      const content = stat?.kind === 'file' && stat.sizeBytes <= DIRTY_BYTES_MAX ? await files.read(path).catch(() => null) : null;
      found[`changed ${path}`] = content === null ? String(stat?.sizeBytes ?? 'gone') : digest(sha256Hex(content));
    }
    return found;
  }

  private async runtimes(launches: ReadonlyMap<string, Launch>): Promise<Values> {
    const found: Record<string, string> = {};
    const asked = this.processes().map(async (spec) => {
      const launch = launches.get(spec.name);
      if (launch !== undefined)
        Object.assign(found, await runtimeVersions(launch.argv, spec.cwd, launch.env, this.sources.spawner, PART_MS));
    });
    await Promise.all(asked);
    return found;
  }

  private limits(launches: ReadonlyMap<string, Launch>): Values {
    const found: Record<string, string> = { ...processLimits('self'), 'memory of the machine': `${Math.round(totalmem() / MIB)} MiB` };
    if (freemem() < totalmem() * NEARLY_FULL_RATIO) found['memory left'] = 'hardly any';
    for (const [name, launch] of launches) {
      if (launch.openFiles !== null) found[`${name}: open files`] = String(launch.openFiles);
      if (launch.heapMb !== null) found[`${name}: heap MiB`] = String(launch.heapMb);
    }
    return found;
  }

  private async schema(): Promise<Values | null> {
    const found: Record<string, string> = {};
    let isKnown = false;
    for (const spec of this.processes()) {
      const outline = await this.sources.schemaOutline(spec.name);
      isKnown ||= outline !== null;
      for (const [subject, value] of Object.entries(outline ?? {})) found[`${spec.name}: ${subject}`] = value;
    }
    return isKnown ? found : null;
  }

  private async ports(): Promise<Values> {
    const found: Record<string, string> = {};
    for (const spec of this.processes()) {
      if (spec.port === null) continue;
      const holder = await this.sources.view.portHolder(spec.port, spec.name);
      const who = holder === null || holder.relation === 'managed' ? 'nobody else' : `${holder.command} of ${holder.user}`;
      found[`${spec.name}: ${spec.port}`] = this.sources.redactor.redact(who);
    }
    return found;
  }

  private async disks(): Promise<Values> {
    const found: Record<string, string> = {};
    for (const { point } of mountsAround(this.directories())) {
      const room = await this.sources.files.diskRoom(point);
      if (room === null) continue;
      const isFull = room.freeBytes < FULL_BYTES || room.freeInodes === 0;
      const isNearlyFull = room.freeBytes < room.totalBytes * NEARLY_FULL_RATIO;
      const state = isFull ? 'full' : isNearlyFull ? 'nearly full' : 'room';
      found[point] =
        `${state}: ${Math.floor(room.freeBytes / MIB)} MiB and ${room.freeInodes < 0 ? 'any number of' : room.freeInodes} inodes free`;
    }
    return found;
  }

  /** Of the component's files, and of those elsewhere that its command or its variables name. */
  private async certificates(maps: ReadonlyMap<string, readonly StoredEntry[]>, launches: ReadonlyMap<string, Launch>): Promise<Values> {
    const { files } = this.sources;
    const paths = new Set<string>();
    for (const entries of maps.values())
      for (const e of entries)
        if (e.kind !== 'directory' && e.sizeBytes <= CERTIFICATE_BYTES_MAX && isNamedLikeACertificate(e.path)) paths.add(e.path);
    for (const { argv, env } of launches.values())
      for (const word of [...argv, ...Object.values(env)]) {
        const path = word.slice(word.indexOf('=') + 1);
        if (path.startsWith('/') && path.length < 512 && isNamedLikeACertificate(path)) paths.add(path);
      }
    const found: Record<string, string> = {};
    for (const path of paths) {
      const content = await files.read(path, CERTIFICATE_BYTES_MAX + 1).catch(() => null);
      const described = content === null ? null : describeCertificate(content);
      if (described !== null) found[path] = described;
    }
    return found;
  }

  /** Keyed digests of the values in the env files of a component, and in those that lie beside them. */
  private async envKeys(spec: ComponentSpec, paths: readonly string[]): Promise<Readonly<Record<string, Values>>> {
    const { files, digest } = this.sources;
    const found: Record<string, Values> = {};
    const named = paths.filter((path) => path.startsWith(join(spec.cwd, '.env')) && !/\.(?:example|sample|template|dist)$/.test(path));
    for (const file of new Set([...spec.envFiles, ...named])) {
      const text = await files.readText(file, DIRTY_BYTES_MAX).catch(() => null);
      if (text === null) continue;
      found[file] = Object.fromEntries(Object.entries(parseEnv(text)).map(([key, value]) => [key, digest(value ?? '')]));
    }
    return found;
  }
}

/** Names of branches, packages and certificates are whatever somebody chose to call them; they are shown on terminals. */
function harmless(values: Values): Values {
  const plain = (text: string): string => cleanLines(text).join(' ');
  return Object.fromEntries(Object.entries(values).map(([subject, value]) => [plain(subject), plain(value)]));
}
