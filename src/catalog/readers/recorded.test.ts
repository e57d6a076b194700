import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanLines, windowOf } from '../../domains/incidents/index.ts';
import { readFacts } from './index.ts';

/** Outputs of real programs, recorded as they failed, and what each of them says. */
const RECORDED = new URL('recorded/', import.meta.url);

interface Understanding {
  /** `runtime kind code <subject>`, in order of appearance. */
  readonly facts: readonly string[];
  /** File and line of the innermost frame in the service's own code. */
  readonly frame?: string;
}

const EXPECTED: Readonly<Record<string, Understanding>> = {
  'bash-bad-interpreter': { facts: ['shell command_missing 127 <./interp.sh>'] },
  'bash-command-missing': { facts: ['shell command_missing 127 <nonexistent-server>'] },
  'bash-env-required': { facts: ['shell env_missing unbound variable <API_KEY>'] },
  'bash-killed': { facts: ['shell out_of_memory SIGKILL <>'] },
  'bash-no-such-file': { facts: ['shell path_missing ENOENT <./start.sh>'] },
  'bash-syntax': { facts: ['shell syntax_error shell <syn.sh>'] },
  'bash-unbound': { facts: ['shell env_missing unbound variable <DATABASE_URL>'] },
  'caddy-directive': { facts: ['unknown config_invalid settings_line <Caddyfile>'] },
  'caddy-syntax': { facts: ['unknown config_invalid settings_line <Caddyfile>'] },
  'go-compile': { facts: ['go syntax_error go_build <go/undef/main.go>'] },
  'go-deadlock': { facts: ['go exception fatal <fatal error>'], frame: 'main.go:3' },
  'go-dial': { facts: ['go connection_refused ECONNREFUSED <127.0.0.1:38119>'] },
  'go-dns': { facts: ['go host_unresolved no such host <db.invalid>'] },
  'go-exec': { facts: ['go command_missing exec.ErrNotFound <migrate-tool>'] },
  'go-file': { facts: ['go path_missing ENOENT </etc/shop/config.yaml>'], frame: 'main.go:10' },
  'go-index': { facts: ['go exception panic <runtime error>'], frame: 'main.go:5' },
  'go-listen': { facts: ['go port_in_use EADDRINUSE <38111>'] },
  'go-no-package': { facts: ['go path_missing go_package <./cmd/server>'] },
  'go-panic': { facts: ['go exception panic <runtime error>'], frame: 'main.go:5' },
  'java-bind': { facts: ['java port_in_use EADDRINUSE <>'], frame: 'Main.java:6' },
  'java-cause': { facts: ['java path_missing NoSuchFileException </etc/shop/config.yaml>'], frame: 'Main.java:11' },
  'java-class-version': { facts: ['java runtime_version_mismatch UnsupportedClassVersionError <java 25>'] },
  'java-cnf': { facts: ['java module_missing ClassNotFoundException <org.postgresql.Driver>'], frame: 'Main.java:14' },
  'java-file': { facts: ['java path_missing NoSuchFileException </etc/shop/config.yaml>'], frame: 'Main.java:8' },
  'java-heap-flag': { facts: ['java out_of_memory OutOfMemoryError <>'] },
  'java-host': { facts: ['java host_unresolved UnknownHostException <db.invalid>'], frame: 'Main.java:13' },
  'java-jar-missing': { facts: ['java path_missing jarfile <target/shop.jar>'] },
  'java-main-missing': { facts: ['java module_missing ClassNotFoundException <com.example.Application>'] },
  'java-noclass': { facts: ['java module_missing ClassNotFoundException <Other>'], frame: 'Main.java:12' },
  'java-npe': { facts: ['java exception NullPointerException <java.lang.NullPointerException>'], frame: 'Main.java:17' },
  'java-oom': { facts: ['java out_of_memory OutOfMemoryError <>'], frame: 'Main.java:9' },
  'java-refused': { facts: ['java connection_refused ECONNREFUSED <>'], frame: 'Main.java:7' },
  'nginx-cert': { facts: ['openssl certificate_problem ENOENT </etc/tls/cert.pem>'] },
  'nginx-directive': { facts: ['nginx config_invalid unknown_directive </srv/app/ng/directive.conf>'] },
  'nginx-eof': { facts: ['nginx config_invalid unexpected_end </srv/app/ng/eof.conf>'] },
  'nginx-include': { facts: ['nginx path_missing ENOENT </etc/nginx/missing/mime.types>'] },
  'nginx-keymismatch': { facts: ['openssl certificate_problem KEY_VALUES_MISMATCH </srv/app/ng/b.key>'] },
  'nginx-logdir': { facts: ['nginx path_missing ENOENT </srv/missing/access.log>'] },
  'nginx-port': { facts: ['nginx port_in_use EADDRINUSE <38111>'] },
  'nginx-semicolon': { facts: ['nginx config_invalid invalid_parameter </srv/app/ng/semicolon.conf>'] },
  'nginx-upstream': { facts: ['nginx host_unresolved upstream <api.invalid>'] },
  'node20-dlopen': { facts: ['node native_module_broken ERR_DLOPEN_FAILED </srv/app/build/Release/addon.node>'], frame: 'dlopen.js:1' },
  'node20-entry-missing': { facts: ['node module_missing MODULE_NOT_FOUND </srv/app/dist/index.js>'] },
  'node20-esm-module-missing': { facts: ['node module_missing ERR_MODULE_NOT_FOUND <hono>'] },
  'node20-export-missing-cjs': { facts: ['node export_missing SyntaxError <nope>'] },
  'node20-export-missing': { facts: ['node export_missing SyntaxError <second>'] },
  'node20-heap': { facts: ['node out_of_memory heap <>'] },
  'node20-json-comma': { facts: ['node config_invalid json_parse <>'], frame: 'readjson.js:3' },
  'node20-json-empty': { facts: ['node config_invalid json_parse <>'], frame: 'readjson.js:3' },
  'node20-module-missing': { facts: ['node module_missing MODULE_NOT_FOUND <express>'], frame: 'missing.js:1' },
  'node20-path-missing': { facts: ['node path_missing ENOENT </srv/missing/settings.yaml>'], frame: 'noent.js:1' },
  'node20-port-in-use': { facts: ['node port_in_use EADDRINUSE <38111>'], frame: 'server.js:4' },
  'node20-refused': { facts: ['node connection_refused ECONNREFUSED <127.0.0.1:38113>'] },
  'node20-require-json': { facts: ['node config_invalid json_parse </srv/app/config.json>'], frame: 'requirejson.js:1' },
  'node20-spawn-missing': { facts: ['node command_missing ENOENT <ffmpeg-missing>'] },
  'node20-syntax-error': { facts: ['node syntax_error SyntaxError </srv/app/broken.js>'] },
  'node20-type-error': { facts: ['node exception  <TypeError>'], frame: 'type.js:2' },
  'node26-env-required': { facts: ['node env_missing missing <DATABASE_URL>'], frame: 'env.js:1' },
  'node26-env-var': { facts: ['node env_missing missing <STRIPE_KEY>'], frame: 'envvar.js:1' },
  'node26-envalid': {
    facts: [
      'unknown config_invalid validation <PORT>',
      'unknown env_missing missing <DATABASE_URL>',
      'unknown env_missing missing <SESSION_SECRET>',
    ],
  },
  'node26-esm-file-missing': { facts: ['node module_missing ERR_MODULE_NOT_FOUND </srv/app/lib/load.js>'] },
  'node26-fetch-refused': { facts: ['node exception  <TypeError>', 'node connection_refused ECONNREFUSED <127.0.0.1:38113>'] },
  'node26-heap': { facts: ['node out_of_memory heap <>'] },
  'node26-host-unresolved': { facts: ['node host_unresolved ENOTFOUND <db.internal.invalid>'] },
  'node26-import-json': { facts: ['node config_invalid json_parse </srv/app/config.json>'] },
  'node26-is-a-directory': { facts: ['node is_a_directory EISDIR <>'], frame: 'eisdir.js:1' },
  'node26-joi': { facts: ['node env_missing missing <DATABASE_URL>', 'node env_missing missing <REDIS_URL>'], frame: 'joi.js:3' },
  'node26-js-yaml': { facts: ['node config_invalid yaml_parse </srv/app/py/settings.yaml>'], frame: 'yaml.js:2' },
  'node26-json-cut': { facts: ['node config_invalid json_parse <>'], frame: 'readjson.js:3' },
  'node26-json-trailing-comma': { facts: ['node config_invalid json_parse <>'], frame: 'readjson.js:3' },
  'node26-module-missing': { facts: ['node module_missing MODULE_NOT_FOUND <express>'], frame: 'missing.js:1' },
  'node26-not-a-directory': { facts: ['node not_a_directory ENOTDIR </etc/passwd/data>'], frame: 'enotdir.js:1' },
  'node26-path-missing-promise': { facts: ['node path_missing ENOENT </srv/missing/settings.yaml>'] },
  'node26-pg-auth': { facts: ['postgres auth_failed 28P01 <shop>'] },
  'node26-pg-function': { facts: ['postgres relation_missing 42883 <uuid_generate_v9>'], frame: 'pgc.mjs:5' },
  'node26-pg-no-column': { facts: ['postgres relation_missing 42703 <nope>'], frame: 'pgc.mjs:5' },
  'node26-pg-no-database': { facts: ['postgres database_missing 3D000 <shop>'] },
  'node26-pg-no-table': { facts: ['postgres relation_missing 42P01 <invoices>'], frame: 'pgc.mjs:5' },
  'node26-pg-refused': { facts: ['node connection_refused ECONNREFUSED <127.0.0.1:38139>'] },
  'node26-pg-table-exists': { facts: ['postgres relation_exists 42P07 <users>'], frame: 'pgc.mjs:6' },
  'node26-pino-fatal': { facts: ['node config_invalid EADDRNOTAVAIL <203.0.113.9>'] },
  'node26-port-in-use-v4': { facts: ['node port_in_use EADDRINUSE <38112>'] },
  'node26-port-in-use-wrapped': { facts: ['node exception  <Error>', 'node port_in_use EADDRINUSE <38111>'], frame: 'wrapped.js:3' },
  'node26-refused': { facts: ['node connection_refused ECONNREFUSED <127.0.0.1:38113>'] },
  'node26-rejected-object': { facts: ['node exception ERR_UNHANDLED_REJECTION <UnhandledPromiseRejection>'] },
  'node26-require-json': { facts: ['node config_invalid json_parse </srv/app/config.json>'], frame: 'requirejson.js:1' },
  'node26-sqlite-cantopen': { facts: ['sqlite path_missing SQLITE_CANTOPEN </srv/missing/app.db>'], frame: 'sqlcantopen.mjs:2' },
  'node26-sqlite-locked': { facts: ['sqlite database_locked SQLITE_BUSY <busy.db>'], frame: 'sqllocked.mjs:3' },
  'node26-sqlite-no-column': { facts: ['sqlite relation_missing SQLITE_ERROR <email>'], frame: 'sqldup.mjs:4' },
  'node26-sqlite-no-table': { facts: ['sqlite relation_missing SQLITE_ERROR <orders>'], frame: 'sqlmiss.mjs:3' },
  'node26-sqlite-not-a-database': { facts: ['sqlite data_corrupt SQLITE_NOTADB <>'], frame: 'sqlnotadb.mjs:5' },
  'node26-sqlite-table-exists': { facts: ['sqlite relation_exists SQLITE_ERROR <users>'], frame: 'sqldup.mjs:4' },
  'node26-syntax-error-esm': { facts: ['node syntax_error SyntaxError </srv/app/lib/broken.mjs>'] },
  'node26-throw-string': { facts: ['node exception  <thrown value>'] },
  'node26-winston-error': { facts: ['node path_missing ENOENT </srv/missing/key.pem>'], frame: 'winston.js:4' },
  'node26-zod-env': {
    facts: [
      'node exception  <ZodError>',
      'node env_missing missing <DATABASE_URL>',
      'node config_invalid validation <PORT>',
      'node env_missing missing <SESSION_SECRET>',
    ],
    frame: 'zod.mjs:3',
  },
  'npm-missing-script': { facts: ['node command_missing missing_script <npm run dev>'] },
  'npm-no-package': { facts: ['node path_missing ENOENT </srv/app/none/package.json>'] },
  'npm-start-port-in-use': { facts: ['node port_in_use EADDRINUSE <38111>'], frame: 'server.js:4' },
  'pg-client-errors': {
    facts: [
      'postgres relation_missing 42P01 <invoices>',
      'postgres relation_missing 42703 <nope>',
      'postgres relation_exists 42P07 <users>',
      'postgres auth_failed 28P01 <shop>',
      'postgres database_missing 3D000 <shop>',
      'postgres relation_missing 42883 <uuid_generate_v9>',
      'postgres auth_failed 28P01 <postgres>',
      'postgres relation_exists 42701 <id>',
      'postgres relation_exists 42P07 <i>',
      'postgres syntax_error 42601 <>',
    ],
  },
  'pg-conf-value': { facts: ['postgres config_invalid 22023 </var/lib/postgresql/data/postgresql.conf>'] },
  'pg-conf': { facts: ['postgres config_invalid 42704 </var/lib/postgresql/data/postgresql.conf>'] },
  'pg-lock': { facts: ['postgres lock_held F0001 </var/lib/postgresql/data/postmaster.pid>'] },
  'pg-no-control': { facts: ['postgres path_missing ENOENT </var/lib/postgresql/data/global/pg_control>'] },
  'pg-no-datadir': { facts: ['postgres path_missing ENOENT </var/lib/postgresql/none>'] },
  'pg-no-wal': { facts: ['postgres data_corrupt no_checkpoint <>'] },
  'pg-ownership': { facts: ['postgres permission_denied wrong_ownership </var/lib/postgresql/data>'] },
  'pg-permissions': { facts: ['postgres permission_denied wrong_mode </var/lib/postgresql/data>'] },
  'pg-port': { facts: ['postgres port_in_use EADDRINUSE <38131>'] },
  'pg-root': { facts: ['postgres permission_denied runs_as_root <root>'] },
  'pg-version': { facts: ['postgres runtime_version_mismatch data_directory_version <postgres 14>'] },
  'psql-auth': { facts: ['postgres auth_failed 28P01 <postgres>'] },
  'psql-migration': {
    facts: ['postgres relation_exists 42701 <id>', 'postgres relation_exists 42P07 <i>', 'postgres syntax_error 42601 <m.sql>'],
  },
  'psql-no-database': { facts: ['postgres database_missing 3D000 <shop>'] },
  'psql-refused': { facts: ['postgres connection_refused 08001 <127.0.0.1:38139>'] },
  'py-attribute': { facts: ['python export_missing AttributeError <squareroot>'], frame: 'attr.py:2' },
  'py-chained': {
    facts: ['python path_missing ENOENT </srv/missing/model.bin>', 'python exception StartupError <StartupError>'],
    frame: 'chain.py:2',
  },
  'py-circular': { facts: ['python circular_import ImportError <shop.models>'], frame: 'views.py:1' },
  'py-command-missing': { facts: ['python command_missing ENOENT <pg_dumpp>'], frame: 'chdir.py:2' },
  'py-dash-m': { facts: ['python module_missing ModuleNotFoundError <shopserver>'] },
  'py-dns': { facts: ['python host_unresolved gaierror <db.invalid>'], frame: 'dns.py:2' },
  'py-encode-ascii': { facts: ['python encoding_error UnicodeEncodeError <ascii>'], frame: 'enc.py:1' },
  'py-encode-charmap': { facts: ['python encoding_error UnicodeEncodeError <charmap>'], frame: 'enc.py:1' },
  'py-env-keyerror': { facts: ['python env_missing KeyError <SECRET_KEY>'], frame: 'envkey.py:3' },
  'py-flask-port': { facts: ['python port_in_use EADDRINUSE <38111>'] },
  'py-import-name': { facts: ['python export_missing ImportError <OrderdDict>'], frame: 'impname.py:1' },
  'py-indent': { facts: ['python syntax_error IndentationError </srv/app/py/indent.py>'], frame: 'indent.py:3' },
  'py-json': { facts: ['python config_invalid json_parse <>'], frame: 'jsonbad.py:3' },
  'py-keyerror': { facts: ['python exception KeyError <KeyError>'], frame: 'key.py:2' },
  'py-memory': { facts: ['python out_of_memory MemoryError <>'], frame: 'mem.py:3' },
  'py-module-missing': { facts: ['python module_missing ModuleNotFoundError <fastapi_missing>'], frame: 'nomod.py:1' },
  'py-path-missing': { facts: ['python path_missing ENOENT </srv/missing/config.toml>'], frame: 'open.py:1' },
  'py-permission': { facts: ['python permission_denied EACCES </var/lib/shop/data.db>'], frame: 'perm.py:2' },
  'py-port-in-use': { facts: ['python port_in_use EADDRINUSE <38111>'], frame: 'serve.py:5' },
  'py-psycopg2-auth': { facts: ['postgres auth_failed 28P01 <shop>'], frame: 'pg.py:2' },
  'py-psycopg2-no-table': { facts: ['postgres relation_missing 42P01 <invoices>'], frame: 'pg.py:2' },
  'py-psycopg2-refused': { facts: ['postgres connection_refused 08001 <127.0.0.1:38139>'], frame: 'pg.py:2' },
  'py-pydantic-settings': {
    facts: [
      'python exception ValidationError <pydantic_core._pydantic_core.ValidationError>',
      'python env_missing missing <DATABASE_URL>',
      'python env_missing missing <REDIS_URL>',
    ],
    frame: 'settings.py:5',
  },
  'py-refused': { facts: ['python connection_refused ECONNREFUSED <127.0.0.1:38119>'], frame: 'conn.py:2' },
  'py-requests-refused': { facts: ['python connection_refused ECONNREFUSED <localhost:38119>'] },
  'py-sqlite-cantopen': { facts: ['sqlite path_missing SQLITE_CANTOPEN <>'], frame: 'sql.py:2' },
  'py-sqlite-locked': { facts: ['sqlite database_locked SQLITE_BUSY <>'], frame: 'locked.py:4' },
  'py-sqlite-malformed': { facts: ['sqlite data_corrupt SQLITE_CORRUPT <>'], frame: 'sql.py:3' },
  'py-sqlite-no-column': { facts: ['sqlite relation_missing SQLITE_ERROR <nope>'], frame: 'sql.py:3' },
  'py-sqlite-no-table': { facts: ['sqlite relation_missing SQLITE_ERROR <invoices>'], frame: 'sql.py:3' },
  'py-sqlite-notadb': { facts: ['sqlite data_corrupt SQLITE_NOTADB <>'], frame: 'sql.py:3' },
  'py-syntax': { facts: ['python syntax_error SyntaxError </srv/app/py/syn.py>'], frame: 'syn.py:1' },
  'py-toml': { facts: ['python config_invalid toml_parse <>'], frame: 'toml.py:2' },
  'py-unawaited': { facts: ['python unawaited RuntimeWarning <warm_cache>'] },
  'py-yaml': { facts: ['python config_invalid yaml_parse <py/settings.yaml>'], frame: 'yamlbad.py:3' },
  'redis-aof': { facts: ['redis data_corrupt aof_format <appendonly.aof.1.incr.aof>'] },
  'redis-bad-conf': { facts: ['redis config_invalid directive <bogus-directive>'] },
  'redis-conf-missing': { facts: ['redis path_missing config_file </etc/redis/none.conf>'] },
  'redis-dir': { facts: ['redis path_missing dir </srv/missing/redis>'] },
  'redis-logfile': { facts: ['redis path_missing logfile <>'] },
  'redis-noauth': { facts: ['redis auth_failed NOAUTH <>'] },
  'redis-noreplicas': { facts: ['redis writes_refused NOREPLICAS <redis>'] },
  'redis-oom-command': { facts: ['redis out_of_memory OOM <>'] },
  'redis-port': { facts: ['redis port_in_use EADDRINUSE <38111>'] },
  'redis-rdb-signature': { facts: ['redis data_corrupt rdb_signature <>'] },
  'redis-rdb': { facts: ['redis data_corrupt rdb_version <>'] },
  'redis-wrongpass': { facts: ['redis auth_failed WRONGPASS <>'] },
  'ruby-bundler-missing': { facts: ['ruby module_missing Bundler::GemNotFound <rack>'] },
  'ruby-cause': { facts: ['ruby exception RuntimeError <RuntimeError>', 'ruby path_missing ENOENT </etc/shop/x>'], frame: 'cause.rb:4' },
  'ruby-conn': { facts: ['ruby connection_refused ECONNREFUSED <127.0.0.1:38119>'], frame: 'conn.rb:2' },
  'ruby-file': { facts: ['ruby path_missing ENOENT </etc/shop/config.yml>'], frame: 'file.rb:1' },
  'ruby-key': { facts: ['ruby env_missing KeyError <DATABASE_URL>'], frame: 'key.rb:2' },
  'ruby-load': { facts: ['ruby module_missing LoadError <sinatra_missing>'], frame: 'load.rb:1' },
  'ruby-nometh': { facts: ['ruby exception NoMethodError <NoMethodError>'], frame: 'nometh.rb:2' },
  'ruby-port': { facts: ['ruby port_in_use EADDRINUSE <38111>'], frame: 'port.rb:2' },
  'ruby-syn': { facts: ['ruby syntax_error SyntaxError <rb/syn.rb>'] },
  'ruby-yml': { facts: ['ruby config_invalid yaml_parse <py/settings.yaml>'], frame: 'yml.rb:2' },
  'sh-permission': { facts: ['shell permission_denied EACCES <./noexec.sh>'] },
  'sh-script-missing': { facts: ['shell path_missing ENOENT <start-missing.sh>'] },
};

