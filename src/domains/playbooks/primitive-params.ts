/**
 * What each primitive takes, by its name: `ctx.step` is typed by it, so that an editor completes parameters and knows a wrong one.
 * Paths are relative to the component's directory. Written by `npx vitest run --project unit src/primitives/parameter-types.test.ts -u`
 * from what the primitives declare, which is also what they check when a step is asked for: change it there. This file imports nothing:
 * where grace-runtime is not installed, its text goes into `playbooks/grace.d.ts`.
 */
export interface PrimitiveParams {
  /** Puts back the newest good copy of a file and keeps the broken one beside it. */
  restore_file: {
    /** The file to put back. (text of at most 4096 characters) */
    readonly path: string;
    /** The copy to take; the newest good one when it is left out. (text of at most 4096 characters) */
    readonly from?: string | null;
  };
  /** Goes back to the release of the last good boot: its config, env and lock files, and its git commit. */
  roll_back_release: {
    /** The boot to go back to; files are put back only when the kept copies are of that boot. (text of at most 100 characters) */
    readonly boot: string;
    /** What was checked out then; left out, only files are put back. (text of at most 64 characters) */
    readonly commit?: string | null;
  };
  /** Writes a text into a new file, or over one that is exactly what the playbook says it is. */
  write_file: {
    /** The file to write. (text of at most 4096 characters) */
    readonly path: string;
    /** What it holds then. (text of at most 65536 characters, or nothing) */
    readonly content: string;
    /** SHA-256 of the content that is written over. Without it, only a file that is not there is written. (text of at most 64 characters) */
    readonly over?: string | null;
  };
  /** Takes a file out of the way that came after the last good boot, and keeps it. */
  set_aside: {
    /** The file to move aside. (text of at most 4096 characters) */
    readonly path: string;
    /** SHA-256 of the content that was complained about: another content stays. (text of at most 4096 characters) */
    readonly digest: string;
  };
  /** Makes a missing env file from its example and generates the secrets that the example marks for it. */
  create_env_file: {
    /** The env file to make: `.env`. (text of at most 4096 characters) */
    readonly file: string;
    /** The example it is made from: `.env.example`. (text of at most 4096 characters) */
    readonly example: string;
  };
  /** Adds missing keys to an env file and leaves every other line as it is. */
  add_env_keys: {
    /** The env file: `.env`. (text of at most 4096 characters) */
    readonly file: string;
    /** Names of the variables to add. An empty list means none. (list of at most 200 texts) */
    readonly keys: readonly string[];
    /** Where the values come from; `generate` makes a secret where the example marks one. (one of last_good, example, generate) */
    readonly from: 'last_good' | 'example' | 'generate';
    /** The example to read; the one beside the file when it is left out. (text of at most 4096 characters) */
    readonly example?: string | null;
    /** Also puts back keys that have another value than at the last good boot; with from: last_good only. (true or false) */
    readonly replace?: boolean | null;
  };
  /** Generates a missing secret that no other system has to know. */
  generate_secret: {
    /** The env file that gets the secret: `.env`. (text of at most 4096 characters) */
    readonly file: string;
    /** Name of the variable: `SESSION_SECRET`. (text of at most 128 characters) */
    readonly name: string;
    /** How many random bytes. (whole number from 16 to 512) */
    readonly bytes: number;
  };
  /** Makes a directory that is missing, with owner and mode of the directory it lies in. */
  make_directory: {
    /** The directory to make, with those above it that are missing. (text of at most 4096 characters) */
    readonly path: string;
  };
  /** Gives a path back the owner and mode it had at the last good boot, never wider ones. */
  restore_permissions: {
    /** The file or directory. (text of at most 4096 characters) */
    readonly path: string;
    /** The owner; the one of the last good boot when it is left out. (whole number from 0 to 4294967294) */
    readonly uid?: number | null;
    /** The group; the one of the last good boot when it is left out. (whole number from 0 to 4294967294) */
    readonly gid?: number | null;
    /** The permissions, such as `640`; those of the last good boot when they are left out. Never writable for everybody. (three octal digits, or their number) */
    readonly mode?: string | number | null;
    /** Everything below the directory too. (true or false) */
    readonly recursive?: boolean | null;
  };
  /** Moves a lock or pid file aside whose process is gone. */
  remove_stale_lock: {
    /** The lock or pid file, a lock link or a lock directory. (text of at most 4096 characters) */
    readonly path: string;
    /** The process that holds it by its message, where the file does not say so itself. (whole number from 1 to 4194304) */
    readonly pid?: number | null;
    /** The command that a living holder would be; another program with that pid is none. (text of at most 4096 characters) */
    readonly expect?: string | null;
  };
  /** Moves a socket file aside at which nobody listens any more. */
  remove_stale_socket: {
    /** The socket file. (text of at most 4096 characters) */
    readonly path: string;
  };
  /** Ends a stale copy of the component that still holds its port; never anybody else. */
  free_port: {
    /** The port. (whole number from 1 to 65535) */
    readonly port: number;
  };
  /** Waits until nobody holds a port any more. */
  wait_for_port: {
    /** The port. (whole number from 1 to 65535) */
    readonly port: number;
    /** The longest wait, in milliseconds. (whole number from 0 to 1800000) */
    readonly timeoutMs: number;
  };
  /** Starts a dependency with the start command that is declared for it. */
  start_dependency: {
    /** Name of the dependency, as in the configuration. (text of at most 200 characters) */
    readonly name: string;
  };
  /** Waits until something answers at an address. */
  wait_for_dependency: {
    /** Host name or address. (text of at most 253 characters) */
    readonly host: string;
    /** The port. (whole number from 1 to 65535) */
    readonly port: number;
    /** The longest wait, in milliseconds. (whole number from 0 to 1800000) */
    readonly timeoutMs: number;
  };
  /** Installs the declared packages anew at the versions of the lock file; the old ones wait aside until that has worked. */
  install_packages: {
    /** Where the manifest lies; `.` for the directory of the component. (text of at most 4096 characters) */
    readonly directory: string;
    /** The package manager; the one of the lock file when it is left out. (one of npm, pnpm, yarn, pip, bundler, composer) */
    readonly manager?: 'npm' | 'pnpm' | 'yarn' | 'pip' | 'bundler' | 'composer' | null;
    /** Only when what is installed is not known to be what the lock file says; false where it is left out. (true or false) */
    readonly ifNeeded?: boolean | null;
  };
  /** Builds the native parts of installed npm packages for the present runtime. */
  rebuild_packages: {
    /** The directory of the project. (text of at most 4096 characters) */
    readonly directory: string;
  };
  /** Runs a script of the project's package.json that builds something, and looks whether it is there then. */
  run_project_script: {
    /** The directory of the project. (text of at most 4096 characters) */
    readonly directory: string;
    /** Name of the script in package.json. (text of at most 80 characters) */
    readonly script: string;
    /** The path that has to be there afterwards. (text of at most 4096 characters) */
    readonly makes?: string | null;
  };
  /** Generates the code that a package makes from the project's schema, with the tool that is installed for it. */
  generate_client: {
    /** The directory of the project. (text of at most 4096 characters) */
    readonly directory: string;
    /** The tool that makes the code. (one of prisma) */
    readonly tool: 'prisma';
  };
  /** Links a virtual environment of Python to the same version where that is now. */
  relink_interpreter: {
    /** The virtual environment: `.venv`. (text of at most 4096 characters) */
    readonly directory: string;
  };
  /** Runs the component's own migration command; a SQLite database is copied first. */
  run_migrations: { readonly [none: string]: never };
  /** Records migrations again that were recorded at the last good boot and whose schema is there. */
  record_migrations: {
    /** Names of migrations, with or without their table: `table/name`. An empty list means none. (list of at most 5000 texts) */
    readonly migrations: readonly string[];
  };
  /** Makes missing tables again, empty, as they were at the last good boot. */
  restore_tables: {
    /** Names of tables, with or without their schema. An empty list means none. (list of at most 500 texts) */
    readonly tables: readonly string[];
  };
  /** Adds missing columns of tables again, empty, as they were at the last good boot. */
  restore_columns: {
    /** Columns, as `table.column`. An empty list means none. (list of at most 500 texts) */
    readonly columns: readonly string[];
  };
  /** Puts the newest whole copy in the place of a corrupt SQLite database and keeps the broken one with its WAL. */
  recover_sqlite: {
    /** The database file. (text of at most 4096 characters) */
    readonly path: string;
  };
  /** Cuts an unfinished write off the end of an append-only file, after copying it. */
  repair_append_only_file: {
    /** The append-only file, its manifest or their directory. (text of at most 4096 characters) */
    readonly path: string;
    /** The check tool that belongs to the database: `redis-check-aof`. (text of at most 4096 characters) */
    readonly tool: string;
  };
  /** Removes the oldest files that the configuration declares expendable until enough room is free. */
  free_disk_space: {
    /** A path on the disk that is full. (text of at most 4096 characters) */
    readonly path: string;
    /** How much has to be free. (whole number from 1 to 9007199254740991) */
    readonly bytes: number;
  };
  /** Raises the heap limit of the component, at most to half of the memory of the machine. */
  raise_heap_limit: {
    /** The new limit, in MiB. (whole number from 16 to 1048576) */
    readonly toMb: number;
  };
  /** Raises the limit of open files of the component, at most to the hard limit. */
  raise_open_files: {
    /** The new limit. (whole number from 64 to 1048576) */
    readonly to: number;
  };
  /** Sets a variable, never a secret, for the next starts of the component. */
  set_env_override: {
    /** Name of the variable. (text of at most 128 characters) */
    readonly name: string;
    /** Its value; may be empty. (one line of at most 4096 characters, or nothing) */
    readonly value: string;
  };
  /** Sets how many workers, threads or pooled connections the component has, by the variable that it already reads. */
  scale_workers: {
    /** Name of the variable: `WEB_CONCURRENCY`, `DB_POOL_SIZE`. It has to be set for the component already. (text of at most 128 characters) */
    readonly name: string;
    /** The new number; brought within the bounds. (whole number from 1 to 1024) */
    readonly to: number;
    /** The fewest there may ever be. (whole number from 1 to 1024) */
    readonly min: number;
    /** The most there may ever be, also after several steps. (whole number from 1 to 1024) */
    readonly max: number;
  };
  /** Gives the component a free port from its next start, by the variable that tells it its port, where nobody else counts on the old one. */
  use_another_port: {
    /** Name of the variable that tells the component its port: `METRICS_PORT`. (text of at most 128 characters) */
    readonly variable: string;
    /** The port that it has now, and that somebody else holds. (whole number from 1 to 65535) */
    readonly port: number;
    /** The first port to look at; the one after `port` unless set. (whole number from 1024 to 65535) */
    readonly from?: number | null;
    /** The last port to look at; 100 are looked at unless set. (whole number from 1024 to 65535) */
    readonly to?: number | null;
  };
  /** Lets a stopped process of the component go on (SIGCONT). */
  resume_process: { readonly [none: string]: never };
  /** Stops the component and starts it again. */
  restart_component: {
    /** Why, for the people who read of it. (text of at most 500 characters) */
    readonly reason: string;
  };
  /** Leaves out an optional component whose tool is missing. */
  skip_component: {
    /** Why, for the people who read of it. (text of at most 500 characters) */
    readonly reason: string;
  };
  /** Runs one command that the configuration allows, word by word and without a shell. */
  shell: {
    /** The command and its arguments, one word each: nothing is expanded, split or redirected. (list of 1 to 64 texts) */
    readonly argv: readonly string[];
    /** After how many milliseconds it is ended and has failed. (whole number from 1 to 300000) */
    readonly timeoutMs: number;
  };
  /** Lists where the code of the component starts something asynchronous and does not wait for it, and tells people. */
  find_unawaited_calls: {
    /** Only calls of the function or method with this name. (text of at most 200 characters) */
    readonly called?: string | null;
  };
  /** Groups what the component said wrong in the last minutes by the statement that said it, and tells people. */
  group_recent_errors: {
    /** How far it looks back; 5 minutes unless set. (whole number from 1 to 1440) */
    readonly minutes?: number | null;
  };
  /** Tells the people who watch this boot something. */
  notify: {
    /** What to say. (text of at most 2000 characters) */
    readonly message: string;
  };
}
