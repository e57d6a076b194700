import { describe, expect, it } from 'vitest';
import { cleanLines } from '../../domains/incidents/index.ts';
import { readFacts } from './index.ts';

function facts(text: string): string[] {
  return readFacts(cleanLines(text)).facts.map((fact) => `${fact.kind} ${fact.subject}`.trim());
}

describe('environment variables', () => {
  it.each([
    ['Missing required environment variables: DATABASE_URL, SESSION_SECRET', ['env_missing DATABASE_URL', 'env_missing SESSION_SECRET']],
    [
      "❌ Invalid environment variables: {\n  DATABASE_URL: [ 'Required' ],\n  PORT: [ 'Expected number, received nan' ]\n}",
      ['env_missing DATABASE_URL', 'config_invalid PORT'],
    ],
    [
      'Error: The following environment variables are missing:\n  - DATABASE_URL\n  - API_KEY\nPlease set them.',
      ['env_missing DATABASE_URL', 'env_missing API_KEY'],
    ],
    ['panic: required key DATABASE_URL missing value', ['env_missing DATABASE_URL']],
    ['Error: required environment variable "API_TOKEN" is not set', ['env_missing API_TOKEN']],
    ['django.core.exceptions.ImproperlyConfigured: Set the DATABASE_URL environment variable', ['env_missing DATABASE_URL']],
    ['decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or define a default value.', ['env_missing SECRET_KEY']],
    ['JWT_SECRET must be set', ['env_missing JWT_SECRET']],
    ['process.env.PORT is undefined', ['env_missing PORT']],
    ['DEBUG must be set in the environment', ['env_missing DEBUG']],
    ['Error: Missing env var: STRIPE_SECRET_KEY', ['env_missing STRIPE_SECRET_KEY']],
    [
      'java.lang.IllegalArgumentException: Could not resolve placeholder \'JWT_SECRET\' in value "${JWT_SECRET}"',
      ['env_missing JWT_SECRET'],
    ],
    ['Config validation error: "PORT" must be a number', ['config_invalid PORT']],
    ['✖ Invalid input: expected string, received undefined\n  → at DATABASE_URL', ['env_missing DATABASE_URL']],
  ])('%s', (text, expected) => expect(facts(text)).toEqual(expected));
});

describe('locks and ports', () => {
  it.each([
    ['Error: another instance of the worker is running (pid 4711)', ['lock_held']],
    ['unable to open lock file /srv/app/run/app.lock', ['lock_held /srv/app/run/app.lock']],
    ['unable to write pid file /run/app/app.pid: Permission denied', ['permission_denied /run/app/app.pid']],
    ['Error [OpenError]: IO error: lock /srv/app/db/LOCK: Resource temporarily unavailable', ['lock_held /srv/app/db/LOCK']],
    ['IO error: While lock file: /srv/app/data/LOCK: Resource temporarily unavailable', ['lock_held /srv/app/data/LOCK']],
    ['A server is already running (pid: 123, file: /srv/app/tmp/pids/server.pid).', ['lock_held /srv/app/tmp/pids/server.pid']],
    ['Web server failed to start. Port 8080 was already in use.', ['port_in_use 8080']],
    ['Error: listen EACCES: permission denied 0.0.0.0:80', ['port_forbidden 80']],
    ['Error: listen EADDRINUSE: address already in use /run/app.sock', ['lock_held /run/app.sock']],
    ["ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use", ['port_in_use 8000']],
    ['bind: Address already in use (98) on 127.0.0.1:6379', ['port_in_use 6379']],
    ['nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)', ['port_forbidden 80']],
    [
      "Can't start server: Bind on TCP/IP port: Address already in use\nDo you already have another mysqld server running on port: 3306 ?",
      ['port_in_use 3306'],
    ],
  ])('%s', (text, expected) => expect(facts(text)).toEqual(expected));

  it('keeps the process that holds the lock', () => {
    expect(readFacts(['Server already running with pid 4711']).facts[0]?.details).toEqual({ pid: 4711 });
  });
});