function read(name: string): ReturnType<typeof readFacts> {
  return readFacts(windowOf(cleanLines(readFileSync(new URL(`${name}.txt`, RECORDED), 'utf8'))));
}

describe('a recorded failure is understood', () => {
  it.each(Object.entries(EXPECTED))('%s', (name, expected) => {
    const output = read(name);
    const own = output.frames.find((frame) => !frame.inDependency);
    expect(output.facts.map((fact) => `${fact.runtime} ${fact.kind} ${fact.code} <${fact.subject}>`)).toEqual(expected.facts);
    expect(own && `${basename(own.path)}:${own.line}`).toBe(expected.frame);
    expect(output.headline).not.toBe('');
    expect(output.headline).not.toMatch(/^(?:node:|file:|Node\.js v|Traceback|\s*at )/);
  });

  it('leaves no recording without an expectation', () => {
    const names = readdirSync(RECORDED).map((file) => file.replace('.txt', ''));
    expect(names.filter((name) => !(name in EXPECTED) && !name.startsWith('healthy-'))).toEqual([]);
  });
});

describe('an ordinary start says nothing is wrong', () => {
  it.each(readdirSync(RECORDED).filter((file) => file.startsWith('healthy-')))('%s', (file) => {
    const output = read(file.replace('.txt', ''));
    expect(output.facts).toEqual([]);
    expect(output.headline).toBe('');
  });
});
