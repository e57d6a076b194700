// The checks that ship. Each is one file; what a check is, is said in domains/preflight/check.ts.
import type { Check, PreflightSettings } from '../../domains/preflight/index.ts';
import { certificates } from './certificates.ts';
import { configFiles } from './config-files.ts';
import { envExample } from './env-example.ts';
import { envSchema } from './env-schema.ts';
import { interpolation } from './interpolation.ts';
import { ownCheck } from './own-check.ts';
import { registration } from './registration.ts';
import { secretFiles } from './secret-files.ts';
import { vault, vaultOfEnvironment } from './vault.ts';
import { weakSecrets } from './weak-secrets.ts';

const SHIPPED: readonly Check[] = [
  envSchema,
  vault,
  envExample,
  configFiles,
  interpolation,
  weakSecrets,
  secretFiles,
  certificates,
  vaultOfEnvironment,
  registration,
];

/** Those that ship and those of the config, in the order in which they are reported. */
export function checksFor(settings: PreflightSettings): readonly Check[] {
  return [...SHIPPED, ...settings.checks.map(ownCheck)];
}