describe('compiled modules', () => {
  it.each([
    ['Error: Could not load the "sharp" module using the linux-x64 runtime', ['native_module_broken sharp']],
    [
      "Error: The module '/srv/app/node_modules/better-sqlite3/build/Release/better_sqlite3.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115.",
      ['native_module_broken better-sqlite3'],
    ],
    ['Error: /srv/app/node_modules/@img/x/lib/x.node: invalid ELF header', ['native_module_broken @img/x']],
    ['Error: /srv/app/build/x.node: wrong ELF class: ELFCLASS32', ['native_module_broken /srv/app/build/x.node']],
    ["node: /lib/libc.so.6: version `GLIBC_2.28' not found (required by node)", ['library_too_old GLIBC_2.28']],
    [
      "Error: Cannot find module '@rollup/rollup-linux-x64-gnu'. npm has a bug related to optional dependencies",
      ['native_module_broken @rollup/rollup-linux-x64-gnu'],
    ],
    ['ImportError: libGL.so.1: cannot open shared object file: No such file or directory', ['library_missing libGL.so.1']],
  ])('%s', (text, expected) => expect(facts(text)).toEqual(expected));
});

describe('Redis', () => {
  it('finds the log file in the directive above the complaint', () => {
    const text =
      "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 6\n>>> 'logfile /srv/app/log/redis/server.log'\nCan't open the log file: No such file or directory";
    expect(facts(text)).toEqual(['path_missing /srv/app/log/redis/server.log']);
  });

  it.each([
    ["12:M 01 Jan 2024 00:00:00.000 # Can't chdir to '/srv/redis': No such file or directory", ['path_missing /srv/redis']],
    ['12:M 01 Jan 2024 00:00:00.000 # Short read or OOM loading DB. Unrecoverable error, aborting now.', ['data_corrupt']],
    ['ReplyError: MISCONF Redis is configured to save RDB snapshots', ['writes_refused redis']],
    ['ReplyError: LOADING Redis is loading the dataset in memory', ['not_ready_yet redis']],
  ])('%s', (text, expected) => expect(facts(text)).toEqual(expected));
});

describe('errors over several lines', () => {
  it("reads the fields that Node prints below an error in somebody else's words", () => {
    const text =
      "Error: startup failed\n    at main (/srv/app/server.js:3:9) {\n  code: 'EADDRINUSE',\n  errno: -98,\n  syscall: 'listen',\n  address: '::',\n  port: 3000\n}";
    expect(facts(text)).toEqual(['exception Error', 'port_in_use 3000']);
  });

  it('names each address of an AggregateError', () => {
    const text =
      "AggregateError [ECONNREFUSED]: \n    at internalConnectMultiple (node:net:1122:18) {\n  code: 'ECONNREFUSED',\n  [errors]: [\n    Error: connect ECONNREFUSED ::1:5432\n        at createConnectionError (node:net:1652:14)\n    Error: connect ECONNREFUSED 127.0.0.1:5432";
    expect(facts(text)).toEqual(['connection_refused ::1:5432', 'connection_refused 127.0.0.1:5432']);
  });

  it('takes the deepest cause of a Java chain', () => {
    const text =
      'ERROR 1 --- [main] o.s.b.SpringApplication : Application run failed\njava.lang.IllegalStateException: outer\n\tat com.example.A.b(A.java:1)\nCaused by: java.lang.IllegalArgumentException: the tax table is empty\n\tat com.example.tax.Table.load(Table.java:7)\n\t... 20 more';
    const output = readFacts(cleanLines(text));
    expect(output.facts.map((fact) => fact.subject)).toEqual(['java.lang.IllegalArgumentException']);
    expect(output.frames[0]).toMatchObject({ path: 'com/example/tax/Table.java', line: 7, inDependency: false });
  });

  it('finds the file of a parse error on a line nearby', () => {
    expect(facts('Failed to load /srv/app/config/app.yml\nYAMLException: bad indentation of a mapping entry (3:4)')).toEqual([
      'config_invalid /srv/app/config/app.yml',
    ]);
    expect(readFacts(['SyntaxError: /srv/app/x.json: Unexpected token } in JSON at position 210']).facts[0]).toMatchObject({
      subject: '/srv/app/x.json',
      details: { position: 210 },
    });
  });

  it('does not read the source that is shown beside an error', () => {
    const text =
      "/srv/app/server.js:12\n    throw new Error('connect ECONNREFUSED 127.0.0.1:1');\n    ^\n\nTypeError: x is not a function\n    at /srv/app/server.js:12:1";
    expect(facts(text)).toEqual(['exception TypeError']);
  });
});

