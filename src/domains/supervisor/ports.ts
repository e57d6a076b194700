import type { ProcessIdentity } from './component.ts';

export interface LaunchRequest {
  readonly component: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** RLIMIT_NOFILE, soft and hard; null leaves the caller's. */
  readonly openFiles: number | null;
}

export interface ExitInfo {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A process Grace looks after: started by it, or found alive and adopted. */
export interface ProcessHandle {
  readonly identity: ProcessIdentity;
  readonly launchedAtMs: number;
  /** Size of the log when it was started: its own output begins there. */
  readonly logOffset: number;
  readonly wasAdopted: boolean;
  /** Resolves when it has ended; for an adopted one without exit code. */
  readonly exited: Promise<ExitInfo>;
}

export type LaunchResult =
  | { readonly state: 'started'; readonly handle: ProcessHandle }
  | { readonly state: 'failed'; readonly code: string; readonly message: string };

export interface ProcessPulse {
  readonly state: string;
  readonly rssBytes: number;
  readonly cpuMs: number;
  /** What the scheduler let it run, and let it wait although it could have run. */
  readonly ranMs: number;
  readonly waitedMs: number;
}

export interface ProcessVitals extends ProcessPulse {
  readonly openFiles: number;
  readonly uid: number | null;
  readonly gid: number | null;
}

/** Starts, watches and ends the processes of components. */
export interface ProcessHost {
  launch(request: LaunchRequest): Promise<LaunchResult>;
  /** Null when that very process lives no more. */
  adopt(record: ProcessRecord): ProcessHandle | null;
  isAlive(identity: ProcessIdentity): boolean;
  vitals(identity: ProcessIdentity): ProcessVitals | null;
  /** The part of it that can be asked every second for next to nothing. */
  pulse(identity: ProcessIdentity): ProcessPulse | null;
  /** Every living process of this component: its group, its session, and whoever carries its mark. */
  members(component: string): readonly ProcessIdentity[];
  /**
   * Whether anything of the component's last process group still lives: one question to the kernel. Descendants in a
   * session of their own are not in it; `endOlder` finds those.
   */
  hasGroup(component: string): boolean;
  /** Ends what an earlier run left behind, and leaves the present one alone. */
  endOlder(component: string, than: ProcessIdentity): Promise<void>;
  /** Ends all of them: the signal, at most `graceMs`, then SIGKILL. Resolves when none is left. */
  endAll(component: string, signal: NodeJS.Signals, graceMs: number): Promise<{ readonly killed: boolean; readonly count: number }>;
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): boolean;
  /** Ports on which the component's processes listen. */
  portsOf(component: string): readonly number[];
  /** Whether a listener could be opened there now. */
  isPortFree(host: string, port: number): Promise<boolean>;
  /** Of these components, the ones of which something is left from earlier: one look at the machine for all. */
  leftOvers(components: readonly string[]): ReadonlySet<string>;
  /** Whether one of the component's processes listens on the port; null when nobody does. */
  ownsPort(component: string, port: number): boolean | null;
}

/** What is remembered of a running process, so that the next Grace can find it. */
export interface ProcessRecord {
  readonly component: string;
  readonly identity: ProcessIdentity;
  /** Hash of what it was started with: another hash means it must be started anew. */
  readonly specHash: string;
  readonly launchedAtMs: number;
  readonly logOffset: number;
  readonly uid: number | null;
}

export interface ProcessStore {
  save(record: ProcessRecord): Promise<void>;
  remove(component: string): Promise<void>;
  list(): Promise<readonly ProcessRecord[]>;
}
