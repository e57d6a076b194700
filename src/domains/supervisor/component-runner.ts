import { formatDuration, type Clock } from '../../kernel/index.ts';
import { BASELINE_SAMPLES, LatencyBaseline, describeTarget, look, type Prober, type ProbeResult, type ProbeSpec } from '../health/index.ts';
import type { Symptom } from '../incidents/index.ts';
import { BEAT_MS, beatAt } from './beat.ts';
import type { ComponentSpec } from './component.ts';
import type { ExitInfo, LaunchRequest, ProcessHandle, ProcessHost, ProcessPulse, ProcessRecord, ProcessVitals } from './ports.ts';

/** What is wrong with a component, as the supervisor sees it: before anybody has looked for the cause. */
export interface Problem {
  readonly symptom: Symptom;
  readonly message: string;
  readonly exit: ExitInfo | null;
  /** errno of a command that could not be started. */
  readonly spawnCode: string | null;
  readonly afterMs: number | null;
  /** What the last probe said. */
  readonly probeDetail: string;
  readonly vitals: ProcessVitals | null;
}

export type StartOutcome =
  | { readonly state: 'ready'; readonly tookMs: number; readonly wasAdopted: boolean; readonly port: number | null }
  | { readonly state: 'failed'; readonly problem: Problem }
  | { readonly state: 'completed' };

/** How it is launched this time: environment and limits may have been learned since the last. */
export type Launch = Pick<LaunchRequest, 'argv' | 'env' | 'openFiles'> & { readonly heapMb: number | null };

export interface RunnerPorts {
  readonly clock: Clock;
  readonly host: ProcessHost;
  readonly prober: Prober;
}

/** First look at a starting component; each later one waits a little longer. */
const FIRST_LOOK_MS = 8;
const LOOK_FACTOR = 1.25;
const LOOK_MS_MAX = 200;
/** A process that listens nowhere counts as started when it has lived this long. */
const ALIVE_MS = 1000;
/** When somebody looks whether the output already says why it does not get ready. */
const EARLY_LOOKS_MS = [4000, 9000, 18_000, 36_000];
/** Another process on our port is only a problem when it stays. */
const WRONG_PROCESS_LOOKS = 4;
/** Windows of starvation after which a silent process counts as failed after all. */
const STARVED_WINDOWS_MAX = 20;
/** A component that has just become ready is asked this often until it is known how fast it answers. */
const BASELINE_MS = 60;
/** An answer slower than this is looked at more closely. */
const SLOW_ANSWER_MS = 100;
/** After a first failure the second look comes soon: it decides between a hiccup and a hang. */
const CONFIRM_MS = 300;
/** A debugger or a snapshot stops a process for a moment: that is no reason to act. */
const STOPPED_MS = 1000;
/** Whatever it answers to a path nobody told us, it is alive. */
const ANY_STATUS = Array.from({ length: 500 }, (_, i) => 100 + i);
/** Samples of memory that must all have grown. */
const GROWTH_SAMPLES = 6;
/** Share of the heap limit at which a growing process is restarted in an orderly way, before it crawls. */
const HEAP_SHARE = 0.75;
/** What Node needs beside its old space. */
const BESIDE_HEAP_BYTES = 64 * 1_048_576;

/** One component through its life: started, asked until it is ready, watched, stopped. Decides nothing about healing. */
export class ComponentRunner {
  readonly spec: ComponentSpec;
  private readonly ports: RunnerPorts;
  private handle: ProcessHandle | null = null;
  private watching: AbortController | null = null;
  private heapMb: number | null = null;
  private isPortOurs = false;
  private env: Readonly<Record<string, string>> = {};
  private readonly latency = new LatencyBaseline();
  /** The port it was seen to listen on, or is declared to. */
  port: number | null;
  /** How the latest probe went; for status displays. */
  lastProbe = '';
  starts = 0;
  /** The user its process was last seen to run as: a wrapper may have changed it after the start. */
  runsAs: { readonly uid: number; readonly gid: number } | null = null;

  constructor(spec: ComponentSpec, ports: RunnerPorts) {
    this.spec = spec;
    this.ports = ports;
    this.port = spec.port;
  }

  get process(): ProcessHandle | null {
    return this.handle;
  }

  /** Whether its process lives now. */
  isRunning(): boolean {
    return this.handle !== null && this.ports.host.isAlive(this.handle.identity);
  }

  /** Takes over a process that an earlier Grace started. @returns false when it lives no more */
  adopt(record: ProcessRecord, launch: Launch): boolean {
    this.handle = this.ports.host.adopt(record);
    this.heapMb = launch.heapMb;
    this.env = launch.env;
    return this.handle !== null;
  }

