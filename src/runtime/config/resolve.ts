import { resolve } from 'node:path';
import { toMs } from './checked-values.ts';
import type { ConfigParts, Scope } from './config-parts.ts';
import { DEFAULTS } from './defaults.ts';
import type { EnvironmentName, EnvironmentSettings } from './environment.ts';
import type { GraceConfig } from './grace-config.ts';
import { Chooser, flag, inFile, type Candidate } from './origin.ts';
import { needImplied, resolveDependency } from './resolve-dependency.ts';
import { resolvePreflight } from './resolve-preflight.ts';
import { resolveProcesses } from './resolve-process.ts';
import { resolveSmoke } from './resolve-smoke.ts';
import { resolveSnapshots } from './resolve-snapshots.ts';

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

/** Maps stay what they are: their type offers no way to write. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const item of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(item);
  return Object.freeze(value);
}
