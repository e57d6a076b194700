/** The program or language whose words were understood. */
export type FactRuntime =
  | 'node'
  | 'python'
  | 'go'
  | 'java'
  | 'ruby'
  | 'php'
  | 'postgres'
  | 'sqlite'
  | 'redis'
  | 'nginx'
  | 'mysql'
  | 'openssl'
  | 'shell'
  | 'kernel'
  | 'dotnet'
  | 'rust'
  | 'mongodb'
  | 'rabbitmq'
  | 'nats'
  | 'mosquitto'
  | 'grace'
  | 'unknown';

/** What kind of thing went wrong, whatever the language it was said in. */
export type FactKind =
  | 'port_in_use' // subject: port
  | 'port_forbidden' // subject: port (bind: permission denied)
  | 'path_missing' // subject: path
  | 'permission_denied' // subject: path
  | 'read_only_file_system' // subject: path, when named
  | 'not_a_directory' // subject: path
  | 'is_a_directory' // subject: path
  | 'module_missing' // subject: package or module as written by the importer
  | 'export_missing' // subject: name; details.module
  | 'circular_import' // subject: module
  | 'native_module_broken' // subject: package or .node/.so path
  | 'runtime_version_mismatch' // subject: what wants which version
  | 'syntax_error' // subject: path; details.line, details.column, details.language
  | 'data_corrupt' // subject: path, when named; details.engine
  | 'env_missing' // subject: variable
  | 'config_invalid' // subject: path or key; details.line, details.key
  | 'connection_refused' // subject: host:port
  | 'connection_lost' // subject: host:port, when named
  | 'host_unresolved' // subject: host
  | 'not_ready_yet' // subject: engine ("the database system is starting up")
  | 'auth_failed' // subject: user; details.engine
  | 'database_missing' // subject: database
  | 'too_many_connections' // subject: engine
  | 'relation_missing' // subject: name; details.object = table | column | function | index | type
  | 'relation_exists' // subject: name; details.object
  | 'migration_pending' // subject: tool or migration
  | 'migration_failed' // subject: migration, when named
  | 'database_locked' // subject: path, when named
  | 'lock_held' // subject: lock or pid file; details.pid when named
  | 'out_of_memory' // subject: '' ; details.limitMb when named
  | 'too_many_open_files' // subject: path, when named
  | 'disk_full' // subject: path, when named
  | 'encoding_error' // subject: codec
  | 'command_missing' // subject: command
  | 'certificate_problem' // subject: path or host; details.reason = missing | expired | mismatch | untrusted
  | 'writes_refused' // subject: engine (read-only replica, NOREPLICAS, MISCONF)
  | 'secret_mismatch' // subject: what cannot be decrypted, when named
  | 'unawaited' // subject: what was not awaited
  | 'timeout' // subject: what timed out
  // the Node world
  | 'build_missing' // subject: the directory or file that a build makes
  | 'client_not_generated' // subject: package whose code is generated
  | 'compile_error' // subject: path; details.line
  | 'module_system_mismatch' // subject: path, when named; details.wants = module | commonjs | typescript
  | 'registered_twice' // subject: route or name
  | 'start_timeout' // subject: plugin or hook that did not become ready
  | 'unknown_option' // subject: option as written
  | 'crypto_unsupported' // subject: algorithm, when named
  | 'package_manager_mismatch' // subject: manager that the project asks for
  | 'package_manager_unavailable' // subject: manager
  | 'access_refused' // subject: address, when named; code: HTTP status
  | 'service_busy' // subject: address, when named; code: HTTP status
  | 'credentials_missing' // subject: library; details.names = variables that the message names
  // Python, Ruby, PHP and what their frameworks and servers say
  | 'application_missing' // subject: the application as the server was told, or the variable that would tell it; details.reason
  | 'setting_refused' // subject: setting, when named; details.framework
  | 'encryption_key_wrong' // subject: key file or variable; details.reason = missing | wrong
  | 'runtime_extension_missing' // subject: extension; details.package
  | 'driver_missing' // subject: package or engine, when named
  | 'class_missing' // subject: class
  | 'module_shadowed' // subject: path of the file that hides a package of its name
  | 'worker_timeout' // subject: program; details.limitSeconds when named
  | 'used_too_early' // subject: what was not ready
  | 'runs_as_root' // subject: program
  | 'assets_missing' // subject: asset or manifest
  // What the machine gives, and what servers and runtimes refuse
  | 'library_missing' // subject: shared library that the loader does not find
  | 'library_too_old' // subject: version that is wanted (`GLIBC_2.34`); details.path
  | 'wrong_architecture' // subject: path of a program that this machine cannot run
  | 'process_limit' // no further process or thread; subject: ''
  | 'memory_refused' // asks for more memory than there is; subject: option or area; details.wantsMb
  | 'shared_memory_full' // subject: '' ; details.object = segment | semaphores
  | 'watch_limit' // of file watches
  | 'arguments_too_long' // subject: program
  | 'stack_overflow'
  | 'option_invalid' // subject: option of a runtime, as given
  | 'address_unavailable' // subject: address that this machine does not have
  | 'locale_missing' // subject: locale, when named
  | 'time_zone_missing' // subject: time zone
  | 'clock_wrong' // something is dated in the future
  | 'own_name_unresolved' // subject: the machine's own host name
  | 'storage_failing' // subject: path, when named (EIO, ESTALE, ENOTCONN)
  | 'rights_missing' // subject: table, schema, command, when named; details.engine, details.object
  | 'host_refused' // subject: user, when named; details.engine, details.host
  | 'encryption_mismatch' // details.wants = encrypted | plain: what the refusing side wants; details.engine
  | 'data_version_mismatch' // subject: engine and version that wrote the data; details.wants, details.has
  | 'extension_missing' // subject: extension, module or plugin of a server
  | 'constraint_violated' // subject: constraint or key
  | 'server_limit' // subject: setting that is too small
  | 'pool_exhausted' // subject: pool, when named
  | 'driver_incompatible' // subject: what the client does not understand; details.engine
  | 'migration_changed' // subject: migration that was edited after it was applied
  | 'migration_locked' // subject: lock; details.holder, details.since
  | 'declaration_conflict' // subject: queue, exchange, stream or index; details.argument
  | 'queue_missing' // subject: queue, exchange or stream
  | 'server_full' // subject: engine; details.resource = memory | disk
  | 'no_quorum' // subject: engine
  | 'wiring_broken' // subject: type that cannot be injected; details.into
  | 'artifact_broken' // subject: path of a built program
  | 'lock_file_outdated' // subject: lock file; details.package
  | 'exception'; // subject: error type; details.message; details.errno when the operating system refused something

