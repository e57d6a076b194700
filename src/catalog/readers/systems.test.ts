import { describe, expect, it } from 'vitest';
import { readFacts } from './index.ts';

/** `kind subject` of every fact; the sentences are those of the programs' documentation and public issues. */
const facts = (text: string): readonly string[] => readFacts(text.split('\n')).facts.map((f) => `${f.kind} ${f.subject}`.trim());

function says(sentences: readonly (readonly [text: string, expected: string])[]): void {
  it.each(sentences)('%s', (text, expected) => expect(facts(text)).toEqual([expected]));
}

describe('MongoDB', () =>
  says([
    ['MongoServerError: Authentication failed.', 'auth_failed'],
    [
      "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0, 'code': 18, 'codeName': 'AuthenticationFailed'}",
      'auth_failed',
    ],
    ['MongoServerError: not authorized on shop to execute command { find: "orders" }', 'rights_missing shop'],
    ['MongoServerError: command find requires authentication', 'auth_failed'],
    [
      'pymongo.errors.ConfigurationError: Server at 10.0.0.5:27017 reports wire version 4, but this version of PyMongo requires at least 6 (MongoDB 3.6).',
      'driver_incompatible wire version 4, and it wants 6',
    ],
    ['MongoServerError: Index with name: email_1 already exists with different options', 'declaration_conflict the index email_1'],
    [
      'MongoServerError: E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "a" }',
      'constraint_violated shop.users email_1',
    ],
    ['MongooseServerSelectionError: connect ECONNREFUSED 127.0.0.1:27017', 'connection_refused 127.0.0.1:27017'],
    [
      'DBPathInUse: Unable to lock the lock file: /data/db/mongod.lock (Resource temporarily unavailable). Another mongod instance is already running',
      'lock_held /data/db/mongod.lock',
    ],
    ['MongoServerError[NotWritablePrimary]: not primary', 'no_quorum mongodb'],
  ]));

describe('RabbitMQ and NATS', () =>
  says([
    ["ACCESS_REFUSED - access to queue 'jobs' in vhost '/' refused for user 'shop'", 'rights_missing jobs'],
    [
      "operation none caused a connection exception not_allowed: NOT_ALLOWED - access to vhost 'shop' refused for user 'guest'",
      'rights_missing shop',
    ],
    ['error:{timeout_waiting_for_tables,[rabbit@a,rabbit@b],[rabbit_durable_queue]}', 'no_quorum rabbitmq'],
    ['nats: Authorization Violation', 'auth_failed'],
    ['nats: stream name already in use with a different configuration', 'declaration_conflict the stream'],
    ['nats: stream not found', 'queue_missing the stream'],
    ['NatsError: JetStream system temporarily unavailable', 'no_quorum nats'],
  ]));

describe('databases', () =>
  says([
    ['Error: SCRAM authentication requires libpq version 10 or above', 'driver_incompatible SCRAM'],
    ['ERROR:  pg_stat_statements must be loaded via shared_preload_libraries', 'extension_missing pg_stat_statements'],
    ['psql: error: FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "shop", database "shop", SSL off', 'host_refused shop'],
    ["ERROR 1130 (HY000): Host '10.0.0.9' is not allowed to connect to this MariaDB server", 'host_refused'],
    ["ERROR 1044 (42000): Access denied for user 'shop'@'%' to database 'orders'", 'rights_missing orders'],
    ['Connections using insecure transport are prohibited while --require_secure_transport=ON.', 'encryption_mismatch'],
    ['[ERROR] InnoDB: Unsupported redo log format. The redo log was created with MariaDB 11.4.2.', 'data_version_mismatch'],
    ["ERR unknown command 'FT.SEARCH', with args beginning with: 'idx'", 'extension_missing FT'],
    ['ReplyError: ERR unknown command `XADD`, with args beginning with: `s`', 'driver_incompatible the command XADD'],
    ['DENIED Redis is running in protected mode because protected mode is enabled', 'host_refused'],
    ["Fatal: Can't handle RDB format version 12", 'data_version_mismatch RDB version 12'],
    ["Fatal: Can't handle RDB format version 0", 'data_corrupt'],
    ['sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00', 'pool_exhausted'],
    ['KnexTimeoutError: Knex: Timeout acquiring a connection. The pool is probably full.', 'pool_exhausted'],
  ]));

