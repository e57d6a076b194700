// The catalog of known failures. Each family recognises one kind, explains it, proposes a fix made of governed
// primitives, and guards against its return. Order is for reading; confidence decides. The last two are what remains.
import type { FailureFamily } from '../../domains/learning/index.ts';
import { accessRefused } from './access-refused.ts';
import { addressUnavailable } from './address-unavailable.ts';
import { applicationNotFound } from './application-not-found.ts';
import { applicationUnnamed } from './application-unnamed.ts';
import { argumentsTooLong } from './arguments-too-long.ts';
import { artifactBroken } from './artifact-broken.ts';
import { assetsNotBuilt } from './assets-not-built.ts';
import { buildMissing } from './build-missing.ts';
import { certificateProblem } from './certificate-problem.ts';
import { circularImport } from './circular-import.ts';
import { classNotLoaded } from './class-not-loaded.ts';
import { clientNotGenerated } from './client-not-generated.ts';
import { clockWrong } from './clock-wrong.ts';
import { commandMissing } from './command-missing.ts';
import { compileError } from './compile-error.ts';
import { configCorrupt } from './config-corrupt.ts';
import { constraintViolated } from './constraint-violated.ts';
import { crashLoop } from './crash-loop.ts';
import { credentialsMissing } from './credentials-missing.ts';
import { cryptoUnsupported } from './crypto-unsupported.ts';
import { dataCorrupt } from './data-corrupt.ts';
import { dataVersionMismatch } from './data-version-mismatch.ts';
import { databaseLocked } from './database-locked.ts';
import { databaseMissing } from './database-missing.ts';
import { databaseRightsMissing } from './database-rights-missing.ts';
import { declarationConflict } from './declaration-conflict.ts';
import { dependencyDown } from './dependency-down.ts';
import { directoryMissing } from './directory-missing.ts';
import { diskFull } from './disk-full.ts';
import { driftSuspect } from './drift-suspect.ts';
import { driverIncompatible } from './driver-incompatible.ts';
import { driverMissing } from './driver-missing.ts';
import { encoding } from './encoding.ts';
import { encryptionKeyWrong } from './encryption-key-wrong.ts';
import { encryptionMismatch } from './encryption-mismatch.ts';
import { envChanged } from './env-changed.ts';
import { envFileMissing } from './env-file-missing.ts';
import { envInvalid } from './env-invalid.ts';
import { envMissing } from './env-missing.ts';
import { fileMissing } from './file-missing.ts';
import { fileWatchLimit } from './file-watch-limit.ts';
import { heapTooSmall } from './heap-too-small.ts';
import { hostRefused } from './host-refused.ts';
import { illegalInstruction } from './illegal-instruction.ts';
import { importPath } from './import-path.ts';
import { injectionUnresolved } from './injection-unresolved.ts';
import { killedForMemory } from './killed-for-memory.ts';
import { localModuleMissing } from './local-module-missing.ts';
import { localeMissing } from './locale-missing.ts';
import { lockFileOutdated } from './lock-file-outdated.ts';
import { memoryRefused } from './memory-refused.ts';
import { migrationChanged } from './migration-changed.ts';
import { migrationFailed } from './migration-failed.ts';
import { migrationHistoryBroken } from './migration-history-broken.ts';
import { migrationLocked } from './migration-locked.ts';
import { migrationPending } from './migration-pending.ts';
import { migrationUnrecorded } from './migration-unrecorded.ts';
import { moduleShadowed } from './module-shadowed.ts';
import { moduleSystemMismatch } from './module-system-mismatch.ts';
import { nativeCrash } from './native-crash.ts';
import { noQuorum } from './no-quorum.ts';
import { ownNameUnresolved } from './own-name-unresolved.ts';
import { packageDamaged } from './package-damaged.ts';
import { packageIncompatible } from './package-incompatible.ts';
import { packageManagerMismatch } from './package-manager-mismatch.ts';
import { packageManagerUnavailable } from './package-manager-unavailable.ts';
import { packageMissing } from './package-missing.ts';
import { pathAliasUnresolved } from './path-alias-unresolved.ts';
import { permissionDenied } from './permission-denied.ts';
import { poolExhausted } from './pool-exhausted.ts';
import { portForbidden } from './port-forbidden.ts';
import { portInUse } from './port-in-use.ts';
import { processStopped } from './process-stopped.ts';
import { programError } from './program-error.ts';
import { queueMissing } from './queue-missing.ts';
import { readOnlyFileSystem } from './read-only-file-system.ts';
import { releaseFailing } from './release-failing.ts';
import { refusesRoot } from './refuses-root.ts';
import { registeredTwice } from './registered-twice.ts';
import { runtimeExtensionMissing } from './runtime-extension-missing.ts';
import { runtimeOptionInvalid } from './runtime-option-invalid.ts';
import { runtimeVersionMismatch } from './runtime-version-mismatch.ts';
import { schemaMissing } from './schema-missing.ts';
import { secretChanged } from './secret-changed.ts';
import { serverExtensionMissing } from './server-extension-missing.ts';
import { serverFull } from './server-full.ts';
import { serverLimitReached } from './server-limit-reached.ts';
import { serviceBusy } from './service-busy.ts';
import { settingRefused } from './setting-refused.ts';
import { sharedLibraryMissing } from './shared-library-missing.ts';
import { sharedMemoryFull } from './shared-memory-full.ts';
import { crash, errors, hung, memoryGrowth, slow, writesRefused } from './sickness.ts';
import { stackOverflow } from './stack-overflow.ts';
import { staleLock } from './stale-lock.ts';
import { staleSocket } from './stale-socket.ts';
import { startTimeout } from './start-timeout.ts';
import { storageFailing } from './storage-failing.ts';
import { systemLibraryTooOld } from './system-library-too-old.ts';
import { thrownValue } from './thrown-value.ts';
import { timeZoneMissing } from './time-zone-missing.ts';
import { tooManyConnections } from './too-many-connections.ts';
import { tooManyOpenFiles } from './too-many-open-files.ts';
import { tooManyProcesses } from './too-many-processes.ts';
import { unawaited } from './unawaited.ts';
import { unexplained } from './unexplained.ts';
import { unknownOption } from './unknown-option.ts';
import { usedTooEarly } from './used-too-early.ts';
import { virtualEnvironmentBroken } from './virtual-environment-broken.ts';
import { workerTimeout } from './worker-timeout.ts';
import { workspaceUnlinked } from './workspace-unlinked.ts';
import { wrongArchitecture } from './wrong-architecture.ts';
import { wrongFileType } from './wrong-file-type.ts';
import { wrongPassword } from './wrong-password.ts';

