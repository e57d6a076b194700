import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigProject, mistakeLines } from './config-project.ts';

const api = { command: ['node', 'api.js'] };

describe('a config that is right', () => {
  it('gives each component everything it needs, with absolute paths and milliseconds', async () => {
    using project = new ConfigProject({
      'grace.config.json': {
        name: 'orders',
        components: {
          api: {
            command: 'node api.ts --name "a b"',
            cwd: 'services/api',
            env: { NODE_ENV: 'production' },
            envFile: ['.env', '.env.local'],
            requiredEnv: ['API_TOKEN'],
            port: 4610,
            startup: { tcp: true, every: 200 },
            readiness: { http: '/ready', status: [200, 204], timeout: '1.5s', failures: 3 },
            liveness: { command: ['true'] },
            restart: { policy: 'on_failure', intensity: 2, period: '1m', backoff: '1s', backoffMax: '20s' },
            stop: { signal: 'SIGINT', grace: '10s' },
            limits: { openFiles: 1024, heapMb: 256 },
            log: 'logs/api.log',
            data: ['data', '/var/lib/orders'],
            expendable: ['tmp/**'],
            migrate: 'node migrate.ts',
            database: '$DATABASE_URL',
            keep: ['settings.json'],
          },
          worker: { command: ['node', 'worker.ts'], dependsOn: ['api'], critical: false, readiness: { file: 'data/beat', maxAge: '5s' } },
        },
      },
    });
    const config = await project.load();
    const at = (path: string): string => join(project.dir, path);
    const [first, second] = config.components;
    expect(first).toEqual({
      name: 'api',
      kind: 'process',
      command: ['node', 'api.ts', '--name', 'a b'],
      cwd: at('services/api'),
      env: { NODE_ENV: 'production' },
      envFiles: [at('.env'), at('.env.local')],
      loadEnvFiles: true,
      needsEnvFiles: true,
      requiredEnv: ['API_TOKEN'],
      dependsOn: [],
      critical: true,
      optional: false,
      port: 4610,
      host: '127.0.0.1',
      startup: { target: { kind: 'tcp', host: '127.0.0.1', port: 4610 }, intervalMs: 200, timeoutMs: 2000, failureThreshold: 1 },
      startupTimeoutMs: 60_000,
      readiness: {
        target: { kind: 'http', url: 'http://127.0.0.1:4610/ready', expectStatus: [200, 204], caFile: null },
        intervalMs: 2000,
        timeoutMs: 1500,
        failureThreshold: 3,
      },
      liveness: { target: { kind: 'command', argv: ['true'] }, intervalMs: 3000, timeoutMs: 1000, failureThreshold: 2 },
      soakMs: 2000,
      restart: { policy: 'on_failure', intensity: 2, periodMs: 60_000, backoffMs: 1000, backoffMsMax: 20_000 },
      stop: { signal: 'SIGINT', graceMs: 10_000 },
      limits: { openFiles: 1024, heapMb: 256 },
      logFile: at('logs/api.log'),
      roots: [at('services/api'), at('data'), '/var/lib/orders'],
      expendable: ['tmp/**'],
      migrate: ['node', 'migrate.ts'],
      database: '$DATABASE_URL',
    });
    expect(second).toMatchObject({ dependsOn: ['api'], critical: false, port: null, logFile: at('.grace/logs/worker.log') });
    expect(second?.readiness?.target).toEqual({ kind: 'file_age', path: at('data/beat'), maxAgeMs: 5000 });
    expect(config.keep.get('api')).toEqual([at('settings.json')]);
    expect(config).toMatchObject({ name: 'orders', projectDir: project.dir, dataDir: at('.grace'), playbooksDir: at('playbooks') });
  });

  it('makes components of dependencies, and lets those wait that need them', async () => {
    using project = new ConfigProject({
      'grace.config.json': {
        components: { api, worker: { command: 'node worker.js', dependsOn: ['redis'] } },
        dependencies: {
          postgres: { port: 5432, start: 'pg_ctl start', status: ['pg_isready'], waitFor: 'forever' },
          redis: { host: 'cache.internal', port: 6379, waitFor: '5s', startTimeout: '7s', critical: false },
        },
      },
    });
    const config = await project.load();
    const byName = new Map(config.components.map((component) => [component.name, component]));
    expect(byName.get('api')?.dependsOn).toEqual(['postgres']);
    expect(byName.get('worker')?.dependsOn).toEqual(['redis', 'postgres']);
    expect(byName.get('postgres')).toMatchObject({
      kind: 'dependency',
      command: ['pg_ctl', 'start'],
      port: 5432,
      critical: true,
      roots: [],
    });
    expect(byName.get('postgres')?.readiness?.target).toEqual({ kind: 'command', argv: ['pg_isready'] });
    expect(byName.get('postgres')?.liveness?.target).toEqual({ kind: 'tcp', host: '127.0.0.1', port: 5432 });
    expect(byName.get('redis')).toMatchObject({ command: [], critical: false, startupTimeoutMs: 7000 });
    expect(byName.get('redis')?.readiness?.target).toEqual({ kind: 'tcp', host: 'cache.internal', port: 6379 });
    expect([...config.dependencyWaits]).toEqual([
      ['postgres', { waitForMs: null, startTimeoutMs: 60_000 }],
      ['redis', { waitForMs: 5000, startTimeoutMs: 7000 }],
    ]);
  });

  it('asks a smoke check of the component it can only be about', async () => {
    using project = new ConfigProject({
      'grace.config.json': {
        components: { api: { ...api, port: 4610, host: '0.0.0.0' }, worker: { command: 'node worker.js' } },
        smoke: [
          { name: 'home', http: '/' },
          { name: 'database', tcp: '[::1]:5432', every: false, critical: false, timeout: 500 },
          { name: 'queue', command: 'node smoke.js', component: 'worker' },
        ],
      },
    });
    const { smoke } = await project.load();
    expect(smoke).toMatchObject([
      {
        name: 'home',
        target: { kind: 'http', url: 'http://127.0.0.1:4610/' },
        component: 'api',
        everyMs: 60_000,
        critical: true,
        timeoutMs: 10_000,
      },
      { name: 'database', target: { kind: 'tcp', host: '::1', port: 5432 }, everyMs: null, critical: false, timeoutMs: 500 },
      { name: 'queue', target: { kind: 'command', argv: ['node', 'smoke.js'] }, component: 'worker' },
    ]);
  });

  it('tells "no readiness probe" from "none written"', async () => {
    using project = new ConfigProject({
      'grace.config.json': { components: { a: { command: 'a', readiness: false, liveness: false }, b: { command: 'b' } } },
    });
    const [a, b] = (await project.load()).components;
    expect(a?.readiness?.target).toEqual({ kind: 'process' });
    expect(a?.liveness).toBeNull();
    expect(b?.readiness).toBeNull();
  });

  it('is the same in JSON with comments, YAML and a byte order mark', async () => {
    const texts = {
      'grace.config.json': '\uFEFF// ours\n{ "components": { "api": { "command": "node api.js", "soak": "3s", }, } }',
      'grace.config.yaml': 'components:\n  api:\n    command: node api.js\n    soak: 3s\n',
      'grace.config.yml': '{"components": {"api": {"command": "node api.js", "soak": "3s"}}}',
    };
    const specs = [];
    for (const [name, text] of Object.entries(texts)) {
      using project = new ConfigProject({ [name]: text });
      const [component] = (await project.load()).components;
      specs.push(JSON.stringify(component).replaceAll(project.dir, ''));
    }
    expect(new Set(specs).size).toBe(1);
  });

  it('is frozen through and through', async () => {
    using project = new ConfigProject({ 'grace.config.json': { components: { api } } });
    const command = ['node', 'other.js'];
    const config = await project.load({ command });
    expect(Object.isFrozen(config.components[0]?.restart)).toBe(true);
    expect(Object.isFrozen(config.components)).toBe(true);
    expect(Object.isFrozen(command)).toBe(false);
  });

  it('takes paths relative to a config that lies elsewhere', async () => {
    using project = new ConfigProject({ 'deploy/grace.json': { components: { api: { ...api, cwd: '..', data: ['../data'] } } } });
    const config = await project.load({ configFile: 'deploy/grace.json' });
    expect(config.projectDir).toBe(join(project.dir, 'deploy'));
    expect(config.components[0]?.roots).toEqual([project.dir, join(project.dir, 'data')]);
  });

  it('may hold nothing but settings: then the components are worked out', async () => {
    using project = new ConfigProject({ 'grace.config.yaml': 'soak: 1', 'package.json': { scripts: { start: 'node a.js' } } });
    project.write('grace.config.yaml', 'logLevel: debug');
    const config = await project.load();
    expect(config.logLevel).toBe('debug');
    expect(config.components.map(({ command }) => command)).toEqual([['node', 'a.js']]);
  });

  it('lets a command after -- stand for that of the only component', async () => {
    using project = new ConfigProject({ 'grace.config.json': { components: { api: { ...api, port: 4000 } } } });
    const config = await project.load({ command: ['node', '--inspect', 'api.js'] });
    expect(config.components[0]).toMatchObject({ name: 'api', command: ['node', '--inspect', 'api.js'], port: 4000 });
    expect(config.provenance.get('components.api.command')).toMatchObject({ source: 'flag' });
  });

  it('reads a megabyte of settings', async () => {
    const env = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`NAME_${n}`, 'value '.repeat(7)]));
    using project = new ConfigProject({ 'grace.config.json': { components: { api: { ...api, env } } } });
    expect(Object.keys((await project.load()).components[0]?.env ?? {})).toHaveLength(20_000);
  });
});

