import { dirname, resolve } from 'node:path';
import {
  bootId,
  sha256Hex,
  signatureOf,
  type DiskRoom,
  type Files,
  type FileStat,
  type JsonObject,
  type Logger,
} from '../../kernel/index.ts';
import type { Fact, FactKind, Failure } from '../../domains/incidents/index.ts';
import {
  diagnose,
  type CaseFile,
  type Diagnosis,
  type Drift,
  type FailureFamily,
  type GuardCase,
  type Verdict,
} from '../../domains/learning/index.ts';
import type { HostView, LastGoodEntry, PackageState, PortHolder, ProcessView, SchemaDrift } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { families } from './index.ts';

const APP = '/srv/app';
const UID = 1000;

/** One thing on the imagined disk: text, a link, or a directory; owner and mode as usual unless given. */
interface Thing {
  readonly text?: string;
  readonly link?: string;
  readonly directory?: true;
  readonly uid?: number;
  readonly mode?: number;
}

/** What a test says about the world; everything else is healthy. Paths are relative to the component's directory. */
export interface World {
  readonly symptom?: Failure['symptom'];
  readonly stage?: string;
  readonly message?: string;
  readonly afterMs?: number;
  readonly pid?: number;
  /** Ports it was seen to listen on. */
  readonly listens?: readonly number[];
  readonly signal?: string;
  readonly output?: readonly string[];
  readonly facts?: readonly Fact[];
  readonly frames?: Failure['frames'];
  readonly component?: Partial<ComponentSpec>;
  readonly components?: readonly ComponentSpec[];
  readonly env?: Readonly<Record<string, string>>;
  readonly overrides?: Partial<CaseFile['overrides']>;
  readonly drift?: readonly Drift[];
  readonly attempts?: readonly string[];
  readonly release?: CaseFile['release'];
  readonly runsAs?: { readonly uid: number; readonly gid: number };
  readonly disk?: Readonly<Record<string, string | Thing>>;
  readonly lastGood?: Readonly<Record<string, string | Thing>>;
  /** Last good files whose content was too large to keep. */
  readonly large?: readonly string[];
  readonly holders?: Readonly<Record<number, Partial<PortHolder>>>;
  readonly processes?: Readonly<Record<number, Partial<ProcessView>>>;
  /** `host:port` that answer. */
  readonly reachable?: readonly string[];
  /** Socket files, absolute, and whether somebody listens there. */
  readonly sockets?: Readonly<Record<string, boolean>>;
  readonly commands?: Readonly<Record<string, string>>;
  readonly packages?: Partial<PackageState>;
  readonly schema?: Partial<SchemaDrift>;
  readonly rooms?: Readonly<Record<string, DiskRoom>>;
}

export function component(change: Partial<ComponentSpec> = {}): ComponentSpec {
  return {
    name: 'api', kind: 'process', command: ['node', 'server.js'], cwd: APP, env: {}, envFiles: [], loadEnvFiles: true, needsEnvFiles: true, requiredEnv: [], dependsOn: [], critical: true, optional: false,
    port: null, host: '127.0.0.1', startup: null, startupTimeoutMs: 60_000, readiness: null, liveness: null, soakMs: 500,
    restart: { policy: 'always', intensity: 5, periodMs: 60_000, backoffMs: 100, backoffMsMax: 5000 }, stop: { signal: 'SIGTERM', graceMs: 5000 },
    limits: { openFiles: null, heapMb: null }, logFile: '/var/log/grace/api.log', roots: [APP], expendable: [], migrate: [], database: null, ...change,
  }; // prettier-ignore
}

export function dependency(change: Partial<ComponentSpec> = {}): ComponentSpec {
  return component({ name: 'db', kind: 'dependency', command: [], port: 5432, ...change });
}

export function fact(kind: FactKind, subject = '', more: Partial<Fact> = {}): Fact {
  return { kind, runtime: 'node', code: '', subject, details: {}, line: `${kind} ${subject}`, lineIndex: 0, ...more };
}

export function drift(kind: Drift['kind'], subject: string, more: Partial<Drift> = {}): Drift {
  const isPath = ['missing', 'changed', 'new', 'owner', 'mode'].includes(kind);
  return {
    kind,
    subject: isPath ? resolve(APP, subject) : subject,
    message: `${subject} ${kind}`,
    isBroken: false,
    canRestore: isPath,
    suspicion: 1,
    ...more,
  };
}

