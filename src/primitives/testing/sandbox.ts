import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { anchoredFiles } from '../../adapters/node/anchored-files.ts';
import { sealing } from '../../adapters/node/copy-vault.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { readModules } from '../../adapters/import-graph/read-modules.ts';
import { gitWorkTrees } from '../../adapters/node/git-work-trees.ts';
import { codeOf, sha256Hex, type Clock, type CommandResult, type Files, type Json, type JsonObject } from '../../kernel/index.ts';
import {
  PrimitiveMisuse,
  type ComponentOverrides,
  type DatabaseRepair,
  type HostView,
  type LastGoodEntry,
  type PackageState,
  type PortHolder,
  type Primitive,
  type PrimitiveContext,
  type PrimitivePlan,
  type ProcessView,
  type RecentFailure,
  type SchemaDrift,
  type WorkTrees,
} from '../../domains/playbooks/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { primitives } from '../index.ts';

/** A real directory with a component in it, a simulated clock, and a host that says what a test tells it to. */
export class Sandbox {
  readonly dir = mkdtempSync(join(tmpdir(), 'grace-primitives-'));
  readonly root = join(this.dir, 'app');
  readonly outside = join(this.dir, 'outside');
  readonly backupDir = join(this.dir, 'backup');
  component: ComponentSpec;
  files: Files = nodeFiles;
  nowMs = Date.UTC(2026, 10, 22, 13, 0, 38);
  slept = 0;
  environment: Record<string, string> = { PATH: process.env['PATH'] ?? '' };
  overrides: ComponentOverrides = { openFiles: null, heapMb: null, env: {}, skip: false };
  readonly entries = new Map<string, LastGoodEntry>();
  readonly contents = new Map<string, Uint8Array>();
  readonly processTable = new Map<number, ProcessView>([
    [1, { pid: 1, startTicks: 1, command: 'init', argv: ['init'], cwd: '/', state: 'S', user: 'root', parentPid: 0 }],
  ]);
  holder: PortHolder | null = null;
  /** Who holds which port; one that is not in here is held by `holder`. */
  readonly holders = new Map<number, PortHolder | null>();
  /** Who counts on which port. */
  readonly portNames = new Map<number, readonly string[]>();
  reachable = false;
  socketAnswers: boolean | null = null;
  packages: PackageState = { manager: 'npm', directory: '', lockFile: null, missing: [], damaged: [] };
  drift: SchemaDrift | null = null;
  /** Looks at a real database, in the place of `drift`. */
  driftNow: (() => Promise<SchemaDrift | null>) | null = null;
  /** What happens in the world while something waits. */
  whileWaiting: (() => void) | null = null;
  databases: DatabaseRepair | null = null;
  workTrees: WorkTrees = gitWorkTrees(
    { run: (argv, { cwd, env, timeoutMs }) => run([...argv], cwd, { ...env }, timeoutMs) },
    (text) => text,
  );
  mounts: readonly string[] = ['/'];
  allowedCommands: readonly (readonly string[])[] = [];
  readonly redactor = new Redactor();
  /** What was captured of the component, and when. */
  failures: readonly (RecentFailure & { readonly atMs: number })[] = [];
  readonly asked: string[] = [];
  /** `entry`: confine answers for the name alone, as far as the contract can be read that way, and not for a root itself. */
  confines: 'target' | 'entry' = 'target';
  readonly ran: (readonly string[])[] = [];
  private readonly key = randomBytes(32);
  runAs: ((argv: readonly string[], cwd: string) => Promise<CommandResult>) | null = null;

  /** What the last primitive that acted said of it. */
  said = '';

  constructor() {
    this.component = {
      name: 'web',
      kind: 'process',
      command: ['node', 'server.js'],
      cwd: this.root,
      env: {},
      envFiles: [],
      loadEnvFiles: true,
      needsEnvFiles: true,
      requiredEnv: [],
      dependsOn: [],
      critical: false,
      optional: false,
      port: null,
      host: '127.0.0.1',
      startup: null,
      startupTimeoutMs: 1000,
      readiness: null,
      liveness: null,
      soakMs: 0,
      restart: { policy: 'always', intensity: 3, periodMs: 1000, backoffMs: 1, backoffMsMax: 1 },
      stop: { signal: 'SIGTERM', graceMs: 1000 },
      limits: { openFiles: null, heapMb: null },
      logFile: join(this.dir, 'web.log'),
      roots: [this.root],
      expendable: [],
      migrate: [],
      database: null,
    };
  }

