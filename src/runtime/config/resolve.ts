import { join, resolve } from 'node:path';
import type { ProbeSpec, ProbeTarget } from '../../domains/health/index.ts';
import type { ModuleRef, OwnCheckSpec, PreflightSettings } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { invariant, parseDurationMs, type Json } from '../../kernel/index.ts';
import { probeHost, readHostAndPort, urlOn } from './address.ts';
import type { ComponentDetection, DetectedProject } from './detect.ts';
import type { Found } from './detect-command.ts';
import type { EnvironmentName, EnvironmentSettings } from './environment.ts';
import type { ConfigFlags, DependencyWait, GraceConfig, SmokeSpec, SnapshotConfig } from './grace-config.ts';
import { Chooser, type Candidate } from './origin.ts';
import type { CommandFile, ComponentFile, DependencyFile, GraceConfigFile, ProbeFile, SmokeFile, SnapshotsFile } from './schema.ts';
import { parseWords } from './words.ts';

/** Where the settings came from, each part already checked. */
export interface ConfigParts {
  /** Empty when there is no config file. */
  readonly file: GraceConfigFile;
  readonly configFile: string | null;
  readonly projectDir: string;
  /** What would be run without a config; its components count only when the file has none. */
  readonly detected: DetectedProject;
  /** What was worked out about the components of the file, by name. */
  readonly detections: ReadonlyMap<string, ComponentDetection>;
  /** Words after `--`: they run as the only component there is. */
  readonly command: readonly string[] | null;
  readonly environment: EnvironmentSettings;
  readonly flags: ConfigFlags;
}

/** A default with the reason for it; `grace config explain` prints both. */
interface Default<T> {
  readonly source: 'default';
  readonly value: T;
  readonly reason: string;
}

function byDefault<T>(value: T, reason: string): Default<T> {
  return { source: 'default', value, reason };
}

