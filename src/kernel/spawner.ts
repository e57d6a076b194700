/** A finished helper command. */
export interface CommandResult {
  /** null when it was ended by a signal or could not be started. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last 64 KiB of each stream, UTF-8 with invalid bytes replaced. */
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** Set when it could not be started at all (`ENOENT`, `EACCES`). */
  readonly spawnErrorCode: string | null;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly input?: string;
}

/** Runs short helper commands to their end: migrations, package installs, smoke checks. Arguments are arrays, never a shell line. */
export interface Spawner {
  run(argv: readonly string[], options: CommandOptions): Promise<CommandResult>;
}
