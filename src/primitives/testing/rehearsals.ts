import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { sha256Hex, type Json, type JsonObject } from '../../kernel/index.ts';
import { databaseState, rememberDatabase } from './real-database.ts';
import type { Sandbox } from './sandbox.ts';

/** How a primitive is rehearsed: a world in which it is ready to act, and what may go wrong with that world. */
export interface Rehearsal {
  /** Makes the world. @returns the parameters it is ready with there */
  ready(box: Sandbox): Promise<JsonObject>;
  /** Of a world in which nothing was made: parameters with which there is nothing to act on. A text says why there always is. */
  readonly absent: JsonObject | string;
  /** Changes the world after the plan, so that it must not act any more. A text says why there is nothing that could change. */
  readonly disturb: ((box: Sandbox) => Promise<void>) | string;
  /** What it changes beside the sandbox. */
  state?(box: Sandbox): Promise<Json>;
  /** It only waits or tells: nothing is different afterwards. */
  readonly onlyLooks?: true;
  /** What it did stays, as its undo says in words. */
  readonly stays?: RegExp;
  /** The same where Grace died in the middle, and nobody can tell what was made since. */
  readonly staysCutOff?: RegExp;
  /** A program that this machine lacks, by name; null or left out where all are there. */
  readonly lacks?: string | null;
}

const STALE_COPY = {
  pid: 4242,
  startTicks: 5,
  command: 'node',
  argv: ['node', 'server.js'],
  cwd: null,
  user: 'app',
  parentPid: 1,
  startedAtMs: 0,
  relation: 'own_stale',
} as const;
const PYTHON = readdirSync('/usr/bin')
  .map((name) => /^python(3\.\d+)$/.exec(name)?.[1])
  .find((version) => version !== undefined);