describe('loggers', () => {
  it('reads errors out of JSON and logfmt, even when the line was cut', () => {
    const pino =
      '{"level":60,"time":1,"err":{"type":"Error","message":"listen EADDRINUSE: address already in use :::3000","stack":"Error: listen EADDRINUSE: address already in use :::3000\\n    at Server.setupListenHandle (node:net:1';
    expect(facts(pino)).toEqual(['port_in_use 3000']);
    expect(
      facts(
        '{"time":"2024-01-01T00:00:00Z","level":"ERROR","msg":"startup failed","err":"open /etc/app/config.yaml: no such file or directory"}',
      ),
    ).toEqual(['path_missing /etc/app/config.yaml']);
    expect(
      facts('time="2024-01-01T00:00:00Z" level=fatal msg="failed to start" error="listen tcp :8080: bind: address already in use"'),
    ).toEqual(['port_in_use 8080']);
  });

  it('ignores what was said as information', () => {
    expect(facts('{"level":30,"msg":"previous run ended with: connect ECONNREFUSED 127.0.0.1:6379"}')).toEqual([]);
    expect(facts('2024-01-01 10:00:00 INFO  previous run: No space left on device')).toEqual([]);
  });

  it('believes a warning only when the program then failed without a better reason', () => {
    const warning = '2024-01-01 10:00:00 WARN redis: connect ECONNREFUSED 127.0.0.1:6379, retrying in 1s';
    expect(facts(`${warning}\n2024-01-01 10:00:01 INFO connected`)).toEqual([]);
    expect(facts(`${warning}\n2024-01-01 10:00:01 FATAL giving up after 1 attempt`)).toEqual(['connection_refused 127.0.0.1:6379']);
    expect(facts(`${warning}\nError: Cannot find module 'express'`)).toEqual(['module_missing express']);
  });
});

describe('the same thing said twice', () => {
  it('is one fact', () => {
    const line = "Error: Cannot find module 'express'";
    expect(facts(`${line}\n${line}`)).toEqual(['module_missing express']);
  });

  it('is dropped where it names nothing', () => {
    expect(facts('Address already in use\nError: listen EADDRINUSE: address already in use :::3000')).toEqual(['port_in_use 3000']);
  });
});

describe('an ordinary start says nothing is wrong', () => {
  it.each([
    [
      'Spring Boot',
      '2024-05-01T10:00:00.000Z  INFO 1 --- [main] c.e.shop.Application : Starting Application using Java 21 with PID 1 (/srv/app/app.jar started by app in /srv/app)\n2024-05-01T10:00:01.000Z  WARN 1 --- [main] JpaBaseConfiguration : spring.jpa.open-in-view is enabled by default.\n2024-05-01T10:00:02.000Z  INFO 1 --- [main] o.s.b.w.embedded.tomcat.TomcatWebServer : Tomcat started on port 8080 (http)',
    ],
    [
      'Rails',
      '=> Booting Puma\n=> Rails 7.1.3 application starting in production\nPuma starting in single mode...\n* Listening on http://0.0.0.0:3000\nUse Ctrl-C to stop',
    ],
    [
      'Uvicorn',
      'INFO:     Started server process [1]\nINFO:     Waiting for application startup.\nINFO:     Application startup complete.\nINFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)',
    ],
    [
      'Django',
      'Watching for file changes with StatReloader\nPerforming system checks...\nSystem check identified no issues (0 silenced).\nStarting development server at http://127.0.0.1:8000/',
    ],
    [
      'Gunicorn',
      '[2024-01-01 00:00:00 +0000] [1] [INFO] Starting gunicorn 21.2.0\n[2024-01-01 00:00:00 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)\n[2024-01-01 00:00:00 +0000] [7] [INFO] Booting worker with pid: 7',
    ],
    ['Next.js', '▲ Next.js 15.0.0\n- Local:        http://localhost:3000\n- Environments: .env\n✓ Starting...\n✓ Ready in 1.2s'],
    [
      'NestJS',
      '[Nest] 1  - 01/01/2024, 10:00:00 AM     LOG [NestFactory] Starting Nest application...\n[Nest] 1  - 01/01/2024, 10:00:00 AM     LOG [ExceptionsHandler] global error filter registered\n[Nest] 1  - 01/01/2024, 10:00:00 AM     LOG [NestApplication] Nest application successfully started',
    ],
    [
      'MySQL',
      "2024-01-01T00:00:00.000000Z 0 [Warning] [MY-010068] [Server] CA certificate ca.pem is self signed.\n2024-01-01T00:00:00.000000Z 0 [System] [MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.0.36'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306",
    ],
    [
      'MongoDB',
      '{"t":{"$date":"2024-01-01T00:00:00.000+00:00"},"s":"I","c":"NETWORK","id":23015,"ctx":"listener","msg":"Listening on","attr":{"address":"0.0.0.0"}}\n{"t":{"$date":"2024-01-01T00:00:00.000+00:00"},"s":"I","c":"NETWORK","id":23016,"ctx":"listener","msg":"Waiting for connections","attr":{"port":27017,"ssl":"off"}}',
    ],
    [
      'zap',
      '{"level":"info","ts":1700000000.1,"caller":"app/main.go:12","msg":"retry policy: 3 attempts, error budget 0.1%"}\n{"level":"info","ts":1700000000.2,"msg":"listening","addr":":8080","error":null}',
    ],
    [
      'migrations',
      'Applying migrations...\n0 pending migrations, no errors\nNo migration failed\nAll migrations have been successfully applied.',
    ],
    [
      'settings',
      'Loaded env: NODE_ENV=production LOG_LEVEL=info\nDATABASE_URL is set\nusing default for CACHE_TTL because it is not set\nSESSION_SECRET: [set]\nrequired checks: 4 passed, 0 failed',
    ],
    [
      'optional parts',
      'Cache directory /srv/app/cache does not exist yet, creating it\nServer already started, skipping warmup\nrelation "users" already exists, skipping\nSENTRY_DSN not set, error reporting disabled\nListening on port 3000 (EADDRINUSE fallback enabled)\nerror: null',
    ],
    [
      'Kafka',
      '[2024-01-01 00:00:00,000] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)\n[2024-01-01 00:00:00,000] WARN No meta.properties file under dir /var/lib/kafka (kafka.server.BrokerMetadataCheckpoint)',
    ],
    [
      'deprecations',
      '(node:1) [DEP0040] DeprecationWarning: The `punycode` module is deprecated.\nnpm warn deprecated inflight@1.0.6: This module is not supported\n/x/app.py:3: DeprecationWarning: pkg_resources is deprecated',
    ],
  ])('%s', (_server, text) => {
    const output = readFacts(cleanLines(text));
    expect(output.facts).toEqual([]);
    expect(output.headline).toBe('');
  });
});