/** Every default that Grace has. Durations as a person would write them. */
const DEFAULTS = {
  logLevel: byDefault('info' as const, 'what an operator wants to find after a bad night'),
  dataDir: byDefault('.grace', 'beside the service, so that two services never share memory'),
  playbooksDir: byDefault('playbooks', 'beside the config, since playbooks belong in the repository'),
  environment: byDefault(null, 'policies that ask for it then do not hold'),
  policies: byDefault([] as readonly string[], 'the policies that ship with Grace'),
  databaseUrl: byDefault(null, 'SQLite in dataDir needs nothing installed'),
  meshUrl: byDefault(null, 'one Grace needs no mesh but its own process'),
  apiHost: byDefault('127.0.0.1', 'nobody else reaches Grace unless told so'),
  apiPort: byDefault(7420, 'no common service listens there'),
  bootMode: byDefault('resilient' as const, 'pre-flight, healing and continuous validation are what Grace is for'),
  maxHealingAttempts: byDefault(3, 'what three fixes did not heal needs a person'),
  rollbackAfter: byDefault(3, 'one failed boot may be chance, and two a hasty mend; three are the release'),
  hold: byDefault('auto' as const, 'stays where it can still help, gives up where a script waits for the exit code'),
  executeAtRuntime: byDefault(false, 'at run time Grace says what it would do until SELF_HEAL_EXECUTE=true'),
  perHour: byDefault(20, 'more playbooks in an hour is no healing any more'),
  cooldown: byDefault('5m', 'what comes back sooner was not healed'),
  breakerAfter: byDefault(3, 'what did not help three times will not help the fourth time'),
  stability: byDefault('2m', 'most fixes that do not hold fail within minutes'),
  ampEscalation: byDefault(true, 'asks only when there is an AMP_API_KEY'),
  ampApiKey: byDefault(null, 'without a key nothing is sent anywhere'),
  allowShell: byDefault([] as readonly (readonly string[])[], 'no step runs a command that you did not name'),
  snapshotFiles: byDefault([] as readonly string[], 'env files, and what the command and its config files name, are in it anyway'),
  snapshotDatabases: byDefault('touched' as const, 'a copy for every fix would make small fixes slow'),
  databaseMbMax: byDefault(1024, 'copied within a minute or so; larger ones need a backup of their own'),
  keepCount: byDefault(50, 'weeks of fixes for most services'),
  keepDays: byDefault(30, 'what nobody missed for a month is not missed'),
  keepMegabytes: byDefault(4096, 'a few copies of the largest database'),
  health: byDefault('30s', 'cheap, and twice within a minute'),
  metrics: byDefault('1m', 'fine enough for an hourly trend'),
  selfHeal: byDefault('5m', 'a sweep for what probes did not see'),
  proactive: byDefault('10m', 'trends need several snapshots'),
  validation: byDefault('60m', 'the whole pre-flight again, hourly'),
  watchdog: byDefault('60s', 'as often as there is a new metrics snapshot'),
  latency: byDefault(true, 'slow is how most failures begin'),
  memory: byDefault(true, 'leaks are seen hours before they end a process'),
  baseline: byDefault(true, 'without one nothing is unusual'),
  stressTest: byDefault(false, 'load on a service is for its owner to ask for'),
  errorRateMax: byDefault(0.05, 'one request in twenty is felt by users'),
  latencyP95Max: byDefault('2s', 'longer feels broken'),
  memoryGrowthMbMax: byDefault(100, 'a gigabyte within a working day'),
  failureRateMax: byDefault(0.1, 'one playbook in ten failing is a sign about the playbooks'),
  keepPayloads: byDefault(false as const, 'an entry is some hundred bytes; how long they may be kept is not for Grace to say'),
  anchorFile: byDefault(null, 'where it would be out of reach of whoever has this machine, only you know'),
  anchorGit: byDefault(false, 'Grace writes into no repository unasked'),
  cwd: byDefault('.', 'the folder of the config'),
  envFile: byDefault([] as readonly string[], 'no env file was found'),
  loadEnvFile: byDefault(true, 'the command does not seem to read it by itself'),
  none: byDefault([] as readonly string[], 'nothing declared'),
  criticalComponent: byDefault(true, 'a service is down without its parts'),
  optional: byDefault(false, 'a missing command is a failure'),
  port: byDefault(null, 'found when it listens'),
  host: byDefault('127.0.0.1', 'probes come from this machine'),
  startup: byDefault(null, 'readiness decides'),
  readiness: byDefault(null, 'ready when it listens, or keeps running'),
  liveness: byDefault(null, 'its port is asked, and the end of its process is seen'),
  startupTimeout: byDefault('60s', 'slow starts of large applications fit in'),
  soak: byDefault('2s', 'most crashes after a start come at once'),
  restartPolicy: byDefault('always' as const, 'a service has no reason to end by itself, with whatever code'),
  intensity: byDefault(5, 'a sixth crash in a minute is no accident'),
  period: byDefault('60s', 'long enough to see a crash loop with its backoff'),
  backoff: byDefault('100ms', 'the first restart is nearly free'),
  backoffMax: byDefault('10s', 'beyond it the wait is felt more than the restart'),
  stopSignal: byDefault('SIGTERM' as const, 'what every runtime takes as a polite request'),
  stopGrace: byDefault('5s', 'open requests finish, and a boot is not held up'),
  openFiles: byDefault(null, 'the limit Grace was started with'),
  heapMb: byDefault(null, 'what the runtime chooses'),
  migrate: byDefault([] as readonly string[], 'no migrations were found'),
  database: byDefault(null, 'none was found'),
  envSchema: byDefault(null, 'none was named'),
  schemaFile: byDefault(null, 'db/schema.sql and the like are looked for'),
  tryMigrations: byDefault<boolean>(false, "it runs the project's own migrations, in an empty database"),
  schemaWhen: byDefault<'before_start' | 'beside_start'>('beside_start', 'what Grace finds by itself stops no boot'),
  openapi: byDefault(null, 'none was named'),
  registrationRequired: byDefault(false, 'a service that passed its smoke checks serves somebody'),
  registrationAsk: byDefault(true, 'a GET changes nothing'),
  vault: byDefault(null, 'the one that VAULT_ADDR of a component names'),
  checkTimeLimit: byDefault('10s', 'a boot waits for it'),
  checkSeverity: byDefault('error' as const, 'what is worth a check is worth stopping for'),
  checkComponent: byDefault(null, 'the first one'),
  dependencyUrl: byDefault(null, 'the environment of the components is searched for it'),
  versionMin: byDefault(null, 'any version will do'),
  waitFor: byDefault('forever', 'giving up would not bring it back; the wait is shown and explained'),
  startTimeout: byDefault('60s', 'a database may have to recover its log'),
  smokeTimeout: byDefault('10s', 'a check that takes longer is a load test'),
  smokeEvery: byDefault('60s', 'a broken service is seen within a minute'),
  smokeCritical: byDefault(true, 'a service that fails its own check is not up'),
} as const;

/** Probes: every, timeout, failures in a row. Startup asks often since somebody waits; its time limit is the component's. */
const PROBE_DEFAULTS = {
  startup: { every: '250ms', timeout: '2s', failures: 1 },
  readiness: { every: '2s', timeout: '3s', failures: 2 },
  liveness: { every: '3s', timeout: '1s', failures: 2 },
} as const;

/**
 * Puts flags, environment, file, detection and defaults on top of each other, and freezes the result.
 * @param parts checked before: whatever is invalid in them is a programmer's mistake from here on
 */