function caseFile(world: World = {}): CaseFile {
  const spec = component(world.component);
  const output = world.output ?? (world.facts ?? []).map((f) => f.line);
  return {
    failure: {
      id: 'f1', bootId: bootId('boot_20260101_000000'), atMs: 0, stage: world.stage ?? '6. Autonomy Load', component: spec.name, symptom: world.symptom ?? 'exit',
      message: world.message ?? '', exitCode: world.signal === undefined ? 1 : null, signal: world.signal ?? null, output, headline: output[0] ?? '', subject: '', facts: world.facts ?? [], frames: world.frames ?? [],
      family: '', signature: signatureOf('0'.repeat(16)), signatureParts: [], afterMs: world.afterMs ?? 100, context: { ...(world.pid === undefined ? {} : { pid: world.pid }), ...(world.listens === undefined ? {} : { listens: world.listens }) },
    }, // prettier-ignore
    component: spec,
    components: [spec, ...(world.components ?? [])],
    env: world.env ?? { PATH: '/usr/bin' },
    overrides: { openFiles: null, heapMb: null, env: {}, skip: false, ...world.overrides },
    drift: world.drift ?? [],
    host: hostOf(world),
    files: filesOf(world),
    lastGood: lastGoodOf(world),
    attempts: world.attempts ?? [],
    release: world.release ?? null,
    runsAs: world.runsAs ?? null,
  };
}

/** Diagnoses of one family. */
export function ask(family: FailureFamily, world: World): Promise<readonly Diagnosis[]> {
  return family.diagnose(caseFile(world));
}

function breaks(message: string, fields?: JsonObject): never {
  throw new Error(`${message}: ${JSON.stringify(fields)}`);
}

/** A family that breaks is only logged when Grace runs; here it fails the test. */
const LOUD: Logger = { debug: () => undefined, info: () => undefined, warn: breaks, error: breaks };

/** What would be done when all families are asked. */
export function choose(world: World): Promise<Verdict> {
  return diagnose(caseFile(world), families, LOUD);
}

/** `restore_file config.yaml`: the steps of a remedy in short, paths relative. */
export function stepsOf(diagnosis: Diagnosis | null | undefined): readonly string[] {
  return (diagnosis?.remedy?.steps ?? []).map((s) => `${s.primitive} ${JSON.stringify(s.params).replaceAll(`${APP}/`, '')}`);
}

function guardCase(world: World, diagnosis: Diagnosis): GuardCase {
  const { component: spec, components, env, drift: differences, host, files, lastGood } = caseFile(world);
  return {
    component: spec,
    components,
    env,
    steps: diagnosis.remedy?.steps ?? [],
    drift: differences,
    host,
    files,
    lastGood,
    playbook: diagnosis.remedy?.playbook ?? '',
    params: {},
  };
}

/** The steps that a remedy proposed, looked at in another world. */
export async function guardAfter(family: FailureFamily, sick: World, later: World): Promise<string | null> {
  const diagnosis = (await ask(family, sick)).find((d) => d.remedy !== null);
  if (diagnosis === undefined || family.guard === null) throw new TypeError('there is nothing to guard');
  return (await family.guard(guardCase(later, diagnosis)))?.message ?? null;
}

function hostOf(world: World): HostView {
  return {
    portHolder: async (port) => {
      const holder = world.holders?.[port];
      return holder === undefined
        ? null
        : {
            pid: 4711,
            startTicks: 1,
            command: 'node',
            argv: [],
            cwd: null,
            user: 'app',
            parentPid: 1,
            startedAtMs: 0,
            relation: 'foreign',
            ...holder,
          };
    },
    process: async (pid) => {
      const view = world.processes?.[pid];
      return view === undefined
        ? null
        : { pid, startTicks: 1, command: 'node', argv: [], cwd: null, state: 'S', user: 'app', parentPid: 1, ...view };
    },
    socketAnswers: async (path) => world.sockets?.[path] ?? null,
    canConnect: async (host, port) => (world.reachable ?? []).includes(`${host}:${port}`),
    memoryTotalBytes: async () => 8 * 1024 ** 3,
    openFilesHardLimit: async () => 65_536,
    mountsBelow: async () => ['/', ...Object.keys(world.rooms ?? {}).map((path) => resolve(APP, path))],
    findCommand: async (name) => world.commands?.[name] ?? null,
    packages: async (cwd) => ({ manager: 'none', directory: cwd, lockFile: null, missing: [], damaged: [], ...world.packages }),
    schemaDrift: async () =>
      world.schema === undefined
        ? null
        : { engine: 'postgres', missingTables: [], missingColumns: [], unrecordedMigrations: [], pendingMigrations: [], ...world.schema },
    userName: async (uid) => (uid === 0 ? 'root' : uid === UID ? 'app' : String(uid)),
  };
}