  /**
   * Starts it (or goes on with an adopted process) and waits until it is ready.
   * @param onLaunched   called as soon as there is a process: it must be remembered before anything else happens
   * @param earlyLook    asked now and then whether the output already explains why it will not get ready
   */
  async start(
    launch: Launch,
    signal: AbortSignal,
    onLaunched: (handle: ProcessHandle) => Promise<void>,
    earlyLook: () => Promise<boolean>,
  ): Promise<StartOutcome> {
    const { clock, host } = this.ports;
    this.stopWatching();
    const startedMs = clock.monotonicMs();
    if (this.handle === null || !host.isAlive(this.handle.identity)) {
      // Nothing of an earlier run may live beside the new one.
      if (host.hasGroup(this.spec.name)) await host.endAll(this.spec.name, this.spec.stop.signal, this.spec.stop.graceMs);
      const probe = this.spec.startup ?? this.spec.readiness;
      const port = this.port ?? (probe === null ? null : portOf(probe));
      this.isPortOurs = port === null || (await host.isPortFree(this.spec.host, port));
      this.starts++;
      this.heapMb = launch.heapMb;
      this.env = launch.env;
      const result = await host.launch({
        component: this.spec.name,
        argv: launch.argv,
        cwd: this.spec.cwd,
        env: launch.env,
        logFile: this.spec.logFile,
        openFiles: launch.openFiles,
      });
      if (result.state === 'failed') {
        this.handle = null;
        return { state: 'failed', problem: this.problem('spawn', result.message, startedMs, { spawnCode: result.code }) };
      }
      this.handle = result.handle;
      await onLaunched(result.handle);
      // What left its group takes a look at the whole machine to find: not while somebody waits for the start.
      void host.endOlder(this.spec.name, result.handle.identity).catch(() => undefined); // the next stop looks again
    }
    return this.untilReady(startedMs, signal, earlyLook);
  }

