/** Who holds a port. */
export interface PortHolder {
  readonly pid: number;
  readonly startTicks: number;
  readonly command: string;
  readonly argv: readonly string[];
  readonly cwd: string | null;
  readonly user: string;
  readonly parentPid: number;
  readonly startedAtMs: number;
  /**
   * `managed`: runs under this Grace now. `own_stale`: a copy of this component that nobody looks after any more.
   * `own_other`: looks like this component, but somebody (a shell, another supervisor) looks after it. `foreign`: the rest.
   */
  readonly relation: 'managed' | 'own_stale' | 'own_other' | 'foreign';
}

export interface ProcessView {
  readonly pid: number;
  readonly startTicks: number;
  readonly command: string;
  readonly argv: readonly string[];
  readonly cwd: string | null;
  readonly state: string;
  readonly user: string;
  readonly parentPid: number;
}

/** The packages of a project against its lock file. */
export interface PackageState {
  readonly manager: 'npm' | 'pnpm' | 'yarn' | 'pip' | 'bundler' | 'composer' | 'none';
  readonly directory: string;
  readonly lockFile: string | null;
  /** In the lock file, for this platform, not installed. */
  readonly missing: readonly string[];
  /** Installed, but files are gone, empty or of another size than when they last worked. */
  readonly damaged: readonly string[];
}

/** A difference between the database's schema and that of the last verified boot or of the present release, or a history table that lost rows. */
export interface SchemaDrift {
  readonly engine: 'postgres' | 'sqlite';
  /** Who has what is missing, where that is not the last verified boot: `the migrations in migrations`. */
  readonly wantedBy?: string;
  readonly missingTables: readonly string[];
  readonly missingColumns: readonly string[];
  /** `table/name` of migrations that were recorded at the last verified boot and are not now. */
  readonly unrecordedMigrations: readonly string[];
  /** `table/name` of migrations recorded since: what is missing may be what they were for. */
  readonly recordedSince?: readonly string[];
  /** Migrations in the folder that the history table does not have. */
  readonly pendingMigrations: readonly string[];
}

/** Where systems and administrators put programs; what a service's own PATH says may be what is wrong. */
export const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Read-only questions about the machine. Every answer is bounded in time; what cannot be told is null. */
export interface HostView {
  portHolder(port: number, component: string): Promise<PortHolder | null>;
  process(pid: number): Promise<ProcessView | null>;
  canConnect(host: string, port: number): Promise<boolean>;
  /** Whether somebody listens at a socket file; null when that cannot be told (it may not be opened, or nothing is there). */
  socketAnswers(path: string): Promise<boolean | null>;
  memoryTotalBytes(): Promise<number>;
  openFilesHardLimit(): Promise<number>;
  /** Mount points below a directory, and the one it is on. */
  mountsBelow(dir: string): Promise<readonly string[]>;
  /** Absolute path of a command on this PATH; null when there is none. */
  findCommand(name: string, pathVariable: string): Promise<string | null>;
  packages(cwd: string): Promise<PackageState>;
  /** Null when there is no database we can look at, or nothing to compare with. */
  schemaDrift(component: string): Promise<SchemaDrift | null>;
  userName(uid: number): Promise<string>;
}
