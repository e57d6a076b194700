// The checks that ship. Each is one file; what a check is, is said in domains/preflight/check.ts.
import type { Check, PreflightSettings } from '../../domains/preflight/index.ts';
import { certificates } from './certificates.ts';
import { command } from './command.ts';
import { configFiles } from './config-files.ts';
import { databaseFile } from './database-file.ts';
import { dependencies } from './dependencies.ts';
import { diskSpace } from './disk-space.ts';
import { engines } from './engines.ts';
import { envExample } from './env-example.ts';
import { envSchema } from './env-schema.ts';
import { envValues } from './env-values.ts';
import { imports } from './imports.ts';
import { interpolation } from './interpolation.ts';
import { leftOverLocks } from './left-over-locks.ts';
import { machineClock } from './machine-clock.ts';
import { memory } from './memory.ts';
import { openFiles } from './open-files.ts';
import { nativeModules } from './native-modules.ts';
import { migrations } from './migrations.ts';
import { ownCheck } from './own-check.ts';
import { python } from './python.ts';
import { schemaIntegrity } from './schema-integrity.ts';
import { registration } from './registration.ts';
import { secretFiles } from './secret-files.ts';
import { taskLimit } from './task-limit.ts';
import { vault, vaultOfEnvironment } from './vault.ts';
import { watchLimit } from './watch-limit.ts';
import { weakSecrets } from './weak-secrets.ts';
import { writableDirs } from './writable-dirs.ts';

const SHIPPED: readonly Check[] = [
  envSchema,
  vault,
  envExample,
  envValues,
  configFiles,
  interpolation,
  weakSecrets,
  secretFiles,
  certificates,
  vaultOfEnvironment,
  dependencies,
  databaseFile,
  python,
  command,
  writableDirs,
  diskSpace,
  openFiles,
  memory,
  taskLimit,
  machineClock,
  leftOverLocks,
  watchLimit,
  imports,
  nativeModules,
  engines,
  migrations,
  registration,
];

/** Those that ship and those of the config, in the order in which they are reported. */
export function checksFor(settings: PreflightSettings): readonly Check[] {
  return [...SHIPPED, schemaIntegrity(settings.schemaWhen), ...settings.checks.map(ownCheck)];
}