describe('who wins', () => {
  const config = {
    components: { api },
    dataDir: 'from-file',
    boot: { mode: 'layered', maxHealingAttempts: 1 },
    healing: { executeAtRuntime: true },
    monitor: { errorRateMax: 0.2, latencyP95Max: '9s', watchdog: '10s' },
    api: { port: 9000 },
  };

  it('is the environment over the file, and a flag over both', async () => {
    using project = new ConfigProject({ 'grace.config.json': config });
    const loaded = await project.load({
      environment: {
        SELF_HEAL_EXECUTE: 'false',
        MAX_HEALING_ATTEMPTS: '7',
        WATCHDOG_ERROR_RATE_THRESHOLD: '0.05',
        WATCHDOG_LATENCY_P95_MS: '1500',
        GRACE_PORT: '9100',
        GRACE_DATA_DIR: 'from-environment',
        GRACE_DATABASE_URL: 'postgres://grace@db/grace',
        AMP_API_KEY: 'key-0123456789',
      },
      flags: { dataDir: 'from-flag', mode: 'fast' },
    });
    expect(loaded).toMatchObject({
      dataDir: join(project.dir, 'from-flag'),
      databaseUrl: 'postgres://grace@db/grace',
      api: { port: 9100 },
      boot: { mode: 'fast', maxHealingAttempts: 7 },
      healing: { executeAtRuntime: false, ampApiKey: 'key-0123456789' },
      monitor: { errorRateMax: 0.05, latencyP95MsMax: 1500, watchdogMs: 10_000 },
    });
    expect(loaded.provenance.get('dataDir')?.source).toBe('flag');
    expect(loaded.provenance.get('boot.maxHealingAttempts')).toEqual({ source: 'environment', reason: 'MAX_HEALING_ATTEMPTS', value: 7 });
    expect(loaded.provenance.get('monitor.watchdog')?.source).toBe('file');
    expect(loaded.provenance.get('logLevel')).toMatchObject({ source: 'default', value: 'info' });
  });

  it('is nobody but the file for the commands that a step may run, and none are named by default', async () => {
    using plain = new ConfigProject({ 'grace.config.json': config });
    expect((await plain.load()).healing.allowShell).toEqual([]);
    const allowShell = [['systemctl', 'reload', 'nginx']];
    using project = new ConfigProject({ 'grace.config.json': { components: { api }, healing: { allowShell } } });
    expect((await project.load()).healing.allowShell).toEqual(allowShell);
    for (const wrong of [[[]], [['']], ['systemctl reload'], [[1]], 'all', true]) {
      using other = new ConfigProject({ 'grace.config.json': { components: { api }, healing: { allowShell: wrong } } });
      await expect(other.load(), JSON.stringify(wrong)).rejects.toThrow(/healing\.allowShell/);
    }
  });

  it('is the file where the environment is silent or empty', async () => {
    using project = new ConfigProject({ 'grace.config.json': config });
    const loaded = await project.load({ environment: { SELF_HEAL_EXECUTE: '', GRACE_PORT: ' ' } });
    expect(loaded).toMatchObject({ healing: { executeAtRuntime: true }, api: { port: 9000 } });
  });

  it('is the environment over .env, for the names Grace knows', async () => {
    using project = new ConfigProject({ 'grace.config.json': config, '.env': 'MAX_HEALING_ATTEMPTS=5\nSELF_HEAL_EXECUTE=no\n' });
    const loaded = await project.load({ environment: { SELF_HEAL_EXECUTE: 'yes' } });
    expect(loaded.boot.maxHealingAttempts).toBe(5);
    expect(loaded.healing.executeAtRuntime).toBe(true);
  });

  it.each([
    ['false', '10s', null],
    ['true', '10s', 10_000],
    ['true', false, 60_000],
    [undefined, false, null],
  ])('switches the watchdog: %s in the environment, %s in the file', async (variable, watchdog, watchdogMs) => {
    using project = new ConfigProject({ 'grace.config.json': { components: { api }, monitor: { watchdog } } });
    expect((await project.load({ environment: { ENABLE_ANOMALY_WATCHDOG: variable } })).monitor.watchdogMs).toBe(watchdogMs);
  });

  it('refuses a command after -- where it could stand for several components', async () => {
    using project = new ConfigProject({ 'grace.config.json': { components: { api, worker: api } } });
    expect(mistakeLines(await project.mistakes({ command: ['node', 'x.js'] }))).toEqual([
      '--: a command was given, but the config has 2 components; leave the command out, or name another config with --config',
    ]);
  });
});

