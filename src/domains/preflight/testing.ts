import type { PreflightSettings } from './settings.ts';

/** The settings of a project that asks for nothing, for tests. */
export function preflightSettings(change: Partial<PreflightSettings> = {}): PreflightSettings {
  return {
    skip: [],
    checks: [],
    envSchemas: new Map(),
    configFiles: new Map(),
    secretFiles: [],
    dependencies: new Map(),
    triesMigrations: false,
    schemaWhen: 'beside_start',
    schemaFiles: new Map(),
    vault: 'environment',
    registration: { isRequired: false, isAsked: true, routes: new Map(), openApi: new Map() },
    ...change,
  };
}
