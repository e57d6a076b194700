// The catalog of known failures. Each family recognises one kind, explains it, proposes a fix made of governed
// primitives, and guards against its return. Order is for reading; confidence decides. The last two are what remains.
import type { FailureFamily } from '../../domains/learning/index.ts';
import { certificateProblem } from './certificate-problem.ts';
import { circularImport } from './circular-import.ts';
import { commandMissing } from './command-missing.ts';
import { configCorrupt } from './config-corrupt.ts';
import { crashLoop } from './crash-loop.ts';
import { dataCorrupt } from './data-corrupt.ts';
import { databaseLocked } from './database-locked.ts';
import { databaseMissing } from './database-missing.ts';
import { dependencyDown } from './dependency-down.ts';
import { directoryMissing } from './directory-missing.ts';
import { diskFull } from './disk-full.ts';
import { driftSuspect } from './drift-suspect.ts';
import { encoding } from './encoding.ts';
import { envChanged } from './env-changed.ts';
import { envFileMissing } from './env-file-missing.ts';
import { envMissing } from './env-missing.ts';
import { fileMissing } from './file-missing.ts';
import { heapTooSmall } from './heap-too-small.ts';
import { localModuleMissing } from './local-module-missing.ts';
import { migrationPending } from './migration-pending.ts';
import { migrationUnrecorded } from './migration-unrecorded.ts';
import { packageDamaged } from './package-damaged.ts';
import { packageMissing } from './package-missing.ts';
import { permissionDenied } from './permission-denied.ts';
import { portForbidden } from './port-forbidden.ts';
import { portInUse } from './port-in-use.ts';
import { processStopped } from './process-stopped.ts';
import { readOnlyFileSystem } from './read-only-file-system.ts';
import { runtimeVersionMismatch } from './runtime-version-mismatch.ts';
import { schemaMissing } from './schema-missing.ts';
import { crash, errors, hung, memoryGrowth, slow, writesRefused } from './sickness.ts';
import { staleLock } from './stale-lock.ts';
import { tooManyConnections } from './too-many-connections.ts';
import { tooManyOpenFiles } from './too-many-open-files.ts';
import { unawaited } from './unawaited.ts';
import { unexplained } from './unexplained.ts';
import { wrongFileType } from './wrong-file-type.ts';
import { wrongPassword } from './wrong-password.ts';
import { accessRefused } from './access-refused.ts';
import { addressNotAvailable } from './address-not-available.ts';
import { buildMissing } from './build-missing.ts';
import { clientNotGenerated } from './client-not-generated.ts';
import { compileError } from './compile-error.ts';
import { credentialsMissing } from './credentials-missing.ts';
import { cryptoUnsupported } from './crypto-unsupported.ts';
import { dependencyUnresolved } from './dependency-unresolved.ts';
import { envInvalid } from './env-invalid.ts';
import { lockOutOfSync } from './lock-out-of-sync.ts';
import { moduleSystemMismatch } from './module-system-mismatch.ts';
import { packageIncompatible } from './package-incompatible.ts';
import { packageManagerMismatch } from './package-manager-mismatch.ts';
import { packageManagerUnavailable } from './package-manager-unavailable.ts';
import { pathAliasUnresolved } from './path-alias-unresolved.ts';
import { poolExhausted } from './pool-exhausted.ts';
import { registeredTwice } from './registered-twice.ts';
import { serviceBusy } from './service-busy.ts';
import { stackOverflow } from './stack-overflow.ts';
import { staleSocket } from './stale-socket.ts';
import { startTimeout } from './start-timeout.ts';
import { thrownValue } from './thrown-value.ts';
import { tooManyProcesses } from './too-many-processes.ts';
import { unknownOption } from './unknown-option.ts';
import { watchersExhausted } from './watchers-exhausted.ts';
import { workspaceUnlinked } from './workspace-unlinked.ts';

export const families: readonly FailureFamily[] = [
  // where it listens
  portInUse,
  portForbidden,
  // what it is told
  envFileMissing,
  envMissing,
  envChanged,
  // what it is made of
  packageMissing,
  packageDamaged,
  localModuleMissing,
  circularImport,
  runtimeVersionMismatch,
  unawaited,
  commandMissing,
  // its files
  configCorrupt,
  fileMissing,
  certificateProblem,
  directoryMissing,
  wrongFileType,
  permissionDenied,
  staleLock,
  dataCorrupt,
  // its database
  databaseLocked,
  migrationPending,
  migrationUnrecorded,
  schemaMissing,
  databaseMissing,
  wrongPassword,
  tooManyConnections,
  // what it needs
  dependencyDown,
  // what the machine gives it
  heapTooSmall,
  tooManyOpenFiles,
  diskFull,
  readOnlyFileSystem,
  encoding,
  // how it is while it runs
  processStopped,
  memoryGrowth,
  writesRefused,
  errors,
  hung,
  slow,
  crash,
  // the Node world: how it is built, put together and started
  addressNotAvailable,
  staleSocket,
  envInvalid,
  unknownOption,
  credentialsMissing,
  buildMissing,
  clientNotGenerated,
  compileError,
  moduleSystemMismatch,
  packageIncompatible,
  workspaceUnlinked,
  pathAliasUnresolved,
  lockOutOfSync,
  packageManagerMismatch,
  packageManagerUnavailable,
  cryptoUnsupported,
  dependencyUnresolved,
  registeredTwice,
  startTimeout,
  stackOverflow,
  thrownValue,
  accessRefused,
  serviceBusy,
  poolExhausted,
  watchersExhausted,
  tooManyProcesses,
  // what remains
  crashLoop,
  driftSuspect,
  unexplained,
];