describe('the environment', () => {
  it('is checked together with the file', async () => {
    using project = new ConfigProject({
      'grace.config.yaml': 'components:\n  api:\n    command: node api.js\n    port: 0\n',
      '.env': 'WATCHDOG_FAILURE_RATE=-1\n',
    });
    const environment = {
      SELF_HEAL_EXECUTE: 'ture',
      WATCHDOG_ERROR_RATE_THRESHOLD: '5%',
      WATCHDOG_LATENCY_P95_MS: '2s',
      WATCHDOG_MEMORY_GROWTH_MB: '0',
      MAX_HEALING_ATTEMPTS: '2.5',
      GRACE_PORT: '70000',
      GRACE_DATABASE_URL: 'mysql://root:hunter22@db/grace',
      GRACE_MESH_URL: 'localhost',
      AMP_API_KEY: 'two words',
    };
    expect(mistakeLines(await project.mistakes({ environment }))).toEqual([
      'WATCHDOG_FAILURE_RATE: must be a share above 0 and up to 1, not "-1" (.env)',
      'SELF_HEAL_EXECUTE: must be true or false, not "ture"; did you mean "true"? (environment)',
      'WATCHDOG_ERROR_RATE_THRESHOLD: must be a share above 0 and up to 1, not "5%"; 5 % is 0.05 (environment)',
      'WATCHDOG_LATENCY_P95_MS: must be a number from 1 to 3600000 (milliseconds), not "2s" (environment)',
      'WATCHDOG_MEMORY_GROWTH_MB: must be a number from 1 to 1000000 (megabytes per hour), not "0" (environment)',
      'MAX_HEALING_ATTEMPTS: must be a whole number from 0 to 20 (attempts), not "2.5" (environment)',
      'AMP_API_KEY: must be one word of printable ASCII (environment)',
      'GRACE_DATABASE_URL: must be a URL of another kind than mysql://; write it like postgres://user@host/database (environment)',
      'GRACE_MESH_URL: must be a URL; write it like nats://host:4222 (environment)',
      'GRACE_PORT: must be a whole number from 1 to 65535 (a port), not "70000" (environment)',
      'components.api.port: must be a whole number from 1 to 65535, not 0 (grace.config.yaml:4:11)',
    ]);
  });
});
