import type { ModuleRef, OwnCheckSpec, PreflightSettings } from '../../domains/preflight/index.ts';
import type { Json } from '../../kernel/index.ts';
import { argvOf, toMs } from './checked-values.ts';
import { DEFAULTS } from './defaults.ts';
import { inFile, type Chooser } from './origin.ts';
import type { GraceConfigFile } from './schema.ts';

export function resolvePreflight(file: GraceConfigFile, dir: (path: string) => string, chooser: Chooser): PreflightSettings {
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
