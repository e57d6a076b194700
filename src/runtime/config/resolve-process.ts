import { join, resolve } from 'node:path';
import type { ProbeSpec } from '../../domains/health/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { Json } from '../../kernel/index.ts';
import { argvOf, toMs } from './checked-values.ts';
import type { Scope } from './config-parts.ts';
import { byDefault, DEFAULTS, PROBE_DEFAULTS, type Default } from './defaults.ts';
import type { ComponentDetection } from './detect.ts';
import { found, inFile, type Candidate, type Chooser } from './origin.ts';
import { probeSpec, targetOf } from './resolve-probe.ts';
import type { ComponentFile } from './schema.ts';

/** The components that Grace runs: those of the file, or what was detected. */
export function resolveProcesses(scope: Scope): readonly ComponentSpec[] {
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
    needsEnvFiles: file.envFile !== undefined || detection.needsEnvFiles === true,
    loadEnvFiles: choose<boolean>(`${at}.loadEnvFile`, inFile(file.loadEnvFile), found(detection.loadEnvFile), DEFAULTS.loadEnvFile),
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

function envFilesOf(written: ComponentFile['envFile']): readonly string[] | undefined {
  if (written === undefined) return undefined;
  return written === false ? [] : [written].flat();
}