export function resolveConfig(parts: ConfigParts): GraceConfig {
  const { file, flags, projectDir, detected } = parts;
  const chooser = new Chooser();
  const choose = chooser.choose.bind(chooser);
  const env = <K extends EnvironmentName>(name: K): Candidate<NonNullable<EnvironmentSettings[K]>> => ({
    source: 'environment',
    value: parts.environment[name] as NonNullable<EnvironmentSettings[K]> | undefined,
    reason: name,
  });
  const ms = (path: string, ...candidates: Parameters<typeof choose<string | number>> extends [string, ...infer C] ? C : never): number =>
    toMs(choose<string | number>(path, ...candidates));
  const dir = (path: string): string => resolve(projectDir, path);

  const { boot, healing, monitor } = file;
  const name = choose('name', flag(flags.name), inFile(file.name), { source: 'detected', ...detected.name });
  const dataDir = dir(choose('dataDir', flag(flags.dataDir), env('GRACE_DATA_DIR'), inFile(file.dataDir), DEFAULTS.dataDir));
  const playbooksDir = dir(choose('playbooksDir', flag(flags.playbooksDir), inFile(file.playbooksDir), DEFAULTS.playbooksDir));
  const scope: Scope = { parts, chooser, dataDir };

  const processes = resolveProcesses(scope);
  const dependencies = Object.entries(file.dependencies ?? {}).map(([dependency, settings]) =>
    resolveDependency(scope, dependency, settings),
  );
  const components = [...needImplied(processes, dependencies, chooser), ...dependencies.map(({ spec }) => spec)];
  const watchdog = choose<string | number | false>(
    'monitor.watchdog',
    // off by the environment; on by it means the file's interval, or the default one
    {
      source: 'environment',
      value: parts.environment.ENABLE_ANOMALY_WATCHDOG === false ? false : undefined,
      reason: 'ENABLE_ANOMALY_WATCHDOG',
    },
    inFile(parts.environment.ENABLE_ANOMALY_WATCHDOG === true && monitor?.watchdog === false ? undefined : monitor?.watchdog),
    {
      source: 'environment',
      value: parts.environment.ENABLE_ANOMALY_WATCHDOG === true ? DEFAULTS.watchdog.value : undefined,
      reason: 'ENABLE_ANOMALY_WATCHDOG',
    },
    DEFAULTS.watchdog,
  );

  const anchorFile = choose<string | null>('audit.anchorFile', inFile(file.audit?.anchorFile), DEFAULTS.anchorFile);

  return deepFreeze({
    name,
    projectDir,
    dataDir,
    playbooksDir,
    environment: choose<string | null>('environment', inFile(file.environment), DEFAULTS.environment) ?? '',
    policies: choose('policies', inFile(file.policies), DEFAULTS.policies).map(dir),
    configFile: parts.configFile,
    logLevel: choose('logLevel', flag(flags.logLevel), inFile(file.logLevel), DEFAULTS.logLevel),
    databaseUrl: choose<string | null>('databaseUrl', env('GRACE_DATABASE_URL'), inFile(file.databaseUrl), DEFAULTS.databaseUrl),
    meshUrl: choose<string | null>('meshUrl', env('GRACE_MESH_URL'), inFile(file.meshUrl), DEFAULTS.meshUrl),
    api: {
      host: choose('api.host', inFile(file.api?.host), DEFAULTS.apiHost),
      port: choose<number>('api.port', env('GRACE_PORT'), inFile(file.api?.port), DEFAULTS.apiPort),
    },
    components,
    dependencyWaits: new Map(dependencies.map(({ spec, wait }) => [spec.name, wait])),
    keep: new Map(
      Object.entries(file.components ?? {}).map(([component, settings]) => [
        component,
        choose(`components.${component}.keep`, inFile(settings.keep), DEFAULTS.none).map(dir),
      ]),
    ),
    smoke: (file.smoke ?? []).map((settings, index) => resolveSmoke(scope, settings, index, processes)),
    preflight: resolvePreflight(file, dir, chooser),
    boot: {
      mode: choose('boot.mode', flag(flags.mode), inFile(boot?.mode), DEFAULTS.bootMode),
      maxHealingAttempts: choose<number>(
        'boot.maxHealingAttempts',
        env('MAX_HEALING_ATTEMPTS'),
        inFile(boot?.maxHealingAttempts),
        DEFAULTS.maxHealingAttempts,
      ),
      rollbackAfter: choose('boot.rollbackAfter', inFile(boot?.rollbackAfter), DEFAULTS.rollbackAfter),
      hold: choose('boot.hold', flag(flags.hold), inFile(boot?.hold), DEFAULTS.hold),
    },
    healing: {
      executeAtRuntime: choose<boolean>(
        'healing.executeAtRuntime',
        flag(flags.executeAtRuntime),
        env('SELF_HEAL_EXECUTE'),
        inFile(healing?.executeAtRuntime),
        DEFAULTS.executeAtRuntime,
      ),
      ampEscalation: choose<boolean>(
        'healing.ampEscalation',
        env('ENABLE_AMP_ESCALATION'),
        inFile(healing?.ampEscalation),
        DEFAULTS.ampEscalation,
      ),
      ampApiKey: choose<string | null>('healing.ampApiKey', env('AMP_API_KEY'), DEFAULTS.ampApiKey),
      limits: {
        perHour: choose<number>('healing.limits.perHour', inFile(healing?.limits?.perHour), DEFAULTS.perHour),
        cooldownMs: ms('healing.limits.cooldown', inFile(healing?.limits?.cooldown), DEFAULTS.cooldown),
        breakerAfter: choose<number>('healing.limits.breakerAfter', inFile(healing?.limits?.breakerAfter), DEFAULTS.breakerAfter),
        stabilityMs: ms('healing.limits.stability', inFile(healing?.limits?.stability), DEFAULTS.stability),
      },
      allowShell: choose('healing.allowShell', inFile(healing?.allowShell), DEFAULTS.allowShell),
      snapshots: resolveSnapshots(healing?.snapshots ?? {}, chooser),
    },
    monitor: {
      healthMs: ms('monitor.health', inFile(monitor?.health), DEFAULTS.health),
      metricsMs: ms('monitor.metrics', inFile(monitor?.metrics), DEFAULTS.metrics),
      selfHealMs: ms('monitor.selfHeal', inFile(monitor?.selfHeal), DEFAULTS.selfHeal),
      proactiveMs: ms('monitor.proactive', inFile(monitor?.proactive), DEFAULTS.proactive),
      validationMs: ms('monitor.validation', inFile(monitor?.validation), DEFAULTS.validation),
      watchdogMs: watchdog === false ? null : toMs(watchdog),
      latency: choose<boolean>('monitor.latency', inFile(monitor?.latency), DEFAULTS.latency),
      memory: choose<boolean>('monitor.memory', inFile(monitor?.memory), DEFAULTS.memory),
      baseline: choose<boolean>('monitor.baseline', env('ESTABLISH_WATCHDOG_BASELINE'), inFile(monitor?.baseline), DEFAULTS.baseline),
      stressTest: choose<boolean>('monitor.stressTest', env('RUN_POST_BOOT_STRESS_TEST'), inFile(monitor?.stressTest), DEFAULTS.stressTest),
      errorRateMax: choose<number>(
        'monitor.errorRateMax',
        env('WATCHDOG_ERROR_RATE_THRESHOLD'),
        inFile(monitor?.errorRateMax),
        DEFAULTS.errorRateMax,
      ),
      latencyP95MsMax: ms('monitor.latencyP95Max', env('WATCHDOG_LATENCY_P95_MS'), inFile(monitor?.latencyP95Max), DEFAULTS.latencyP95Max),
      memoryGrowthMbMax: choose<number>(
        'monitor.memoryGrowthMbMax',
        env('WATCHDOG_MEMORY_GROWTH_MB'),
        inFile(monitor?.memoryGrowthMbMax),
        DEFAULTS.memoryGrowthMbMax,
      ),
      failureRateMax: choose<number>(
        'monitor.failureRateMax',
        env('WATCHDOG_FAILURE_RATE'),
        inFile(monitor?.failureRateMax),
        DEFAULTS.failureRateMax,
      ),
    },
    audit: {
      keepPayloadsMs: keptMs(choose<string | false>('audit.keepPayloads', inFile(file.audit?.keepPayloads), DEFAULTS.keepPayloads)),
      anchorFile: anchorFile === null ? null : dir(anchorFile),
      anchorGit: choose<boolean>('audit.anchorGit', inFile(file.audit?.anchorGit), DEFAULTS.anchorGit),
    },
    provenance: chooser.provenance,
  });
}