function thingsOf(things: Readonly<Record<string, string | Thing>>): Map<string, Thing> {
  const map = new Map<string, Thing>();
  for (const [path, thing] of Object.entries(things)) {
    const at = resolve(APP, path);
    map.set(at, typeof thing === 'string' ? { text: thing } : thing);
    for (let dir = dirname(at); !map.has(dir); dir = dirname(dir)) map.set(dir, { directory: true });
  }
  if (!map.has(APP)) map.set(APP, { directory: true });
  for (let dir = APP; ; dir = dirname(dir)) {
    map.set(dir, map.get(dir) ?? { directory: true });
    if (dir === '/') break;
  }
  return map;
}

function filesOf(world: World): Files {
  const things = thingsOf(world.disk ?? {});
  const never = async (): Promise<never> => {
    throw new TypeError('a family only looks');
  };
  const follow = (path: string): string | null => {
    const thing = things.get(path);
    if (thing === undefined) return null;
    return thing.link === undefined ? path : follow(resolve(dirname(path), thing.link));
  };
  const bytes = (path: string): Uint8Array | null => {
    const at = follow(path);
    const content = at === null ? undefined : things.get(at)?.text;
    return content === undefined ? null : new TextEncoder().encode(content);
  };
  return {
    stat: async (path): Promise<FileStat | null> => {
      const thing = things.get(path);
      if (thing === undefined) return null;
      const kind = thing.link !== undefined ? 'symlink' : thing.directory ? 'directory' : 'file';
      return { kind, sizeBytes: (thing.text ?? '').length, mtimeMs: 1, mode: thing.mode ?? (kind === 'directory' ? 0o755 : 0o644), uid: thing.uid ?? UID, gid: UID };
    },
    realpath: async (path) => follow(path),
    list: async (dir) => [...things.keys()].filter((path) => path !== dir && dirname(path) === dir).map((path) => path.slice(dir === '/' ? 1 : dir.length + 1)).toSorted(), // prettier-ignore
    read: async (path, limit) => bytes(path)?.subarray(0, limit) ?? null,
    readText: async (path, limit) => {
      const content = bytes(path);
      return content === null ? null : new TextDecoder().decode(content.subarray(0, limit));
    },
    readRange: async (path, offset, length) => bytes(path)?.subarray(offset, offset + length) ?? null,
    readLink: async (path) => things.get(path)?.link ?? null,
    diskRoom: async (path) => {
      const mount = Object.entries(world.rooms ?? {}).find(([at]) => path === resolve(APP, at) || path.startsWith(`${resolve(APP, at)}/`));
      return mount?.[1] ?? { freeBytes: 50 * 1024 ** 3, totalBytes: 100 * 1024 ** 3, freeInodes: 1_000_000 };
    },
    writeAtomic: never, symlink: never, makeDir: never, rename: never, copy: never, remove: never, removeTree: never, chmod: never, chown: never,
  }; // prettier-ignore
}

function lastGoodOf(world: World): CaseFile['lastGood'] {
  const things =
    world.lastGood === undefined
      ? new Map<string, Thing>()
      : thingsOf({ ...world.lastGood, ...Object.fromEntries((world.large ?? []).map((path) => [path, ''])) });
  const large = new Set((world.large ?? []).map((path) => resolve(APP, path)));
  const entries = [...things].map(([path, thing]): LastGoodEntry => {
    const kind = thing.link !== undefined ? 'symlink' : thing.directory ? 'directory' : 'file';
    const hasContent = kind === 'file' && !large.has(path);
    return {
      path,
      kind,
      mode: thing.mode ?? (kind === 'directory' ? 0o755 : 0o644),
      uid: thing.uid ?? UID,
      gid: UID,
      sizeBytes: (thing.text ?? '').length,
      digest: thing.link ?? (thing.text === undefined ? '' : sha256Hex(thing.text)),
      hasContent,
      bootId: 'boot_20260101_000000',
    };
  });
  return {
    entries: async () => entries.filter((e) => e.path.startsWith(`${APP}/`)),
    entry: async (_component, path) => entries.find((e) => e.path === path) ?? null,
    content: async (entry) => (entry.hasContent ? new TextEncoder().encode(things.get(entry.path)?.text ?? '') : null),
  };
}