export const families: readonly FailureFamily[] = [
  // where it listens
  portInUse,
  portForbidden,
  addressUnavailable,
  staleSocket,
  // what it is told
  envFileMissing,
  envMissing,
  envChanged,
  envInvalid,
  secretChanged,
  credentialsMissing,
  encryptionKeyWrong,
  settingRefused,
  unknownOption,
  runtimeOptionInvalid,
  applicationUnnamed,
  applicationNotFound,
  // its code, and what is built of it
  localModuleMissing,
  importPath,
  moduleShadowed,
  pathAliasUnresolved,
  moduleSystemMismatch,
  circularImport,
  classNotLoaded,
  compileError,
  buildMissing,
  clientNotGenerated,
  assetsNotBuilt,
  artifactBroken,
  injectionUnresolved,
  registeredTwice,
  usedTooEarly,
  unawaited,
  startTimeout,
  stackOverflow,
  thrownValue,
  // packages, the runtime and other programs
  packageMissing,
  packageDamaged,
  packageIncompatible,
  workspaceUnlinked,
  lockFileOutdated,
  packageManagerMismatch,
  packageManagerUnavailable,
  virtualEnvironmentBroken,
  driverMissing,
  runtimeVersionMismatch,
  runtimeExtensionMissing,
  cryptoUnsupported,
  commandMissing,
  sharedLibraryMissing,
  systemLibraryTooOld,
  wrongArchitecture,
  illegalInstruction,
  nativeCrash,
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
  migrationChanged,
  migrationFailed,
  migrationLocked,
  migrationHistoryBroken,
  schemaMissing,
  databaseMissing,
  databaseRightsMissing,
  wrongPassword,
  tooManyConnections,
  poolExhausted,
  constraintViolated,
  driverIncompatible,
  dataVersionMismatch,
  // servers and services that it needs
  dependencyDown,
  hostRefused,
  encryptionMismatch,
  accessRefused,
  serviceBusy,
  serverExtensionMissing,
  serverLimitReached,
  serverFull,
  noQuorum,
  declarationConflict,
  queueMissing,
  // what the machine gives it
  heapTooSmall,
  killedForMemory,
  memoryRefused,
  sharedMemoryFull,
  tooManyOpenFiles,
  tooManyProcesses,
  argumentsTooLong,
  fileWatchLimit,
  diskFull,
  readOnlyFileSystem,
  storageFailing,
  encoding,
  localeMissing,
  timeZoneMissing,
  clockWrong,
  ownNameUnresolved,
  refusesRoot,
  // how it is while it runs
  processStopped,
  memoryGrowth,
  writesRefused,
  errors,
  hung,
  slow,
  crash,
  workerTimeout,
  // what remains
  crashLoop,
  driftSuspect,
  programError,
  releaseFailing,
  unexplained,
];