  async make(): Promise<this> {
    for (const dir of [this.root, this.outside]) await fs.mkdir(dir);
    return this;
  }

  async remove(): Promise<void> {
    await fs.rm(this.dir, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.root, name);
  }

  async write(name: string, content: string | Uint8Array, mode = 0o644, uid = 0, mtimeMs?: number): Promise<string> {
    const path = this.path(name);
    await fs.mkdir(dirname(path), { recursive: true });
    await fs.writeFile(path, content);
    await fs.chmod(path, mode);
    await fs.chown(path, uid, uid);
    if (mtimeMs !== undefined) await fs.utimes(path, mtimeMs / 1000, mtimeMs / 1000);
    return path;
  }

  async read(name: string): Promise<string> {
    return fs.readFile(this.path(name), 'utf8');
  }

  /** Remembers what is at a path now as of the last good boot. */
  async remember(name: string, bootId = 'boot_20261101_000000'): Promise<void> {
    const path = this.path(name);
    const s = await nodeFiles.stat(path);
    if (s === null) throw new Error(`nothing at ${path}`);
    const content = s.kind === 'file' ? await fs.readFile(path) : null;
    const digest = content !== null ? sha256Hex(content) : s.kind === 'symlink' ? await fs.readlink(path) : '';
    if (content !== null) this.contents.set(digest, content);
    const kind = s.kind === 'directory' || s.kind === 'symlink' ? s.kind : 'file';
    this.entries.set(path, {
      path,
      kind,
      mode: s.mode,
      uid: s.uid,
      gid: s.gid,
      sizeBytes: s.sizeBytes,
      digest,
      hasContent: content !== null,
      bootId,
    });
  }

  readonly redact = (text: string): string => this.redactor.redact(text);

  get clock(): Clock {
    return {
      nowMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      sleep: async (ms) => {
        this.slept += ms;
        this.nowMs += ms;
        this.whileWaiting?.();
      },
    };
  }

  get host(): HostView {
    return {
      portHolder: async (port) => (this.holders.has(port) ? (this.holders.get(port) ?? null) : this.holder),
      process: async (pid) => this.processTable.get(pid) ?? null,
      canConnect: async () => this.reachable,
      socketAnswers: async () => this.socketAnswers,
      memoryTotalBytes: async () => 4096 * 1024 * 1024,
      openFilesHardLimit: async () => 4096,
      mountsBelow: async () => this.mounts,
      findCommand: async (name, path) => {
        if (name.includes('/')) return (await fs.stat(name).catch(() => null)) === null ? null : name;
        for (const dir of path.split(':')) if (await fs.stat(join(dir, name)).catch(() => null)) return join(dir, name);
        return null;
      },
      packages: async (cwd) => ({ ...this.packages, directory: cwd }),
      schemaDrift: async () => (this.driftNow === null ? this.drift : this.driftNow()),
      userName: async (uid) => String(uid),
    };
  }

  context(files: Files = this.files): PrimitiveContext {
    return {
      component: this.component,
      clock: this.clock,
      files: anchoredFiles(files, (real) => this.neverOutside(real)),
      host: this.host,
      logger: { debug() {}, info() {}, warn: (message) => this.asked.push(`warn ${message}`), error() {} },
      signal: new AbortController().signal,
      digest: sha256Hex,
      sealing: sealing(this.key),
      overrides: {
        get: async () => this.overrides,
        set: async (_component, change) => {
          this.overrides = { ...this.overrides, ...(change as Partial<ComponentOverrides>) };
        },
      },
      lastGood: {
        entries: async () => [...this.entries.values()],
        entry: async (_component, path) => this.entries.get(path) ?? null,
        content: async (entry) => this.contents.get(entry.digest) ?? null,
      },
      processes: {
        endStale: async (component, pid, startTicks) => {
          this.asked.push(`end ${component} ${pid} ${startTicks}`);
          this.holder = null;
          return true;
        },
        resume: async (component) => this.asked.push(`resume ${component}`) > 0,
        restart: async (component, reason) => void this.asked.push(`restart ${component} ${reason}`),
        startDependency: async (name) => ({ started: name === 'postgres', output: `${name} said something` }),
      },
      backupDir: this.backupDir,
      databases: this.databases,
      workTrees: this.workTrees,
      readModules,
      recentFailures: async (sinceMs) => this.failures.filter((one) => one.atMs >= sinceMs),
      env: async () => this.environment,
      portNamedBy: async (port) => this.portNames.get(port) ?? [],
      run: async (argv, options) => {
        this.ran.push(argv);
        const cwd = options.cwd ?? this.component.cwd;
        const result = await (this.runAs
          ? this.runAs(argv, cwd)
          : run(argv, cwd, { ...this.environment, ...options.env }, options.timeoutMs, options.input));
        return { ...result, stdout: this.redact(result.stdout), stderr: this.redact(result.stderr) };
      },
      allowedCommands: this.allowedCommands,
      redact: this.redact,
      progress() {},
      confine: (path) => (this.confines === 'target' ? confine(this.component, path) : confineName(this.component, path)),
    };
  }

