import type { ProbeSpec } from '../health/index.ts';

/** When Grace starts a component again by itself. */
export interface RestartSpec {
  readonly policy: 'always' | 'on_failure' | 'never';
  /** Restarts allowed within `periodMs`; the next one is diagnosed instead. */
  readonly intensity: number;
  readonly periodMs: number;
  readonly backoffMs: number;
  readonly backoffMsMax: number;
}

export interface StopSpec {
  readonly signal: NodeJS.Signals;
  /** Time between the signal and SIGKILL. */
  readonly graceMs: number;
}

export interface LimitsSpec {
  /** RLIMIT_NOFILE; null leaves the limit of the caller. */
  readonly openFiles: number | null;
  /** V8's old space in MiB; null leaves what NODE_OPTIONS says. */
  readonly heapMb: number | null;
}

/** Something that is started, probed, healed and stopped. Paths absolute, everything defaulted. */
export interface ComponentSpec {
  readonly name: string;
  /** `dependency`: not ours to run, but probed and waited for, and started where a start command is declared. */
  readonly kind: 'process' | 'dependency';
  /** Argument array; for a dependency its start command, empty when nobody here may start it. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** Values from the config; they win over env files and the caller's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Read in order, later ones win; they lose against the caller's environment. */
  readonly envFiles: readonly string[];
  /** False when the command reads the env file by itself: Grace then only looks after it. */
  readonly loadEnvFiles: boolean;
  /** The config or the command names its env files; false where one is only where such files usually lie, and it may do without. */
  readonly needsEnvFiles: boolean;
  /** Variables that must be set and not empty. */
  readonly requiredEnv: readonly string[];
  readonly dependsOn: readonly string[];
  /** A boot cannot succeed without it. */
  readonly critical: boolean;
  /** Left out when its command does not exist. */
  readonly optional: boolean;
  /** Where it listens; null when it does not, or when Grace finds it out. */
  readonly port: number | null;
  readonly host: string;
  /** Passed before: it has started. Until then only patience. */
  readonly startup: ProbeSpec | null;
  readonly startupTimeoutMs: number;
  readonly readiness: ProbeSpec | null;
  readonly liveness: ProbeSpec | null;
  /** Stays ready this long before its boot, or a fix, counts as good. */
  readonly soakMs: number;
  readonly restart: RestartSpec;
  readonly stop: StopSpec;
  readonly limits: LimitsSpec;
  /** Where stdout and stderr are appended. */
  readonly logFile: string;
  /** Everything a playbook may change lies below these. */
  readonly roots: readonly string[];
  /** Globs below the roots of what may be removed when a disk is full. */
  readonly expendable: readonly string[];
  /** Command that applies the service's migrations; empty when there is none. */
  readonly migrate: readonly string[];
  /** Where its database is (`postgres://…`, a SQLite file), when known; may be the name of a variable, `$DATABASE_URL`. */
  readonly database: string | null;
}

/** Pid, start time and boot id: a pid alone is reused [SH-13]. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the machine's boot, field 22 of /proc/PID/stat. */
  readonly startTicks: number;
  readonly machineBootId: string;
}