function keptMs(keep: string | false): number | null {
  return keep === false ? null : toMs(keep);
}

function resolvePreflight(file: GraceConfigFile, dir: (path: string) => string, chooser: Chooser): PreflightSettings {
  const choose = chooser.choose.bind(chooser);
  const { checks = [], schema, tryMigrations, skip, secretFiles, vault, registration } = file.preflight ?? {};
  const module = (written: string): ModuleRef => {
    const [path = '', exportName = null] = written.split('#');
    return { file: dir(path), exportName };
  };
  const components = Object.entries(file.components ?? {});
  const asked = choose<Json>('preflight.vault', inFile(vault as Json | undefined), DEFAULTS.vault);
  return {
    skip: choose('preflight.skip', inFile(skip), DEFAULTS.none),
    secretFiles: choose('preflight.secretFiles', inFile(secretFiles), DEFAULTS.none).map(dir),
    vault:
      asked === null
        ? 'environment'
        : vault === undefined || vault === false
          ? 'none'
          : { address: vault.address, caFile: vault.caFile === undefined ? null : dir(vault.caFile) },
    triesMigrations: choose<boolean>('preflight.tryMigrations', inFile(tryMigrations), DEFAULTS.tryMigrations),
    schemaWhen: choose<'before_start' | 'beside_start'>('preflight.schema', inFile(schema), DEFAULTS.schemaWhen),
    schemaFiles: new Map(
      components.flatMap(([name, { schemaFile }]) => {
        const written = choose<string | null>(`components.${name}.schemaFile`, inFile(schemaFile), DEFAULTS.schemaFile);
        return written === null ? [] : [[name, dir(written)] as const];
      }),
    ),
    registration: {
      isRequired: choose<boolean>('preflight.registration.required', inFile(registration?.required), DEFAULTS.registrationRequired),
      isAsked: choose<boolean>('preflight.registration.ask', inFile(registration?.ask), DEFAULTS.registrationAsk),
      routes: new Map(components.map(([name, { routes }]) => [name, choose(`components.${name}.routes`, inFile(routes), DEFAULTS.none)])),
      openApi: new Map(
        components.flatMap(([name, { openapi }]) => {
          const written = choose<Json>(`components.${name}.openapi`, inFile(openapi as Json | undefined), DEFAULTS.openapi);
          if (written === null || openapi === undefined) return [];
          const { file: documentFile, basePath = null } = typeof openapi === 'string' ? { file: openapi } : openapi;
          return [[name, { file: dir(documentFile), basePath }] as const];
        }),
      ),
    },
    envSchemas: new Map(
      components.flatMap(([name, { envSchema }]) => {
        const written = choose<string | null>(`components.${name}.envSchema`, inFile(envSchema), DEFAULTS.envSchema);
        return written === null ? [] : [[name, module(written)] as const];
      }),
    ),
    configFiles: new Map(
      components.map(([name, { configFiles }]) => [
        name,
        choose(`components.${name}.configFiles`, inFile(configFiles), DEFAULTS.none).map(dir),
      ]),
    ),
    dependencies: new Map(
      Object.entries(file.dependencies ?? {}).map(([name, { url, versionMin }]) => [
        name,
        {
          url: choose<string | null>(`dependencies.${name}.url`, inFile(url), DEFAULTS.dependencyUrl),
          versionMin: choose<string | null>(`dependencies.${name}.versionMin`, inFile(versionMin), DEFAULTS.versionMin),
        },
      ]),
    ),
    checks: checks.map((check, index): OwnCheckSpec => {
      const at = `preflight.checks[${index}]`;
      return {
        name: check.name,
        target:
          check.command === undefined
            ? { kind: 'module', module: module(check.module ?? '') }
            : { kind: 'command', argv: argvOf(check.command) },
        timeLimitMs: toMs(choose<string | number>(`${at}.timeLimit`, inFile(check.timeLimit), DEFAULTS.checkTimeLimit)),
        severity: choose(`${at}.severity`, inFile(check.severity), DEFAULTS.checkSeverity),
        component: choose<string | null>(`${at}.component`, inFile(check.component), DEFAULTS.checkComponent),
      };
    }),
  };
}