/** Where in the code it happened: the first frame of the service's own code, or the first in a dependency. */
export interface Frame {
  readonly path: string;
  readonly function: string;
  readonly line: number | null;
  /** True for frames in `node_modules`, `site-packages`, a gem, the standard library. */
  readonly inDependency: boolean;
  /** The package, for a frame in a dependency. */
  readonly package: string | null;
}

/** One thing that the output of a failed component says, in typed form. */
export interface Fact {
  readonly kind: FactKind;
  readonly runtime: FactRuntime;
  /** The runtime's own code, where it has one: `EADDRINUSE`, SQLSTATE `42P01`, `SQLITE_BUSY`, `ModuleNotFoundError`. */
  readonly code: string;
  /** What it is about, as the message names it: a port, a path, a module, a variable. Empty when it names nothing. */
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  /** The line it was read from, redacted and cut: the evidence. */
  readonly line: string;
  /** Where that line is in the window that was read; later causes usually explain earlier symptoms less. */
  readonly lineIndex: number;
  /** The sentence itself, where the line has more: a record of a log, or words that say the same in another way. */
  readonly said?: string;
  /** How many causes stand above it in its chain, where there is one: the deepest counts. */
  readonly depth?: number;
}

/** What reading an output gave. */
export interface OutputFacts {
  /** In order of appearance, without duplicates. */
  readonly facts: readonly Fact[];
  /** Every frame of the stack that belongs to the deepest cause, else of the first one; innermost first; at most 40. */
  readonly frames: readonly Frame[];
  /** The line that best says what went wrong: the first error line, not the last. Empty when there is none. */
  readonly headline: string;
  /** The last thing that a program said which said very little: its reason, when it ended without an error. */
  readonly lastWords?: string;
  readonly runtime: FactRuntime;
}

/** Reads facts from cleaned lines (no colours, at most 512 characters each): see `catalog/readers`. */
export type FactReader = (lines: readonly string[]) => OutputFacts;