  private async neverOutside(real: string): Promise<void> {
    if (`${real}/`.startsWith(`${this.outside}/`)) throw new PrimitiveMisuse('confine', `${real} lies outside the roots`);
  }

  async plan(name: string, params: JsonObject): Promise<PrimitivePlan> {
    const primitive = named(name);
    return primitive.plan(primitive.parse(params), this.context());
  }

  /** Why it was refused; throws when it was not. */
  async refusal(name: string, params: JsonObject): Promise<string> {
    const plan = await this.plan(name, params);
    if (plan.state !== 'refused') throw new Error(`${name} was not refused: ${JSON.stringify(plan)}`);
    return plan.reason;
  }

  async apply(name: string, params: JsonObject, files?: Files): Promise<Json> {
    const plan = await this.plan(name, params);
    if (plan.state !== 'ready') throw new Error(`${name} is not ready: ${JSON.stringify(plan)}`);
    const primitive = named(name);
    this.said = (await primitive.apply(primitive.parse(params), this.context(files), plan.undo)).summary;
    return JSON.parse(JSON.stringify(plan.undo)) as Json;
  }

  /** @returns what stays, in words */
  async undo(name: string, record: Json): Promise<readonly string[]> {
    return (await named(name).undo?.(record, this.context())) ?? [];
  }

  /** Everything below the root: bytes, owner, mode. */
  async state(): Promise<Readonly<Record<string, string>>> {
    return stateBelow(this.root, false);
  }

  /**
   * All that a primitive could touch: every file, also outside the root and in Grace's own directory, with its time and its
   * number, so that the same bytes written again are seen; what was learned for the component; what was asked of processes.
   */
  async everything(): Promise<Json> {
    return { files: await stateBelow(this.dir, true), overrides: { ...this.overrides }, asked: [...this.asked] };
  }

  /**
   * Lets Grace die before each of the changes an apply makes, one after the other, undoes what was begun, twice, and
   * reports the first cut after which the root is not exactly as before.
   * @param mayStay  what an undo may say that it leaves, after which nothing is compared
   * @returns how many cuts there were
   */
  async undoneAfterEveryCut(
    name: string,
    params: JsonObject,
    before: Json,
    look: () => Promise<Json> = () => this.state(),
    mayStay: RegExp | null = null,
  ): Promise<{ readonly cuts: number; readonly wrong: string | null }> {
    let start = before;
    for (let cut = 0; ; cut++) {
      const plan = await this.plan(name, params);
      if (plan.state !== 'ready') return { cuts: cut, wrong: `not ready after cut ${cut}: ${JSON.stringify(plan)}` };
      const primitive = named(name);
      let finished = true;
      try {
        await primitive.apply(primitive.parse(params), dyingContext(this.context(), cut), plan.undo);
      } catch (error) {
        if (codeOf(error) !== 'DIED') throw error;
        finished = false;
      }
      for (const attempt of [1, 2]) {
        const kept = (await primitive.undo?.(plan.undo, this.context())) ?? [];
        if (mayStay !== null && kept.length > 0 && kept.every((text) => mayStay.test(text))) {
          start = await look();
          continue;
        }
        if (kept.length > 0) return { cuts: cut, wrong: `cut ${cut}, undo ${attempt}: ${kept.join('; ')}` };
        const after = await look();
        if (JSON.stringify(after) !== JSON.stringify(start))
          return { cuts: cut, wrong: `cut ${cut}, undo ${attempt}: ${JSON.stringify(after, null, 1)}` };
      }
      if (finished) return { cuts: cut, wrong: null };
      this.nowMs += 1000;
    }
  }
}

async function stateBelow(top: string, isExact: boolean): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  const look = async (path: string): Promise<void> => {
    const s = await fs.lstat(path);
    const what = s.isSymbolicLink() ? await fs.readlink(path) : s.isFile() ? (await fs.readFile(path)).toString('latin1') : '';
    const exact = isExact ? ` ${s.ino} ${s.mtimeMs}` : '';
    found[path.slice(top.length)] = `${(s.mode & 0o7777).toString(8)} ${s.uid}:${s.gid}${exact} ${what}`;
    if (s.isDirectory()) for (const name of (await fs.readdir(path)).toSorted()) await look(join(path, name));
  };
  await look(top);
  return found;
}