/** By the name of the primitive. A test fails for each that is not in here. */
export const REHEARSALS: Readonly<Record<string, Rehearsal>> = {
  restore_file: {
    async ready(box) {
      await box.write('config.json', '{"a":1}', 0o640, 7);
      await box.remember('config.json');
      await box.write('config.json', '{"a":', 0o600, 7);
      return { path: 'config.json' };
    },
    absent: { path: 'none.json' },
    disturb: async (box) => void (await box.write('config.json', '{"a":2, by a person')),
  },
  write_file: {
    async ready(box) {
      await box.write('feature.json', '{"on":true}', 0o640, 7);
      return { path: 'feature.json', content: '{"on":false}\n', over: sha256Hex('{"on":true}') };
    },
    absent: { path: 'none/feature.json', content: '{}' },
    disturb: async (box) => void (await box.write('feature.json', '{"on":"by a person"}')),
  },
  roll_back_release: {
    async ready(box) {
      await box.write('etc/app.conf', 'port = 1\n');
      await box.write('package-lock.json', '{"v":1}');
      for (const file of ['etc/app.conf', 'package-lock.json']) await box.remember(file);
      await box.write('etc/app.conf', 'port = 2\n');
      await box.write('package-lock.json', '{"v":2}');
      return { boot: 'boot_20261101_000000' };
    },
    absent: { boot: 'boot_20261101_000000' },
    disturb: async (box) => void (await box.write('etc/app.conf', 'port = 3, by a person\n')),
  },
  set_aside: {
    async ready(box) {
      await box.write('conf.d/good.conf', 'good');
      await box.remember('conf.d');
      await box.write('conf.d/bad.conf', 'bad');
      return { path: 'conf.d/bad.conf', digest: sha256Hex('bad') };
    },
    absent: { path: 'conf.d/none.conf', digest: sha256Hex('bad') },
    disturb: async (box) => void (await box.write('conf.d/bad.conf', 'corrected')),
  },
  create_env_file: {
    async ready(box) {
      await box.write('.env.example', 'A=1\n# secret: generate\nSESSION_SECRET=\n');
      return { file: '.env', example: '.env.example' };
    },
    absent: { file: '.env', example: '.env.example' },
    disturb: async (box) => void (await box.write('.env', 'A=mine\n')),
  },
  add_env_keys: {
    async ready(box) {
      await box.write('.env', 'A=1\n', 0o600);
      await box.write('.env.example', 'A=1\nB=2\n');
      return { file: '.env', keys: ['B'], from: 'example' };
    },
    absent: { file: '.env', keys: ['B'], from: 'example' },
    disturb: async (box) => void (await box.write('.env', 'A=1\nC=3\n')),
  },
  generate_secret: {
    async ready(box) {
      await box.write('.env', 'A=1\n', 0o600);
      return { file: '.env', name: 'SESSION_SECRET', bytes: 32 };
    },
    absent: { file: '.env', name: 'SESSION_SECRET', bytes: 32 },
    disturb: async (box) => void (await box.write('.env', 'A=1\nC=3\n')),
  },
  make_directory: {
    ready: async () => ({ path: 'data/uploads' }),
    absent: { path: '../nowhere/uploads' },
    disturb: async (box) => void (await box.write('data', 'a file')),
  },
  restore_permissions: {
    async ready(box) {
      await box.write('data/a.txt', 'a', 0o640, 7);
      await box.remember('data/a.txt');
      await fs.chmod(box.path('data/a.txt'), 0o600);
      await fs.chown(box.path('data/a.txt'), 0, 0);
      return { path: 'data/a.txt' };
    },
    absent: { path: 'data/a.txt' },
    disturb: async (box) => fs.chmod(box.path('data/a.txt'), 0o400),
  },
  remove_stale_lock: {
    async ready(box) {
      await box.write('server.pid', '4242\n');
      return { path: 'server.pid' };
    },
    absent: { path: 'server.pid' },
    async disturb(box) {
      const argv = ['node', 'server.js'];
      box.processTable.set(4242, { pid: 4242, startTicks: 5, command: 'node', argv, cwd: box.root, state: 'S', user: 'app', parentPid: 1 });
    },
  },
  remove_stale_socket: {
    async ready(box) {
      // Who listens and is killed leaves its socket file.
      const script = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
      try {
        execFileSync(process.execPath, ['-e', script, box.path('app.sock')], { stdio: 'ignore' });
      } catch {
        // it kills itself
      }
      box.socketAnswers = false;
      return { path: 'app.sock' };
    },
    absent: { path: 'app.sock' },
    async disturb(box) {
      box.socketAnswers = true;
    },
  },
  free_port: {
    async ready(box) {
      box.holder = STALE_COPY;
      return { port: 3000 };
    },
    absent: { port: 3000 },
    async disturb(box) {
      box.holder = { ...STALE_COPY, relation: 'foreign' };
    },
  },
  wait_for_port: {
    async ready(box) {
      box.holder = STALE_COPY;
      box.whileWaiting = () => (box.holder = null);
      return { port: 3000, timeoutMs: 1000 };
    },
    absent: { port: 3000, timeoutMs: 1000 },
    async disturb(box) {
      box.holder = null;
    },
    onlyLooks: true,
  },
  start_dependency: {
    ready: async () => ({ name: 'postgres' }),
    absent: 'which dependencies there are is known by who starts them: apply is told then',
    disturb: 'to start what runs is for its own start command to tell',
  },
  wait_for_dependency: {
    async ready(box) {
      box.whileWaiting = () => (box.reachable = true);
      return { host: '127.0.0.1', port: 5432, timeoutMs: 1000 };
    },
    absent: 'what is not there is what it waits for',
    async disturb(box) {
      box.reachable = true;
    },
    onlyLooks: true,
  },
  install_packages: {
    async ready(box) {
      await box.write('package.json', '{"name":"app","dependencies":{"dep":"1.0.0"}}\n');
      await box.write('package-lock.json', '{"lockfileVersion":3,"packages":{"":{}}}\n');
      await box.write('node_modules/dep/index.js', 'old');
      box.packages = { manager: 'npm', directory: box.root, lockFile: box.path('package-lock.json'), missing: [], damaged: [] };
      // No registry is asked in a test.
      box.runAs = async () => {
        await box.write('node_modules/dep/index.js', 'new');
        return { exitCode: 0, signal: null, stdout: '', stderr: '', timedOut: false, spawnErrorCode: null };
      };
      return { directory: '.' };
    },
    absent: { directory: 'none' },
    disturb: async (box) => fs.rm(box.path('package.json')),
    stays: /stay as they were installed: they are those of the lock file/,
  },
  rebuild_packages: {
    async ready(box) {
      await box.write('package.json', '{}');
      await box.write('node_modules/dep/index.js', 'old');
      return { directory: '.' };
    },
    absent: { directory: '.' },
    disturb: async (box) => fs.rm(box.path('node_modules'), { recursive: true }),
  },
  run_project_script: {
    async ready(box) {
      await box.write('package.json', '{"scripts":{"build":"node build.js"}}');
      await box.write('build.js', "require('fs').mkdirSync('dist'); require('fs').writeFileSync('dist/main.js', 'built');");
      return { directory: '.', script: 'build', makes: 'dist/main.js' };
    },
    absent: { directory: '.', script: 'build' },
    disturb: async (box) => void (await box.write('package.json', '{"scripts":{"build":"node other.js"}}')),
  },
  generate_client: {
    async ready(box) {
      await box.write('node_modules/.bin/prisma', '#!/bin/sh\n', 0o755);
      return { directory: '.', tool: 'prisma' };
    },
    absent: { directory: '.', tool: 'prisma' },
    disturb: async (box) => fs.rm(box.path('node_modules'), { recursive: true }),
  },
  relink_interpreter: {
    async ready(box) {
      await box.write('.venv/pyvenv.cfg', `home = /opt/gone/bin\nversion = ${PYTHON}.2\n`);
      await fs.mkdir(box.path('.venv/bin'));
      await fs.symlink('/opt/gone/bin/python3', box.path('.venv/bin/python3'));
      return { directory: '.venv' };
    },
    absent: { directory: '.venv' },
    async disturb(box) {
      await fs.rm(box.path('.venv/bin/python3'));
      await fs.symlink('/opt/other/bin/python3', box.path('.venv/bin/python3'));
    },
    lacks: PYTHON === undefined ? 'python3' : null,
  },
  run_migrations: {
    async ready(box) {
      sqlite(box, 'CREATE TABLE t (x TEXT)');
      await box.write(
        'migrate.cjs',
        "const { DatabaseSync } = require('node:sqlite'); new DatabaseSync('app.db').exec('CREATE TABLE IF NOT EXISTS more (x TEXT); INSERT INTO more VALUES (1)');",
      );
      box.component = { ...box.component, migrate: [process.execPath, 'migrate.cjs'], database: 'app.db' };
      return {};
    },
    absent: {},
    async disturb(box) {
      box.component = { ...box.component, migrate: [] };
    },
    // Who wrote to it after Grace had died cannot be told from what the migrations wrote.
    staysCutOff: /was written to since its migrations, and stays; the copy from before is/,
  },
  record_migrations: {
    async ready(box) {
      sqlite(box, MIGRATED);
      await rememberDatabase(box, { engine: 'sqlite', path: box.path('app.db') });
      sqlite(box, "DELETE FROM knex_migrations WHERE name = '2.js'");
      return { migrations: ['2.js'] };
    },
    absent: { migrations: ['2.js'] },
    disturb: async (box) => sqlite(box, "INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('2.js', 9, 9)"),
    state: sqliteState,
  },
  restore_tables: {
    async ready(box) {
      sqlite(box, MIGRATED);
      await rememberDatabase(box, { engine: 'sqlite', path: box.path('app.db') });
      sqlite(box, 'DROP TABLE orders');
      return { tables: ['orders'] };
    },
    absent: { tables: ['orders'] },
    disturb: async (box) => sqlite(box, 'CREATE TABLE orders (mine TEXT)'),
    state: sqliteState,
  },
  restore_columns: {
    async ready(box) {
      sqlite(box, MIGRATED);
      await rememberDatabase(box, { engine: 'sqlite', path: box.path('app.db') });
      sqlite(box, 'ALTER TABLE orders DROP COLUMN note');
      return { columns: ['orders.note'] };
    },
    absent: { columns: ['orders.note'] },
    disturb: async (box) => sqlite(box, 'ALTER TABLE orders ADD COLUMN note INTEGER'),
    state: sqliteState,
  },
  recover_sqlite: {
    async ready(box) {
      sqlite(box, `CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('${'y'.repeat(9000)}')`);
      await box.remember('app.db');
      await fs.truncate(box.path('app.db'), 5000);
      return { path: 'app.db' };
    },
    absent: { path: 'app.db' },
    disturb: async (box) => fs.appendFile(box.path('app.db'), 'more'),
  },
  repair_append_only_file: {
    async ready(box) {
      const set = (key: string): string => `*3\r\n$3\r\nSET\r\n$4\r\n${key}\r\n$5\r\nvalue\r\n`;
      const whole = `*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n${Array.from({ length: 50 }, (_, i) => set(`k${String(i).padStart(3, '0')}`)).join('')}`;
      await box.write('redis/appendonly.aof', `${whole}*3\r\n$3\r\nSET\r\n$4\r\nab`, 0o640, 77);
      return { path: 'redis/appendonly.aof', tool: 'redis-check-aof' };
    },
    absent: { path: 'redis/appendonly.aof', tool: 'redis-check-aof' },
    disturb: async (box) => fs.appendFile(box.path('redis/appendonly.aof'), 'x\r\n'),
    lacks: ['/usr/bin', '/usr/local/bin'].some((dir) => readdirSync(dir).includes('redis-check-aof')) ? null : 'redis-check-aof',
  },
  free_disk_space: {
    async ready(box) {
      box.component = { ...box.component, expendable: ['cache/*'] };
      await box.write('cache/old', 'old', 0o644, 0, box.nowMs - 3_600_000);
      return { path: '.', bytes: Number.MAX_SAFE_INTEGER };
    },
    absent: { path: '.', bytes: Number.MAX_SAFE_INTEGER },
    disturb: async (box) => void (await box.write('cache/old', 'in use', 0o644, 0, box.nowMs)),
  },
  raise_heap_limit: {
    ready: async () => ({ toMb: 512 }),
    absent: 'there always is a limit that could be set',
    async disturb(box) {
      box.overrides = { ...box.overrides, heapMb: 256 };
    },
  },
  raise_open_files: {
    ready: async () => ({ to: 2048 }),
    absent: 'there always is a limit that could be set',
    async disturb(box) {
      box.overrides = { ...box.overrides, openFiles: 1024 };
    },
  },
  set_env_override: {
    ready: async () => ({ name: 'LANG', value: 'C.UTF-8' }),
    absent: 'any variable can be set',
    async disturb(box) {
      box.overrides = { ...box.overrides, env: { LANG: 'de_DE.UTF-8' } };
    },
  },
  scale_workers: {
    async ready(box) {
      box.environment['WEB_CONCURRENCY'] = '2';
      return { name: 'WEB_CONCURRENCY', to: 4, min: 1, max: 8 };
    },
    absent: { name: 'WEB_CONCURRENCY', to: 4, min: 1, max: 8 },
    async disturb(box) {
      box.overrides = { ...box.overrides, env: { WEB_CONCURRENCY: '3' } };
    },
  },
  use_another_port: {
    async ready(box) {
      box.environment['METRICS_PORT'] = '9100';
      box.holders.set(9100, { ...STALE_COPY, relation: 'foreign' });
      return { variable: 'METRICS_PORT', port: 9100 };
    },
    absent: { variable: 'METRICS_PORT', port: 9100 },
    async disturb(box) {
      box.overrides = { ...box.overrides, env: { METRICS_PORT: '9200' } };
    },
  },
  resume_process: {
    ready: async () => ({}),
    absent: 'whether a process runs is known by who runs it: apply is told then',
    disturb: 'to let a process go on that is not stopped changes nothing',
  },
  restart_component: {
    ready: async () => ({ reason: 'it hangs' }),
    absent: 'a component can always be started',
    async disturb(box) {
      box.component = { ...box.component, kind: 'dependency' };
    },
  },
  skip_component: {
    async ready(box) {
      box.component = { ...box.component, optional: true };
      return { reason: 'its tool is missing' };
    },
    absent: { reason: 'its tool is missing' },
    async disturb(box) {
      box.component = { ...box.component, optional: false };
    },
  },
  shell: {
    async ready(box) {
      box.allowedCommands = [['true']];
      return { argv: ['true', 'x'], timeoutMs: 10_000 };
    },
    absent: { argv: ['true', 'x'], timeoutMs: 10_000 },
    async disturb(box) {
      box.allowedCommands = [['true', 'y']];
    },
  },
  find_unawaited_calls: {
    async ready(box) {
      await box.write('app.mjs', 'async function publish() {}\npublish();\n');
      return {};
    },
    absent: 'where there is no code it says so',
    disturb: 'code that was changed is looked at as it is',
    onlyLooks: true,
  },
  group_recent_errors: {
    ready: async () => ({ minutes: 5 }),
    absent: 'where nothing was said it says so',
    disturb: 'what is said meanwhile is looked at as well',
    onlyLooks: true,
  },
  notify: {
    ready: async () => ({ message: 'look here' }),
    absent: 'people can always be told',
    disturb: 'there is nothing that could forbid it',
    onlyLooks: true,
  },
};

const MIGRATED = `
  CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER NOT NULL, note TEXT);
  CREATE TABLE knex_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, batch INTEGER, migration_time INTEGER);
  INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('1.js', 1, 1), ('2.js', 1, 2);
`;

function sqlite(box: Sandbox, statements: string): void {
  const database = new DatabaseSync(box.path('app.db'));
  database.exec(statements);
  database.close();
}

function sqliteState(box: Sandbox): Promise<Json> {
  return databaseState({ engine: 'sqlite', path: box.path('app.db') });
}