function resolveSnapshots(file: SnapshotsFile, chooser: Chooser): SnapshotConfig {
  const at = 'healing.snapshots';
  const choose = chooser.choose.bind(chooser);
  return {
    files: choose(`${at}.files`, inFile(file.files), DEFAULTS.snapshotFiles),
    databases: choose(`${at}.databases`, inFile(file.databases), DEFAULTS.snapshotDatabases),
    databaseBytesMax: choose<number>(`${at}.databaseMbMax`, inFile(file.databaseMbMax), DEFAULTS.databaseMbMax) * MIB,
    keep: {
      count: choose<number>(`${at}.keep.count`, inFile(file.keep?.count), DEFAULTS.keepCount),
      ageMs: choose<number>(`${at}.keep.days`, inFile(file.keep?.days), DEFAULTS.keepDays) * DAY_MS,
      bytes: choose<number>(`${at}.keep.megabytes`, inFile(file.keep?.megabytes), DEFAULTS.keepMegabytes) * MIB,
    },
  };
}

const MIB = 1_048_576;
const DAY_MS = 86_400_000;

interface Scope {
  readonly parts: ConfigParts;
  readonly chooser: Chooser;
  readonly dataDir: string;
}

function resolveProcesses(scope: Scope): readonly ComponentSpec[] {
  const { file, detected, detections, command } = scope.parts;
  const written = Object.entries(file.components ?? {});
  const onLine: Candidate<readonly string[]> = { source: 'flag', value: command ?? undefined, reason: 'given after --' };
  if (written.length === 0)
    return [...detected.components].map(([name, detection]) => resolveProcess(scope, name, {}, detection, detected.dir, onLine));
  return written.map(([name, settings]) =>
    resolveProcess(scope, name, settings, detections.get(name) ?? { language: 'unknown' }, scope.parts.projectDir, onLine),
  );
}

