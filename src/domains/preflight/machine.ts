/** A file system that holds a path. */
export interface FileSystem {
  readonly point: string;
  /** `ext4`, `tmpfs`, `overlay` … */
  readonly type: string;
  readonly isReadOnly: boolean;
}

/** How many more a limit allows; null where there is none, or nobody can tell. */
export interface Allowance {
  readonly max: number | null;
  readonly left: number | null;
}

/** What the machine, and the control group that Grace shares with the service, give to it. Read-only; what cannot be told is null. */
export interface Machine {
  /** The mount that a path is on, or would be on once it is made. */
  fileSystemOf(path: string): Promise<FileSystem | null>;
  /** Mounts below a directory, such as volumes. */
  mountsBelow(dir: string): Promise<readonly FileSystem[]>;
  /**
   * Whether somebody may make files in a directory.
   * @param user   name or number; null for the one Grace runs as, who is asked of the kernel. Others are judged by mode bits alone.
   * @returns      null when there is no such directory or user
   */
  mayWriteIn(dir: string, user: string | null): Promise<boolean | null>;
  /** RLIMIT_NOFILE of Grace, which the service inherits; Infinity where it has no limit. `mayRaise`: beyond the hard limit, too. */
  openFilesLimit(): Promise<{ readonly soft: number; readonly hard: number; readonly mayRaise: boolean } | null>;
  /** Open files of all processes together. */
  openFilesOfAll(): Promise<Allowance>;
  /** The tightest limits of the control groups on the way up; bytes, and tasks. What can be given back counts as left. */
  group(): Promise<{ readonly memory: Allowance; readonly tasks: Allowance }>;
  /** Bytes. `commitLeft` only counts where the kernel promises no more than it has (mode 2). */
  memory(): Promise<{ readonly total: number; readonly available: number; readonly commitLeft: number | null } | null>;
  /** Whether something keeps the clock right; null where nobody says. */
  isClockKept(): Promise<boolean | null>;
  /** How many files, and by how many watchers, one user may have watched. */
  watchLimits(): Promise<{ readonly watches: number; readonly instances: number } | null>;
  /** null when no such process lives. */
  process(pid: number): Promise<RunningProcess | null>;
}

export interface RunningProcess {
  readonly command: string;
  readonly argv: readonly string[];
  readonly cwd: string | null;
  /** R, S, D, T, Z … */
  readonly state: string;
}
