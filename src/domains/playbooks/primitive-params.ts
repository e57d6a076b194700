/**
 * What each primitive takes, by its name: `ctx.step` is typed by it, so that an editor completes parameters and knows a wrong one.
 * Paths are relative to the component's directory. The primitives check the same again when a step is asked for; a test keeps the
 * two in step. This file imports nothing: where grace-runtime is not installed, its text goes into `playbooks/grace.d.ts`.
 */
export interface PrimitiveParams {
  /** Puts back the newest good copy of a file and keeps the broken one beside it. */
  restore_file: {
    readonly path: string;
    /** A backup file to take it from. Default: the copy of the last good boot. */
    readonly from?: string | null;
  };
  /** Takes a file out of the way that came after the last good boot, and keeps it. */
  set_aside: {
    readonly path: string;
    /** SHA-256 of the content that could not be read: once it is corrected, it stays. */
    readonly digest: string;
  };
  /** Makes a missing env file from its example and generates the secrets that the example marks for it. */
  create_env_file: {
    /** `.env` */
    readonly file: string;
    /** `.env.example` */
    readonly example: string;
  };
  /** Adds missing keys to an env file and leaves every other line as it is. */
  add_env_keys: {
    /** `.env` */
    readonly file: string;
    /** Names of variables, 200 at most. An empty list means none. */
    readonly keys: readonly string[];
    /** Where their values come from; `generate` makes a secret where the example marks one. */
    readonly from: 'last_good' | 'example' | 'generate';
    /** The example file, for `example` and `generate`. */
    readonly example?: string | null;
    /** With `last_good`: keys that have another value than at the last good boot get that one back. Default: false. */
    readonly replace?: boolean | null;
  };
  /** Generates a missing secret that no other system has to know. */
  generate_secret: {
    /** `.env` */
    readonly file: string;
    /** Name of the variable: `SESSION_SECRET`. */
    readonly name: string;
    /** Random bytes, 16 to 512. */
    readonly bytes: number;
  };
  /** Makes a directory that is missing, with owner and mode of the directory it lies in. */
  make_directory: {
    readonly path: string;
  };
  /** Gives a path back the owner and mode it had at the last good boot, never wider ones. */
  restore_permissions: {
    readonly path: string;
    /** Default: as at the last good boot. */
    readonly uid?: number | null;
    readonly gid?: number | null;
    /** `'640'`, or a number such as 0o640; never writable for everybody. */
    readonly mode?: string | number | null;
    /** Also what lies below. Default: false. */
    readonly recursive?: boolean | null;
  };
  /** Moves a lock or pid file aside whose process is gone. */
  remove_stale_lock: {
    readonly path: string;
    /** The process that it names, where the file does not say so itself. */
    readonly pid?: number | null;
    /** What the program of a living holder would be called; another program with that pid is none. */
    readonly expect?: string | null;
  };
  /** Moves a socket file aside at which nobody listens any more. */
  remove_stale_socket: {
    readonly path: string;
  };
  /** Ends a stale copy of the component that still holds its port; never anybody else. */
  free_port: {
    /** 1 to 65535 */
    readonly port: number;
  };
  /** Waits until nobody holds a port any more. */
  wait_for_port: {
    /** 1 to 65535 */
    readonly port: number;
    /** Milliseconds. */
    readonly timeoutMs: number;
  };
  /** Starts a dependency with the start command that is declared for it. */
  start_dependency: {
    /** As in the configuration. */
    readonly name: string;
  };
  /** Waits until something answers at an address. */
  wait_for_dependency: {
    readonly host: string;
    /** 1 to 65535 */
    readonly port: number;
    /** Milliseconds. */
    readonly timeoutMs: number;
  };
  /** Installs the declared packages anew at the versions of the lock file; the old ones wait aside until that has worked. */
  install_packages: {
    /** Where the manifest lies; `.` for the component's own. */
    readonly directory: string;
    /** Default: the one whose lock file is there. */
    readonly manager?: 'npm' | 'pnpm' | 'yarn' | 'pip' | 'bundler' | 'composer' | null;
    /** Only when what is installed is not known to be what the lock file says. Default: false. */
    readonly ifNeeded?: boolean | null;
  };
  /** Goes back to the release of the last good boot: config, env and lock files, and the git commit. */
  roll_back_release: {
    /** The boot: `boot_20261101_000000`. Files are put back only when the kept copies are of it. */
    readonly boot: string;
    /** What was checked out then; left out: only files are put back. */
    readonly commit?: string | null;
  };
  /** Builds the native parts of installed npm packages for the present runtime. */
  rebuild_packages: {
    readonly directory: string;
  };
  /** Runs a script of the project's package.json that builds something, and looks whether it is there then. */
  run_project_script: {
    readonly directory: string;
    /** Its name in package.json. */
    readonly script: string;
    /** The path that has to be there then. */
    readonly makes?: string | null;
  };
  /** Generates the code that a package makes from the project's schema, with the tool that is installed for it. */
  generate_client: {
    readonly directory: string;
    readonly tool: 'prisma';
  };
  /** Links a virtual environment of Python to the same version where that is now. */
  relink_interpreter: {
    /** The virtual environment: `.venv`. */
    readonly directory: string;
  };
  /** Runs the component's own migration command; a SQLite database is copied first. */
  run_migrations: { readonly [none: string]: never };
  /** Records migrations again that were recorded at the last good boot and whose schema is there. */
  record_migrations: {
    /** `table/name`. An empty list means none. */
    readonly migrations: readonly string[];
  };
  /** Makes missing tables again, empty, as they were at the last good boot. */
  restore_tables: {
    /** An empty list means none. */
    readonly tables: readonly string[];
  };
  /** Adds missing columns of tables again, empty, as they were at the last good boot. */
  restore_columns: {
    /** `table.column`. An empty list means none. */
    readonly columns: readonly string[];
  };
  /** Puts the newest whole copy in the place of a corrupt SQLite database and keeps the broken one with its WAL. */
  recover_sqlite: {
    readonly path: string;
  };
  /** Cuts an unfinished write off the end of an append-only file, after copying it. */
  repair_append_only_file: {
    readonly path: string;
    /** The program that knows the format: `redis-check-aof`. */
    readonly tool: string;
  };
  /** Removes the oldest files that the configuration declares expendable until enough room is free. */
  free_disk_space: {
    /** On the disk that is full. */
    readonly path: string;
    /** How much has to be free then. */
    readonly bytes: number;
  };
  /** Raises the heap limit of the component, at most to half of the memory of the machine. */
  raise_heap_limit: {
    /** MiB, 16 or more. */
    readonly toMb: number;
  };
  /** Raises the limit of open files of the component, at most to the hard limit. */
  raise_open_files: {
    /** 64 or more. */
    readonly to: number;
  };
  /** Sets a variable, never a secret, for the next starts of the component. */
  set_env_override: {
    readonly name: string;
    /** One line. */
    readonly value: string;
  };
  /** Lets a stopped process of the component go on (SIGCONT). */
  resume_process: { readonly [none: string]: never };
  /** Stops the component and starts it again. */
  restart_component: {
    /** For people. */
    readonly reason: string;
  };
  /** Leaves out an optional component whose tool is missing. */
  skip_component: {
    /** For people. */
    readonly reason: string;
  };
  /** Tells the people who watch this boot something. */
  notify: {
    readonly message: string;
  };
}