describe('nginx', () =>
  says([
    ['2026/11/26 05:17:25 [alert] 1132#1132: 1024 worker_connections are not enough', 'server_limit worker_connections'],
    [
      '2026/11/26 05:17:25 [emerg] 1132#1132: could not build server_names_hash, you should increase server_names_hash_bucket_size: 32',
      'server_limit server_names_hash_bucket_size',
    ],
  ]));

describe('runtimes', () =>
  says([
    ['java.util.zip.ZipException: zip END header not found', 'artifact_broken'],
    [
      "Config data resource 'file [config/application-prod.yml]' via location 'optional:file:./config/' does not exist",
      'path_missing config/application-prod.yml',
    ],
    ["The framework 'Microsoft.NETCore.App', version '8.0.0' (x64) was not found.", 'runtime_version_mismatch Microsoft.NETCore.App 8.0.0'],
    [
      "Unhandled exception. System.InvalidOperationException: A circular dependency was detected for the service of type 'Shop.A'.",
      'wiring_broken Shop.A',
    ],
    [
      "Unhandled exception. System.IO.FileNotFoundException: The configuration file 'appsettings.json' was not found and is not optional.",
      'path_missing appsettings.json',
    ],
    [
      "Unhandled exception. System.IO.FileNotFoundException: Could not load file or assembly 'Npgsql, Version=8.0.0.0'.",
      'module_missing Npgsql',
    ],
    [
      'Unhandled exception. System.Net.Sockets.SocketException (111): Connection refused [::ffff:127.0.0.1]:5432',
      'connection_refused 127.0.0.1:5432',
    ],
    [
      'error: the lock file /srv/app/Cargo.lock needs to be updated but --locked was passed to prevent this',
      'lock_file_outdated /srv/app/Cargo.lock',
    ],
    ["thread 'main' has overflowed its stack", 'stack_overflow'],
    ['panic: plugin.Open("./pay"): plugin was built with a different version of package internal/abi', 'artifact_broken ./pay'],
  ]));

describe('the system', () =>
  says(
    [
      ['sudo: unable to resolve host app-7f9c: Name or service not known', 'own_name_unresolved app-7f9c'],
      ['FATAL:  database locale is incompatible with operating system', 'locale_missing'],
      ['FATAL:  could not create semaphores: No space left on device', 'shared_memory_full'],
      ['jwt.exceptions.ImmatureSignatureError: The token is not yet valid (iat)', 'clock_wrong'],
      ['An error occurred (RequestTimeTooSkewed) when calling the PutObject operation', 'clock_wrong'],
      ["OSError: [Errno 116] Stale file handle: '/mnt/orders'", 'storage_failing /mnt/orders'],
      ['Error: listen EAFNOSUPPORT: address family not supported :::3000', 'address_unavailable ::'],
      ['BlockingIOError: [Errno 11] write could not complete without blocking', ''],
      ['Cannot fork', 'process_limit'],
      ['failed to create new OS thread (have 5 already; errno=11)', 'process_limit'],
    ].filter(([, expected]) => expected !== '') as [string, string][],
  ));

describe('what is said in passing', () => {
  it.each([
    '2026-11-26 05:20:11 INFO using time zone Europe/Berlin',
    'LOG:  time zone "Europe/Berlin" is set',
    'server.go: Clock skew is 3 ms',
    'Maximum stack size is 8192 kB',
    'INFO HikariPool-1 - Start completed.',
    '{"t":{"$date":"2026-11-26T05:20:11.949+00:00"},"s":"I","c":"CONTROL","ctx":"main","msg":"Wrong turn","attr":{"error":"none"}}',
  ])('%s', (text) => expect(facts(text)).toEqual([]));
});
