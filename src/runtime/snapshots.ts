import { hkdfSync } from 'node:crypto';
import { glob } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { databaseCopies } from '../adapters/databases/index.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { vaultKey } from '../adapters/node/copy-vault.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeIds } from '../adapters/node/ids.ts';
import { AlreadyRunning, lockInstance } from '../adapters/node/instance-lock.ts';
import { objectStore } from '../adapters/node/object-store.ts';
import { placement } from '../adapters/node/place-file.ts';
import { processHost } from '../adapters/node/process-host.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { overrideStore, type OpenedStore } from '../adapters/store/index.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { namedBy } from '../domains/learning/index.ts';
import type { PlaybookStore } from '../domains/playbooks/index.ts';
import { SnapshotKeeper, SnapshotsBusy, SnapshotTimeout, type Snapshots } from '../domains/snapshots/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { sha256Hex, type Spawner } from '../kernel/index.ts';
import type { GraceConfig } from './config/index.ts';
import { confine } from './primitive-context.ts';
import { repositories } from './repositories.ts';
import { databaseOf } from './service-databases.ts';
import { buildLaunch, callerEnvironment } from './service-environment.ts';

export interface SnapshotParts {
  readonly config: Pick<GraceConfig, 'dataDir' | 'playbooksDir' | 'components' | 'healing'>;
  readonly spawner: Spawner;
  readonly redactor: Redactor;
  readonly playbooks: Pick<PlaybookStore, 'runsIn'>;
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
  isRunning(component: string): boolean;
}

/** Of one snapshot or restore: a service waits for it. */
const TIME_MS_MAX = 15 * 60_000;
/** For another Grace that is at work with the same snapshots. */
const LOCK_WAIT_MS = 30_000;
const LOCK_RETRY_MS = 100;
/** Larger files are data; who wants them in says so with `healing.snapshots.files`. */
const NAMED_BYTES_MAX = 512 * 1024;
/** Of all globs together. */
const GLOB_MATCHES_MAX = 2_000;

/** Snapshots of this service's components. Loaded when something is about to be changed, and not before. */
export async function openSnapshots(parts: SnapshotParts): Promise<Snapshots> {
  const { config, redactor } = parts;
  const specs = new Map(config.components.map((c) => [c.name, c]));
  const dir = join(config.dataDir, 'storage', 'snapshots');
  const key = await vaultKey(join(config.dataDir, 'storage'), nodeFiles);
  const keeper = new SnapshotKeeper({
    clock: nodeClock,
    ids: nodeIds,
    files: nodeFiles,
    objects: objectStore(join(dir, 'objects'), key),
    placement,
    databases: databaseCopies({
      spawner: parts.spawner,
      key: Buffer.from(hkdfSync('sha256', key, '', 'grace snapshots rows', 32)),
      timeoutMs: TIME_MS_MAX,
      component: (name) => specs.get(name) ?? null,
      locationOf: async (spec) => (spec.kind === 'process' ? databaseOf(spec, await parts.environmentOf(spec)) : null),
      environmentOf: parts.environmentOf,
    }),
    limits: config.healing.snapshots,
    dir,
    ownDirs: [config.dataDir, config.playbooksDir],
    component: (name) => specs.get(name) ?? null,
    isRunning: parts.isRunning,
    confine: (path, spec) => confine(path, spec, nodeFiles),
    declaredFiles: (spec) => declaredFiles(spec, config.healing.snapshots.files),
    async unfinishedRuns() {
      const runs = await parts.playbooks.runsIn('running', 'applied', 'inconclusive', 'undoing', 'interrupted');
      // What was cut off is finished once it has an end: then its steps are undone.
      return new Set(runs.filter((run) => run.state !== 'interrupted' || run.endedAtMs === null).map((run) => run.id));
    },
    exclusively: oneAtATime(dir),
    redact: (value) => redactor.redactDeep(value),
  });
  return {
    take: (spec, request, signal) => withinTime('a snapshot', signal, (until) => keeper.take(spec, request, until)),
    list: () => keeper.list(),
    get: (id) => keeper.get(id),
    compare: (id, signal, only) => withinTime('comparing', signal, (until) => keeper.compare(id, until, only)),
    restore: (id, signal, options) => withinTime('a restore', signal, (until) => keeper.restore(id, until, options)),
    prune: () => keeper.prune(),
  };
}

/** For a command beside a Grace that may be running: what a component is started with comes from configuration and store. */
export async function snapshotsBeside(
  config: GraceConfig,
  environment: Readonly<Record<string, string | undefined>>,
  store: OpenedStore,
): Promise<Snapshots> {
  const caller = callerEnvironment(environment);
  const overrides = overrideStore(store.db);
  const redactor = new Redactor();
  redactor.learnEnvironment(caller);
  const host = processHost(sha256Hex(config.dataDir).slice(0, 12), nodeClock);
  return openSnapshots({
    config,
    spawner: nodeSpawner,
    redactor,
    playbooks: repositories(store).playbooks,
    async environmentOf(spec) {
      const { env } = await buildLaunch(spec, caller, await overrides.get(spec.name), nodeFiles);
      redactor.learnEnvironment(env);
      return env;
    },
    isRunning: (component) => host.members(component).length > 0,
  });
}

/** Env files, the small files that the command and its configuration name, and what the configuration of Grace adds. */
async function declaredFiles(spec: ComponentSpec, globs: readonly string[]): Promise<readonly string[]> {
  const found = new Set(spec.envFiles);
  for (const path of await namedBy(spec, nodeFiles)) {
    if (!spec.roots.some((root) => path.startsWith(`${root}/`))) continue;
    const stat = await nodeFiles.stat(path);
    if (stat?.kind === 'symlink' || (stat?.kind === 'file' && stat.sizeBytes <= NAMED_BYTES_MAX)) found.add(path);
  }
  let matches = 0;
  for (const root of globs.length === 0 ? [] : spec.roots)
    for await (const match of glob(globs, { cwd: root })) {
      matches += 1;
      if (matches > GLOB_MATCHES_MAX) return [...found];
      if (relative(root, join(root, match)) !== '') found.add(join(root, match));
    }
  return [...found];
}

/** In this process one after the other; between processes by a lock that tells a killed holder from a living one. */
function oneAtATime(dir: string): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      await nodeFiles.makeDir(dir, { mode: 0o700 });
      const release = await lock(dir);
      try {
        return await work();
      } finally {
        release();
      }
    });
    last = turn.catch(() => undefined); // told to whoever asked for it
    return turn;
  };
}

async function lock(dir: string): Promise<() => void> {
  const deadlineMs = nodeClock.monotonicMs() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return lockInstance(dir);
    } catch (error) {
      if (!(error instanceof AlreadyRunning)) throw error;
      if (nodeClock.monotonicMs() >= deadlineMs) throw new SnapshotsBusy(dir, Number(error.details['pid']));
    }
    await nodeClock.sleep(LOCK_RETRY_MS);
  }
}

async function withinTime<T>(what: string, signal: AbortSignal, work: (until: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new SnapshotTimeout(what, TIME_MS_MAX)), TIME_MS_MAX);
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } finally {
    clearTimeout(timer);
  }
}
