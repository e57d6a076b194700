import type { HealingLimits } from '../../domains/governance/index.ts';
import type { ProbeTarget } from '../../domains/health/index.ts';
import type { BootMode } from '../../domains/boot/index.ts';
import type { PreflightSettings } from '../../domains/preflight/index.ts';
import type { SnapshotLimits } from '../../domains/snapshots/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { Provenance } from './origin.ts';

/** Everything Grace was told, checked and defaulted; frozen. Paths are absolute, times are milliseconds. */
export interface GraceConfig {
  readonly name: string;
  /** The folder of the config file, or the one Grace was started in. */
  readonly projectDir: string;
  readonly dataDir: string;
  readonly playbooksDir: string;
  /** What policies call the place Grace runs in; empty when nobody said. */
  readonly environment: string;
  /** Globs of the user's own policy files, absolute. */
  readonly policies: readonly string[];
  readonly configFile: string | null;
  readonly logLevel: LogLevel;
  /** Grace's own store; null for SQLite in `dataDir`. */
  readonly databaseUrl: string | null;
  /** null for the mesh inside this process. */
  readonly meshUrl: string | null;
  readonly api: { readonly host: string; readonly port: number };
  /** Processes in the order they were written, then dependencies. */
  readonly components: readonly ComponentSpec[];
  /** How patient to be with each dependency, by name. */
  readonly dependencyWaits: ReadonlyMap<string, DependencyWait>;
  /** Further files of which copies are kept, by component. */
  readonly keep: ReadonlyMap<string, readonly string[]>;
  readonly smoke: readonly SmokeSpec[];
  readonly preflight: PreflightSettings;
  readonly boot: BootConfig;
  readonly healing: HealingConfig;
  readonly monitor: MonitorConfig;
  readonly audit: AuditConfig;
  readonly provenance: Provenance;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type { BootMode };

export interface DependencyWait {
  /** null waits for ever. */
  readonly waitForMs: number | null;
  /** How long it may take after its start command was run. */
  readonly startTimeoutMs: number;
}

export interface SmokeSpec {
  readonly name: string;
  readonly target: ProbeTarget;
  readonly timeoutMs: number;
  readonly critical: boolean;
  /** How often it is repeated while the service runs; null for only at boot. */
  readonly everyMs: number | null;
  /** Whose folder and environment it uses; null when no component could be told. */
  readonly component: string | null;
}

export interface BootConfig {
  readonly mode: BootMode;
  readonly maxHealingAttempts: number;
  /** Failed boots in a row after which going back to the last good release is proposed; 0: never. */
  readonly rollbackAfter: number;
  readonly hold: 'auto' | 'always' | 'never';
}

export interface HealingConfig {
  readonly executeAtRuntime: boolean;
  readonly ampEscalation: boolean;
  /** A secret: never logged, stored or shown. */
  readonly ampApiKey: string | null;
  readonly limits: HealingLimits;
  /** What a command of a step may begin with, word by word; empty: none may run. */
  readonly allowShell: readonly (readonly string[])[];
  readonly snapshots: SnapshotConfig;
}

export interface AuditConfig {
  /** null: the contents of entries are kept for ever. */
  readonly keepPayloadsMs: number | null;
  /** Absolute; null for none. */
  readonly anchorFile: string | null;
  readonly anchorGit: boolean;
}

export interface SnapshotConfig extends SnapshotLimits {
  /** Globs, relative to the directories of each component. */
  readonly files: readonly string[];
}

export interface MonitorConfig {
  readonly healthMs: number;
  readonly metricsMs: number;
  readonly selfHealMs: number;
  readonly proactiveMs: number;
  readonly validationMs: number;
  /** null when the watchdog is off. */
  readonly watchdogMs: number | null;
  readonly latency: boolean;
  readonly memory: boolean;
  readonly baseline: boolean;
  readonly stressTest: boolean;
  /** Shares from 0 to 1. */
  readonly errorRateMax: number;
  readonly latencyP95MsMax: number;
  /** Per hour. */
  readonly memoryGrowthMbMax: number;
  readonly failureRateMax: number;
}

/** What the command line said; it wins over everything else. */
export interface ConfigFlags {
  readonly name?: string | undefined;
  readonly mode?: BootMode | undefined;
  readonly dataDir?: string | undefined;
  readonly playbooksDir?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly executeAtRuntime?: boolean | undefined;
  readonly hold?: 'auto' | 'always' | 'never' | undefined;
}