describe('hostile text', () => {
  it.each([
    '(',
    'at ',
    '":"',
    '{"a":',
    '    at a.b.c(',
    'File "',
    'A_B ',
    'a.b.',
    '/a/b',
    'Error: ',
    '[[[',
    '~^ ',
    '\\"',
    'Caused by: ',
    'listen bind ',
    'lock file "',
    'spawn ',
    'level=error msg="',
  ])('%s, over and over, is read to its end', (part) => {
    const line = part.repeat(512).slice(0, 512);
    const output = readFacts(Array.from({ length: 400 }, () => line));
    expect(output.frames.length).toBeLessThanOrEqual(40);
    expect(output.facts.length).toBeLessThanOrEqual(64);
  });
});

describe('settings with a line number', () => {
  it.each([
    ['[ALERT] (1) : parsing [/etc/haproxy/haproxy.cfg:27] : unknown keyword', []],
    ['/srv/app/etc/app.conf:3: unknown option "colour"', ['config_invalid /srv/app/etc/app.conf']],
    ['config:12: syntax error near "}"', ['config_invalid config']],
    ['db.example.com:5432: unknown host', []],
    ['127.0.0.1:8080: invalid request', []],
  ])('%s', (text, expected) => expect(facts(text).filter((one) => one.startsWith('config_invalid'))).toEqual(expected));
});

describe('secrets', () => {
  it.each([
    ['26 Nov 05:52:02 - [warn] Error loading flows: Error: Failed to decrypt credentials', ['secret_mismatch credentials']],
    [
      'Credentials could not be decrypted. The likely reason is that a different "encryptionKey" was used.',
      ['secret_mismatch credentials'],
    ],
    ['error:1C800064:Provider routines::bad decrypt', ['secret_mismatch']],
    ['cryptography.fernet.InvalidToken', ['secret_mismatch']],
    ['javax.crypto.BadPaddingException: Given final block not properly padded.', ['secret_mismatch']],
    ['ActiveSupport::MessageEncryptor::InvalidMessage (ActiveSupport::MessageEncryptor::InvalidMessage)', ['secret_mismatch']],
    ['info: everything was decrypted', []],
  ])('%s', (text, expected) => expect(facts(text).slice(0, 1)).toEqual(expected));
});

describe('files that a program misses in its own words', () => {
  it.each([
    [
      'cannot open config file /srv/app/config.yaml: Error: config file does not exist or not reachable',
      ['path_missing /srv/app/config.yaml'],
    ],
    ["Configuration file 'etc/app.toml' was not found", ['path_missing etc/app.toml']],
    ['The requested file was not found', []],
    ['GET /missing.html 404 not found', []],
    ['a file of some user does not exist', []],
  ])('%s', (text, expected) => expect(facts(text)).toEqual(expected));
});