  private async untilReady(startedMs: number, signal: AbortSignal, earlyLook: () => Promise<boolean>): Promise<StartOutcome> {
    const { clock } = this.ports;
    const handle = this.handle;
    if (handle === null) return { state: 'failed', problem: this.problem('exit', 'it has no process', startedMs) };
    const probe = this.spec.startup ?? this.spec.readiness;
    let exit: ExitInfo | null = null;
    void handle.exited.then((info) => (exit = info));
    let wrongLooks = 0;
    let earlyLooks = 0;
    let detail = '';
    for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * LOOK_FACTOR, LOOK_MS_MAX)) {
      await Promise.race([handle.exited, clock.sleep(waitMs, signal)]);
      signal.throwIfAborted();
      const elapsedMs = clock.monotonicMs() - startedMs;
      if (exit !== null) {
        const ended: ExitInfo = exit;
        if (ended.exitCode === 0 && this.spec.restart.policy === 'never' && probe === null) return { state: 'completed' };
        return {
          state: 'failed',
          problem: this.problem('exit', `${describeExit(ended)} after ${formatDuration(elapsedMs)}, before it was ready`, startedMs, {
            exit: ended,
            detail,
          }),
        };
      }
      const seen = this.ports.host.vitals(handle.identity);
      if (seen !== null && seen.uid !== null && seen.gid !== null) this.runsAs = { uid: seen.uid, gid: seen.gid };
      const look = await this.looksReady(probe, elapsedMs, signal);
      detail = look.detail;
      if (look.isReady) {
        // A port that was free when it was started is answered by nobody else; looking for sure takes milliseconds.
        const owner = this.port === null || this.isPortOurs ? true : this.ports.host.ownsPort(this.spec.name, this.port);
        if (owner !== false)
          return { state: 'ready', tookMs: clock.monotonicMs() - startedMs, wasAdopted: handle.wasAdopted, port: this.port };
        if (++wrongLooks >= WRONG_PROCESS_LOOKS)
          return {
            state: 'failed',
            problem: this.problem('wrong_process', `port ${this.port ?? '?'} is answered by another process`, startedMs, { detail }),
          };
      }
      const nextEarly = EARLY_LOOKS_MS[earlyLooks];
      if (nextEarly !== undefined && elapsedMs > nextEarly) {
        earlyLooks++;
        if (await earlyLook())
          return {
            state: 'failed',
            problem: this.problem('not_ready', `not ready after ${formatDuration(elapsedMs)}: ${detail}`, startedMs, { detail }),
          };
      }
      if (elapsedMs > this.spec.startupTimeoutMs)
        return {
          state: 'failed',
          problem: this.problem('not_ready', `not ready within ${formatDuration(this.spec.startupTimeoutMs)}: ${detail}`, startedMs, {
            detail,
          }),
        };
    }
  }

  private async looksReady(probe: ProbeSpec | null, elapsedMs: number, signal: AbortSignal): Promise<{ isReady: boolean; detail: string }> {
    if (probe === null) {
      this.port ??= this.ports.host.portsOf(this.spec.name)[0] ?? null;
      if (this.port !== null) {
        const tcp = await this.ask(
          { target: { kind: 'tcp', host: this.spec.host, port: this.port }, intervalMs: 0, timeoutMs: 1000, failureThreshold: 1 },
          signal,
        );
        return { isReady: tcp.outcome === 'pass', detail: tcp.detail };
      }
      return { isReady: elapsedMs >= ALIVE_MS, detail: 'it listens on no port yet' };
    }
    const result = await this.ask(probe, signal);
    if (result.outcome === 'pass') this.port ??= portOf(probe);
    return { isReady: result.outcome === 'pass', detail: `${describeTarget(probe.target)}: ${result.detail}` };
  }

  private async ask(probe: ProbeSpec, signal?: AbortSignal): ReturnType<Prober['probe']> {
    const result = await look(this.ports.prober, probe.target, {
      cwd: this.spec.cwd,
      env: this.env,
      timeoutMs: probe.timeoutMs,
      pid: this.isRunning() ? (this.handle?.identity.pid ?? null) : null,
      ...(signal === undefined ? {} : { signal }),
    });
    this.lastProbe = result.detail;
    return result;
  }

  /** One readiness probe now; true without one when the process lives. */
  async isReadyNow(): Promise<boolean> {
    return (await this.readyNow()).outcome === 'pass';
  }

  /** The same in its three outcomes: a probe that could not be carried out says nothing. */
  async readyNow(): Promise<Pick<ProbeResult, 'outcome' | 'detail'>> {
    if (!this.isRunning()) return { outcome: 'fail', detail: 'it does not run' };
    const probe = this.spec.readiness ?? this.spec.liveness;
    return probe === null ? { outcome: 'pass', detail: '' } : this.ask(probe);
  }

  /**
   * Watches it from now on. The death of the process is noticed by its event, everything else by looking.
   * @param onProblem   called once; watching ends with it and begins again with the next `watch`
   */
  watch(onProblem: (problem: Problem) => void): void {
    this.stopWatching();
    const handle = this.handle;
    if (handle === null) return;
    const watching = new AbortController();
    this.watching = watching;
    const report = (problem: Problem): void => {
      if (watching.signal.aborted) return;
      watching.abort();
      onProblem(problem);
    };
    const sinceMs = this.ports.clock.monotonicMs();
    void handle.exited.then((exit) => report(this.problem('exit', `${describeExit(exit)} while it was running`, sinceMs, { exit })));
    void this.watchLoop(sinceMs, watching.signal, report).catch(() => undefined); // aborted
  }

  stopWatching(): void {
    this.watching?.abort();
    this.watching = null;
  }

  private async watchLoop(sinceMs: number, signal: AbortSignal, report: (problem: Problem) => void): Promise<void> {
    const { clock, host } = this.ports;
    const handle = this.handle;
    if (handle === null) return;
    const probe = await this.liveness(signal);
    let failures = 0;
    let stopped = 0;
    let starvedWindows = 0;
    let memory: number[] = [];
    this.latency.forgetRecent();
    let lookedMs = clock.monotonicMs();
    let looks = 0;
    for (;;) {
      // At a fixed rate: time spent waiting for an answer is not added to the interval.
      const isLearning = looks++ < BASELINE_SAMPLES && (probe.target.kind === 'http' || probe.target.kind === 'tcp');
      const soonMs = isLearning ? BASELINE_MS : failures > 0 ? CONFIRM_MS : stopped > 0 ? STOPPED_MS : probe.intervalMs;
      const wantedMs = lookedMs + Math.min(soonMs, probe.intervalMs);
      const nowMs = clock.monotonicMs();
      await clock.sleep(Math.max(10, (soonMs < BEAT_MS ? wantedMs : beatAt(wantedMs, nowMs)) - nowMs), signal);
      lookedMs = clock.monotonicMs();
      const before = host.pulse(handle.identity);
      if (before?.state === 'T') {
        if (++stopped >= 2)
          return report(this.problem('liveness', 'its process is stopped (state T, as by SIGSTOP)', sinceMs, { detail: 'stopped' }));
        continue;
      }
      stopped = 0;
      // The confirming look does not wait as long again: somebody is without the service meanwhile.
      const result = await this.ask(failures === 0 ? probe : { ...probe, timeoutMs: Math.ceil(probe.timeoutMs / 2) }, signal);
      signal.throwIfAborted();
      // A second look only where it decides something: most answers are quick and right.
      const after = result.outcome === 'pass' && result.latencyMs < SLOW_ANSWER_MS ? before : host.pulse(handle.identity);
      if (result.outcome === 'pass') {
        failures = 0;
        starvedWindows = 0;
        this.latency.add(result.latencyMs);
        const verdict = this.latency.verdict();
        if (verdict.state === 'slow' && !isStarved(before, after))
          return report(
            this.problem(
              'latency',
              `answers take ${formatDuration(verdict.nowMs)}, usually ${formatDuration(verdict.baselineMs)}`,
              sinceMs,
            ),
          );
        if (verdict.state === 'unsteady' && !isStarved(before, after))
          return report(
            this.problem('latency', `${verdict.bad} of the last ${verdict.looks} times it answered far too late or not at all`, sinceMs),
          );
      } else if (isStarved(before, after) && ++starvedWindows <= STARVED_WINDOWS_MAX) {
        // It would run if it were let: restarting it would only cost more of what is scarce.
      } else if (!isLearning && (this.latency.miss(), ++failures) >= probe.failureThreshold) {
        return report(
          this.problem('liveness', `${describeTarget(probe.target)} failed ${failures} times: ${result.detail}`, sinceMs, {
            detail: result.detail,
          }),
        );
      }
      memory = [...memory.slice(-(GROWTH_SAMPLES - 1)), after?.rssBytes ?? 0];
      const limitBytes = this.heapMb === null ? null : this.heapMb * 1_048_576 * HEAP_SHARE + BESIDE_HEAP_BYTES;
      if (limitBytes !== null && memory.length === GROWTH_SAMPLES && (memory.at(-1) ?? 0) > limitBytes && isGrowing(memory))
        return report(
          this.problem(
            'memory',
            `memory grew to ${Math.round((memory.at(-1) ?? 0) / 1_048_576)} MB, close to its heap limit of ${this.heapMb ?? 0} MB`,
            sinceMs,
          ),
        );
    }
  }

  /**
   * Its liveness probe. Without one, its port is asked over HTTP if it speaks that: a stopped or blocked process still
   * accepts connections, but answers nothing.
   */
  private async liveness(signal: AbortSignal): Promise<ProbeSpec> {
    if (this.spec.liveness !== null) return this.spec.liveness;
    const times = { intervalMs: 3000, timeoutMs: 1000, failureThreshold: 2 };
    if (this.port === null) return { target: { kind: 'process' }, ...times };
    const http: ProbeSpec = {
      target: { kind: 'http', url: `http://${this.spec.host}:${this.port}/`, expectStatus: ANY_STATUS, caFile: null },
      ...times,
    };
    const speaksHttp = (await this.ask(http, signal)).outcome === 'pass';
    return speaksHttp ? http : { target: { kind: 'tcp', host: this.spec.host, port: this.port }, ...times };
  }

  /** Stops it and everything it started. */
  async stop(): Promise<{ readonly killed: boolean; readonly count: number }> {
    this.stopWatching();
    const result = await this.ports.host.endAll(this.spec.name, this.spec.stop.signal, this.spec.stop.graceMs);
    this.handle = null;
    return result;
  }

  problem(
    symptom: Symptom,
    message: string,
    startedMs: number,
    more: { exit?: ExitInfo; spawnCode?: string; detail?: string } = {},
  ): Problem {
    return {
      symptom,
      message,
      exit: more.exit ?? null,
      spawnCode: more.spawnCode ?? null,
      afterMs: symptom === 'spawn' ? null : this.ports.clock.monotonicMs() - startedMs,
      probeDetail: more.detail ?? this.lastProbe,
      vitals: this.handle === null ? null : this.ports.host.vitals(this.handle.identity),
    };
  }
}

export function describeExit(exit: ExitInfo): string {
  if (exit.signal !== null) return `it was ended by ${exit.signal}`;
  return exit.exitCode === null ? 'it ended' : `it ended with exit code ${exit.exitCode}`;
}

function portOf(probe: ProbeSpec): number | null {
  if (probe.target.kind === 'tcp') return probe.target.port;
  if (probe.target.kind !== 'http') return null;
  const url = new URL(probe.target.url);
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** The scheduler let it wait more than it let it run, for most of the time: the machine is short of CPU. */
function isStarved(before: ProcessPulse | null, after: ProcessPulse | null): boolean {
  if (before === null || after === null) return false;
  const waitedMs = after.waitedMs - before.waitedMs;
  return waitedMs > 200 && waitedMs > (after.ranMs - before.ranMs) * 2;
}

function isGrowing(samples: readonly number[]): boolean {
  return samples.every((value, i) => i === 0 || value > (samples[i - 1] ?? 0) * 1.005);
}