function named(name: string): Primitive {
  const primitive = primitives.get(name);
  if (!primitive) throw new Error(`no primitive ${name}`);
  return primitive;
}

const CHANGING = new Set<string>(['writeAtomic', 'symlink', 'makeDir', 'rename', 'copy', 'remove', 'removeTree', 'chmod', 'chown']);

const CHANGING_DATABASE = new Set<string>([
  'recordMigrations',
  'unrecordMigrations',
  'restoreTables',
  'restoreColumns',
  'dropEmptyColumns',
  'dropEmptyTables',
]);

/** The same for all that a primitive can change: files, overrides and databases share one count. */
function dyingContext(context: PrimitiveContext, changes: number): PrimitiveContext {
  let left = changes;
  const dying = <T extends object>(port: T, changing: ReadonlySet<string>): T =>
    new Proxy(port, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (left < 0 || (changing.has(String(key)) && left-- === 0)) {
            left = -1;
            throw Object.assign(new Error('Grace died'), { code: 'DIED' });
          }
          return value.apply(target, args);
        };
      },
    });
  return {
    ...context,
    files: dying(context.files, CHANGING),
    overrides: dying(context.overrides, new Set(['set'])),
    databases: context.databases === null ? null : dying(context.databases, CHANGING_DATABASE),
  };
}

/** Files that stop working for good before the (n + 1)th change, as if the process had been killed there. */
export function dyingAfter(changes: number, files: Files): Files {
  let left = changes;
  return new Proxy(files, {
    get(target, key, receiver) {
      const value: unknown = Reflect.get(target, key, receiver);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (left < 0 || (CHANGING.has(String(key)) && left-- === 0)) {
          left = -1;
          throw Object.assign(new Error('Grace died'), { code: 'DIED' });
        }
        return value.apply(target, args);
      };
    },
  });
}

async function confine(component: ComponentSpec, path: string): Promise<string> {
  const absolute = resolve(component.cwd, path);
  const real = await realTarget(absolute, 0);
  for (const root of component.roots) {
    const realRoot = await realTarget(root, 0);
    if ((absolute === root || absolute.startsWith(`${root}/`)) && (real === realRoot || real.startsWith(`${realRoot}/`))) return absolute;
  }
  throw new PrimitiveMisuse('confine', `${path} lies outside the roots of ${component.name}`);
}

async function confineName(component: ComponentSpec, path: string): Promise<string> {
  const absolute = resolve(component.cwd, path);
  const real = await realTarget(dirname(absolute), 0);
  for (const root of component.roots) {
    const realRoot = await realTarget(root, 0);
    if ((absolute.startsWith(`${root}/`) || absolute.startsWith(`${realRoot}/`)) && `${real}/`.startsWith(`${realRoot}/`)) return absolute;
  }
  throw new PrimitiveMisuse('confine', `${path} lies outside the roots of ${component.name}`);
}

/** The real path, also of what does not exist yet. */
async function realTarget(path: string, depth: number): Promise<string> {
  if (depth > 40) throw new PrimitiveMisuse('confine', `too many links at ${path}`);
  const real = await nodeFiles.realpath(path);
  if (real !== null) return real;
  const link = await nodeFiles.readLink(path).catch(() => null);
  if (link !== null) return realTarget(resolve(dirname(path), link), depth + 1);
  return path === '/' ? '/' : join(await realTarget(dirname(path), depth + 1), basename(path));
}

function run(argv: readonly string[], cwd: string, env: Record<string, string>, timeoutMs: number, input = ''): Promise<CommandResult> {
  return new Promise((done) => {
    const child = execFile(argv[0] ?? '', argv.slice(1), { cwd, env, timeout: timeoutMs, maxBuffer: 1e7 }, (error, stdout, stderr) => {
      const code = (error as { code?: unknown } | null)?.code;
      done({
        exitCode: error === null ? 0 : typeof code === 'number' ? code : null,
        signal: error?.signal ?? null,
        stdout,
        stderr,
        timedOut: error?.killed ?? false,
        spawnErrorCode: typeof code === 'string' ? code : null,
      });
    });
    child.stdin?.on('error', () => undefined); // it may end without reading
    child.stdin?.end(input);
  });
}