function resolveProcess(
  { parts, chooser, dataDir }: Scope,
  name: string,
  file: Partial<ComponentFile>,
  detection: ComponentDetection,
  home: string,
  onLine: Candidate<readonly string[]>,
): ComponentSpec {
  const at = `components.${name}`;
  const choose = chooser.choose.bind(chooser);
  const ms = (key: string, written: string | number | undefined, fallback: Default<string>): number =>
    toMs(choose<string | number>(`${at}.${key}`, inFile(written), fallback));
  const dir = (path: string): string => resolve(parts.projectDir, path);
  const command = choose<readonly string[]>(
    `${at}.command`,
    onLine,
    inFile(file.command === undefined ? undefined : argvOf(file.command)),
    found(detection.command),
    byDefault([], 'nothing to run'),
  );
  const cwd = resolve(home, choose(`${at}.cwd`, inFile(file.cwd), DEFAULTS.cwd));
  const envFiles = choose<readonly string[]>(
    `${at}.envFile`,
    inFile(envFilesOf(file.envFile)),
    found(detection.envFiles),
    DEFAULTS.envFile,
  ).map(dir);
  const port = choose<number | null>(`${at}.port`, inFile(file.port), found(detection.port), DEFAULTS.port);
  const host = choose(`${at}.host`, inFile(file.host), DEFAULTS.host);
  const env: Record<string, string> = {};
  for (const [variable, value] of Object.entries(file.env ?? {}))
    env[variable] = choose(`${at}.env.${variable}`, inFile(value), { source: 'file', value });
  const probe = (kind: keyof typeof PROBE_DEFAULTS): ProbeSpec | null => {
    const written = file[kind];
    choose<Json>(`${at}.${kind}`, inFile(written as Json | undefined), DEFAULTS[kind]);
    if (written === undefined) return null;
    // without any probe it would be asked whether it listens; `false` says that running is enough
    if (written === false) return kind === 'readiness' ? probeSpec({ process: true }, kind, { kind: 'process' }) : null;
    return probeSpec(written, kind, targetOf(written, { projectDir: parts.projectDir, host, port }));
  };
  const data = choose<readonly string[]>(`${at}.data`, inFile(file.data), DEFAULTS.none).map(dir);
  const { restart, stop, limits } = file;
  return {
    name,
    kind: 'process',
    command,
    cwd,
    env,
    envFiles,
    loadEnvFiles: choose<boolean>(`${at}.loadEnvFile`, inFile(file.loadEnvFile), found(detection.loadEnvFile), DEFAULTS.loadEnvFile),
    needsEnvFiles: file.envFile !== undefined || detection.needsEnvFiles === true,
    requiredEnv: choose<readonly string[]>(`${at}.requiredEnv`, inFile(file.requiredEnv), DEFAULTS.none),
    dependsOn: choose<readonly string[]>(`${at}.dependsOn`, inFile(file.dependsOn), DEFAULTS.none),
    critical: choose<boolean>(`${at}.critical`, inFile(file.critical), DEFAULTS.criticalComponent),
    optional: choose<boolean>(`${at}.optional`, inFile(file.optional), DEFAULTS.optional),
    port,
    host,
    startup: probe('startup'),
    startupTimeoutMs: ms('startupTimeout', file.startupTimeout, DEFAULTS.startupTimeout),
    readiness: probe('readiness'),
    liveness: probe('liveness'),
    soakMs: ms('soak', file.soak, DEFAULTS.soak),
    restart: {
      policy: choose(`${at}.restart.policy`, inFile(restart?.policy), DEFAULTS.restartPolicy),
      intensity: choose<number>(`${at}.restart.intensity`, inFile(restart?.intensity), DEFAULTS.intensity),
      periodMs: ms('restart.period', restart?.period, DEFAULTS.period),
      ...backoffOf(at, restart, chooser),
    },
    stop: {
      signal: choose<NodeJS.Signals>(`${at}.stop.signal`, inFile(stop?.signal), DEFAULTS.stopSignal),
      graceMs: ms('stop.grace', stop?.grace, DEFAULTS.stopGrace),
    },
    limits: {
      openFiles: choose<number | null>(`${at}.limits.openFiles`, inFile(limits?.openFiles), DEFAULTS.openFiles),
      heapMb: choose<number | null>(`${at}.limits.heapMb`, inFile(limits?.heapMb), DEFAULTS.heapMb),
    },
    logFile: dir(
      choose(`${at}.log`, inFile(file.log), byDefault(join(dataDir, 'logs', `${name}.log`), 'below dataDir, one file for each component')),
    ),
    roots: [...new Set([cwd, ...data])],
    expendable: choose<readonly string[]>(`${at}.expendable`, inFile(file.expendable), DEFAULTS.none),
    migrate: choose<readonly string[]>(
      `${at}.migrate`,
      inFile(file.migrate === undefined ? undefined : file.migrate === false ? [] : argvOf(file.migrate)),
      found(detection.migrate),
      DEFAULTS.migrate,
    ),
    database: choose<string | null>(`${at}.database`, inFile(file.database), found(detection.database), DEFAULTS.database),
  };
}

