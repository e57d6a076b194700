import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../kernel/index.ts';
import type { ProbeContext, Prober, ProbeSpec, ProbeTarget } from '../health/index.ts';
import type { ComponentSpec, ProcessIdentity } from './component.ts';
import type {
  ExitInfo,
  LaunchRequest,
  LaunchResult,
  ProcessHandle,
  ProcessHost,
  ProcessPulse,
  ProcessRecord,
  ProcessVitals,
} from './ports.ts';

/** A component that is healthy in every respect a test does not mention. */
export function component(change: Partial<ComponentSpec> = {}): ComponentSpec {
  const cwd = change.cwd ?? '/srv/app';
  return {
    name: 'api',
    kind: 'process',
    command: ['node', 'server.js'],
    cwd,
    env: {},
    envFiles: [],
    loadEnvFiles: true,
    needsEnvFiles: true,
    requiredEnv: [],
    dependsOn: [],
    critical: true,
    optional: false,
    port: null,
    host: '127.0.0.1',
    startup: null,
    startupTimeoutMs: 60_000,
    readiness: null,
    liveness: null,
    soakMs: 500,
    restart: { policy: 'always', intensity: 5, periodMs: 60_000, backoffMs: 100, backoffMsMax: 5000 },
    stop: { signal: 'SIGTERM', graceMs: 5000 },
    limits: { openFiles: null, heapMb: null },
    logFile: join(tmpdir(), 'grace-no-such-dir', 'api.log'),
    roots: [cwd],
    expendable: [],
    migrate: [],
    database: null,
    ...change,
  };
}

export function httpProbe(change: Partial<ProbeSpec> = {}): ProbeSpec {
  return {
    target: { kind: 'http', url: 'http://127.0.0.1:3000/health', expectStatus: null, caFile: null },
    intervalMs: 1000,
    timeoutMs: 500,
    failureThreshold: 3,
    ...change,
  };
}

/** One turn of the event loop: everything that can go on without time passing has gone on. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Timer {
  readonly atMs: number;
  readonly wake: () => void;
}

/**
 * A clock that stands still until a test lets time pass. It only ever goes on to when somebody wakes up: real work
 * (files, the store) takes no time, however long it takes.
 */
export class SimulatedClock implements Clock {
  private elapsedMs = 0;
  private sleepers: Timer[] = [];
  private events: Timer[] = [];

  nowMs(): number {
    return Date.UTC(2026, 0, 1) + this.elapsedMs;
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const timer = {
        atMs: this.elapsedMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = (): void => {
        this.sleepers = this.sleepers.filter((t) => t !== timer);
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.sleepers.push(timer);
    });
  }

  /** Something that happens by itself at a moment. */
  at(ms: number, happens: () => void): void {
    this.events.push({ atMs: ms, wake: happens });
  }

  /** Lets time pass until the work is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    const state = { isDone: false };
    void work.catch(() => undefined).then(() => (state.isDone = true));
    await this.when(() => state.isDone);
    return work;
  }

  /** Lets time pass until something is so; the time limit of the test is the only one. */
  async when(isSo: () => boolean): Promise<void> {
    for (;;) {
      await turn();
      if (isSo()) return;
      this.step(Number.POSITIVE_INFINITY);
    }
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.elapsedMs + ms;
    do await turn();
    while (this.step(end));
    const due = this.due(this.events, end);
    this.events = this.events.filter((e) => !due.includes(e));
    for (const event of due) event.wake();
    this.elapsedMs = end;
    await turn();
  }

  /** @returns false when nobody wakes up until then */
  private step(untilMs: number): boolean {
    const next = this.due(this.sleepers, untilMs)[0];
    if (next === undefined) return false;
    const event = this.due(this.events, next.atMs)[0];
    const first = event ?? next;
    this.sleepers = this.sleepers.filter((t) => t !== first);
    this.events = this.events.filter((t) => t !== first);
    this.elapsedMs = Math.max(this.elapsedMs, first.atMs);
    first.wake();
    return true;
  }

  private due(timers: readonly Timer[], untilMs: number): readonly Timer[] {
    return timers.filter((t) => t.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs);
  }
}

/** A process that lives as long as a test says. */
export class FakeProcess {
  readonly identity: ProcessIdentity;
  readonly request: LaunchRequest;
  vitals: ProcessVitals = { state: 'S', rssBytes: 50 * 1_048_576, cpuMs: 0, ranMs: 0, waitedMs: 0, openFiles: 10, uid: 1000, gid: 1000 };
  isAlive = true;
  readonly exited: Promise<ExitInfo>;
  private readonly end: (exit: ExitInfo) => void;