/** A backoff above the default ceiling lifts the ceiling, instead of being cut without a word. */
function backoffOf(
  at: string,
  restart: ComponentFile['restart'],
  chooser: Chooser,
): { readonly backoffMs: number; readonly backoffMsMax: number } {
  const backoffMs = toMs(chooser.choose<string | number>(`${at}.restart.backoff`, inFile(restart?.backoff), DEFAULTS.backoff));
  const backoffMsMax = toMs(chooser.choose<string | number>(`${at}.restart.backoffMax`, inFile(restart?.backoffMax), DEFAULTS.backoffMax));
  return { backoffMs, backoffMsMax: Math.max(backoffMs, backoffMsMax) };
}

function resolveDependency(
  { parts, chooser, dataDir }: Scope,
  name: string,
  file: DependencyFile,
): { readonly spec: ComponentSpec; readonly wait: DependencyWait } {
  const at = `dependencies.${name}`;
  const choose = chooser.choose.bind(chooser);
  const host = choose(`${at}.host`, inFile(file.host), DEFAULTS.host);
  const port = choose<number | null>(`${at}.port`, inFile(file.port), byDefault(null, 'its status command tells'));
  const status =
    file.status === undefined ? null : choose<readonly string[]>(`${at}.status`, { source: 'file', value: argvOf(file.status) });
  const waitFor = choose<string | number>(`${at}.waitFor`, inFile(file.waitFor), DEFAULTS.waitFor);
  const startTimeoutMs = toMs(choose<string | number>(`${at}.startTimeout`, inFile(file.startTimeout), DEFAULTS.startTimeout));
  const connect: ProbeTarget | null = port === null ? null : { kind: 'tcp', host: probeHost(host), port };
  const asked: ProbeTarget | null = status === null ? connect : { kind: 'command', argv: status };
  const spec: ComponentSpec = {
    name,
    kind: 'dependency',
    command: choose<readonly string[]>(
      `${at}.start`,
      inFile(file.start === undefined ? undefined : argvOf(file.start)),
      byDefault([], 'nobody here may start it'),
    ),
    cwd: parts.projectDir,
    env: {},
    envFiles: [],
    loadEnvFiles: false,
    needsEnvFiles: false,
    requiredEnv: [],
    dependsOn: [],
    critical: choose<boolean>(`${at}.critical`, inFile(file.critical), byDefault(true, 'it would not be declared if it were not needed')),
    optional: false,
    port,
    host,
    startup: null,
    startupTimeoutMs: startTimeoutMs,
    readiness: asked === null ? null : probeSpec({}, 'readiness', asked),
    // a status command says more than an open port, but the port is cheaper to watch
    liveness: status === null || connect === null ? null : probeSpec({}, 'liveness', connect),
    soakMs: 0,
    restart: { policy: 'never', intensity: 0, periodMs: 60_000, backoffMs: 1000, backoffMsMax: 10_000 },
    stop: { signal: 'SIGTERM', graceMs: 5000 },
    limits: { openFiles: null, heapMb: null },
    logFile: join(dataDir, 'logs', `${name}.log`),
    // what somebody else runs is not for playbooks to change, unless it is declared
    roots: choose<readonly string[]>(`${at}.data`, inFile(file.data), DEFAULTS.none).map((path) => resolve(parts.projectDir, path)),
    expendable: [],
    migrate: [],
    database: null,
  };
  return { spec, wait: { waitForMs: waitFor === 'forever' ? null : toMs(waitFor), startTimeoutMs } };
}

/**
 * A critical dependency that no component names is needed by all of them: why else would it be there.
 * Without this the components would start beside it and fail at their first query.
 */
function needImplied(
  processes: readonly ComponentSpec[],
  dependencies: readonly { readonly spec: ComponentSpec }[],
  chooser: Chooser,
): readonly ComponentSpec[] {
  const named = new Set(processes.flatMap((process) => process.dependsOn));
  const implied = dependencies.filter(({ spec }) => spec.critical && !named.has(spec.name)).map(({ spec }) => spec.name);
  if (implied.length === 0) return processes;
  return processes.map((process) => {
    const dependsOn = [...process.dependsOn, ...implied];
    const origin = chooser.provenance.get(`components.${process.name}.dependsOn`);
    chooser.provenance.set(`components.${process.name}.dependsOn`, {
      source: origin?.source ?? 'default',
      reason: `nobody names ${implied.join(', ')}, so every component waits for it`,
      value: dependsOn,
    });
    return { ...process, dependsOn };
  });
}

function resolveSmoke({ parts, chooser }: Scope, file: SmokeFile, index: number, processes: readonly ComponentSpec[]): SmokeSpec {
  const at = `smoke[${index}]`;
  const choose = chooser.choose.bind(chooser);
  const withPort = processes.filter((process) => process.port !== null);
  const only = processes.length === 1 ? processes[0] : withPort.length === 1 ? withPort[0] : undefined;
  const owner = file.component === undefined ? only : processes.find((process) => process.name === file.component);
  choose<string | null>(`${at}.component`, inFile(file.component), byDefault(owner?.name ?? null, 'the only one it can be about'));
  const every = choose<string | number | false>(`${at}.every`, inFile(file.every), DEFAULTS.smokeEvery);
  const place = { projectDir: parts.projectDir, host: owner?.host ?? DEFAULTS.host.value, port: owner?.port ?? null };
  return {
    name: choose(`${at}.name`, { source: 'file', value: file.name }),
    target: targetOf(file, place),
    timeoutMs: toMs(choose<string | number>(`${at}.timeout`, inFile(file.timeout), DEFAULTS.smokeTimeout)),
    critical: choose<boolean>(`${at}.critical`, inFile(file.critical), DEFAULTS.smokeCritical),
    everyMs: every === false ? null : toMs(every),
    component: owner?.name ?? null,
  };
}

interface Place {
  readonly projectDir: string;
  readonly host: string;
  readonly port: number | null;
}

function targetOf(
  file: Pick<ProbeFile, 'http' | 'status' | 'caFile' | 'tcp' | 'command' | 'file' | 'maxAge'>,
  { projectDir, host, port }: Place,
): ProbeTarget {
  if (file.http !== undefined)
    return {
      kind: 'http',
      url: file.http.startsWith('/') ? urlOn(host, port, file.http) : file.http,
      expectStatus: file.status === undefined ? null : [file.status].flat(),
      caFile: file.caFile === undefined ? null : resolve(projectDir, file.caFile),
    };
  if (typeof file.tcp === 'string') return { kind: 'tcp', ...readHostAndPort(file.tcp) };
  if (file.tcp === true) {
    invariant(port !== null, 'validation refuses tcp: true where no port is known');
    return { kind: 'tcp', host: probeHost(host), port };
  }
  if (file.command !== undefined) return { kind: 'command', argv: argvOf(file.command) };
  if (file.file !== undefined) return { kind: 'file_age', path: resolve(projectDir, file.file), maxAgeMs: toMs(file.maxAge ?? 0) };
  return { kind: 'process' };
}

function probeSpec(file: ProbeFile, kind: keyof typeof PROBE_DEFAULTS, target: ProbeTarget): ProbeSpec {
  const defaults = PROBE_DEFAULTS[kind];
  return {
    target,
    intervalMs: toMs(file.every ?? defaults.every),
    timeoutMs: toMs(file.timeout ?? defaults.timeout),
    failureThreshold: file.failures ?? defaults.failures,
  };
}

function argvOf(command: CommandFile): readonly string[] {
  if (typeof command !== 'string') return command;
  const words = parseWords(command);
  invariant(words.ok, 'validation refuses command lines that are no words');
  return words.argv;
}

function envFilesOf(written: ComponentFile['envFile']): readonly string[] | undefined {
  if (written === undefined) return undefined;
  return written === false ? [] : [written].flat();
}

function toMs(duration: string | number): number {
  const ms = parseDurationMs(duration);
  invariant(ms !== null, 'validation refuses what is no duration');
  return Math.round(ms);
}

function inFile<T>(value: T | undefined): Candidate<T> {
  return { source: 'file', value };
}

function flag<T>(value: T | undefined): Candidate<T> {
  return { source: 'flag', value };
}

function found<T>(value: Found<T> | undefined): Candidate<T> {
  return { source: 'detected', value: value?.value, reason: value?.reason };
}

/** Maps stay what they are: their type offers no way to write. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