  constructor(pid: number, request: LaunchRequest) {
    this.identity = { pid, startTicks: pid * 10, machineBootId: 'machine' };
    this.request = request;
    const { promise, resolve } = Promise.withResolvers<ExitInfo>();
    this.exited = promise;
    this.end = resolve;
  }

  exit(exit: Partial<ExitInfo> = {}): void {
    this.isAlive = false;
    this.end({ exitCode: exit.signal === undefined ? 0 : null, signal: null, ...exit });
  }
}

/** A machine in memory: what is launched lives until it is ended. */
export class FakeHost implements ProcessHost {
  readonly processes: FakeProcess[] = [];
  /** What happens as a process starts. */
  born: (process: FakeProcess) => void = () => undefined;
  refusal: { readonly code: string; readonly message: string } | null = null;
  owns: (component: string, port: number) => boolean | null = () => true;
  ports: readonly number[] = [];
  /** How much its log holds when a component is started. */
  logSize: (request: LaunchRequest) => number = () => 0;
  readonly ended: string[] = [];
  private pid = 1000;

  async launch(request: LaunchRequest): Promise<LaunchResult> {
    if (this.refusal !== null) return { state: 'failed', ...this.refusal };
    const process = new FakeProcess(this.pid++, request);
    this.processes.push(process);
    const handle = this.handleOf(process, false);
    this.born(process);
    return { state: 'started', handle };
  }

  adopt(record: ProcessRecord): ProcessHandle | null {
    const process = this.find(record.identity);
    return process?.isAlive ? this.handleOf(process, true) : null;
  }

  isAlive(identity: ProcessIdentity): boolean {
    return this.find(identity)?.isAlive ?? false;
  }

  hasGroup(): boolean {
    return true;
  }

  isPortFree(): Promise<boolean> {
    return Promise.resolve(false);
  }

  leftOvers(components: readonly string[]): ReadonlySet<string> {
    return new Set(components);
  }

  endOlder(): Promise<void> {
    return Promise.resolve();
  }

  pulse(identity: ProcessIdentity): ProcessPulse | null {
    return this.vitals(identity);
  }

  vitals(identity: ProcessIdentity): ProcessVitals | null {
    const process = this.find(identity);
    return process?.isAlive ? process.vitals : null;
  }

  members(component: string): readonly ProcessIdentity[] {
    return this.processes.filter((p) => p.isAlive && p.request.component === component).map((p) => p.identity);
  }

  async endAll(component: string, signal: NodeJS.Signals): Promise<{ readonly killed: boolean; readonly count: number }> {
    const alive = this.processes.filter((p) => p.isAlive && p.request.component === component);
    for (const process of alive) {
      this.ended.push(`${component} ${process.identity.pid}`);
      process.exit({ signal });
    }
    return { killed: false, count: alive.length };
  }

  signal(): boolean {
    return true;
  }

  portsOf(): readonly number[] {
    return this.ports;
  }

  ownsPort(component: string, port: number): boolean | null {
    return this.owns(component, port);
  }

  get last(): FakeProcess {
    const process = this.processes.at(-1);
    if (process === undefined) throw new TypeError('nothing was launched');
    return process;
  }

  private find(identity: ProcessIdentity): FakeProcess | undefined {
    return this.processes.find((p) => p.identity.pid === identity.pid);
  }

  private handleOf(process: FakeProcess, wasAdopted: boolean): ProcessHandle {
    return { identity: process.identity, launchedAtMs: 0, logOffset: this.logSize(process.request), wasAdopted, exited: process.exited };
  }
}

/** Answers as a test says: the milliseconds an answer took, or what was wrong. */
export class FakeProber implements Prober {
  answer: (target: ProbeTarget, context: ProbeContext) => number | string = () => 5;
  readonly asked: ProbeTarget[] = [];
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async probe(target: ProbeTarget, context: ProbeContext): ReturnType<Prober['probe']> {
    this.asked.push(target);
    const answer = this.answer(target, context);
    const latencyMs = typeof answer === 'number' ? answer : 1;
    await this.clock.sleep(latencyMs, context.signal);
    return typeof answer === 'number' ? { outcome: 'pass', latencyMs, detail: '' } : { outcome: 'fail', latencyMs, detail: answer };
  }
}
