// Primitives: the governed powers, one file each. Whatever Grace changes on a machine, it changes through one of these.
import type { DefinedPrimitive } from './define-primitive.ts';
import type { GivenParameters } from './parameter.ts';
import { addEnvKeys } from './add-env-keys.ts';
import { createEnvFile } from './create-env-file.ts';
import { freeDiskSpace } from './free-disk-space.ts';
import { findUnawaitedCalls } from './find-unawaited-calls.ts';
import { freePort } from './free-port.ts';
import { generateSecret } from './generate-secret.ts';
import { groupRecentErrors } from './group-recent-errors.ts';
import { installPackages } from './install-packages.ts';
import { makeDirectory } from './make-directory.ts';
import { notify } from './notify.ts';
import { raiseHeapLimit } from './raise-heap-limit.ts';
import { raiseOpenFiles } from './raise-open-files.ts';
import { rebuildPackages } from './rebuild-packages.ts';
import { recordMigrations } from './record-migrations.ts';
import { recoverSqlite } from './recover-sqlite.ts';
import { relinkInterpreter } from './relink-interpreter.ts';
import { removeStaleLock } from './remove-stale-lock.ts';
import { removeStaleSocket } from './remove-stale-socket.ts';
import { repairAppendOnlyFile } from './repair-append-only-file.ts';
import { restartComponent } from './restart-component.ts';
import { restoreColumns } from './restore-columns.ts';
import { restoreFile } from './restore-file.ts';
import { restorePermissions } from './restore-permissions.ts';
import { restoreTables } from './restore-tables.ts';
import { rollBackRelease } from './roll-back-release.ts';
import { resumeProcess } from './resume-process.ts';
import { generateClient } from './generate-client.ts';
import { runProjectScript } from './run-project-script.ts';
import { runMigrations } from './run-migrations.ts';
import { setAside } from './set-aside.ts';
import { shell } from './shell.ts';
import { setEnvOverride } from './set-env-override.ts';
import { scaleWorkers } from './scale-workers.ts';
import { skipComponent } from './skip-component.ts';
import { startDependency } from './start-dependency.ts';
import { useAnotherPort } from './use-another-port.ts';
import { waitForDependency } from './wait-for-dependency.ts';
import { waitForPort } from './wait-for-port.ts';
import { writeFile } from './write-file.ts';

const ALL = [
  restoreFile,
  rollBackRelease,
  writeFile,
  setAside,
  createEnvFile,
  addEnvKeys,
  generateSecret,
  makeDirectory,
  restorePermissions,
  removeStaleLock,
  removeStaleSocket,
  freePort,
  waitForPort,
  startDependency,
  waitForDependency,
  installPackages,
  rebuildPackages,
  runProjectScript,
  generateClient,
  relinkInterpreter,
  runMigrations,
  recordMigrations,
  restoreTables,
  restoreColumns,
  recoverSqlite,
  repairAppendOnlyFile,
  freeDiskSpace,
  raiseHeapLimit,
  raiseOpenFiles,
  setEnvOverride,
  scaleWorkers,
  useAnotherPort,
  resumeProcess,
  restartComponent,
  skipComponent,
  shell,
  findUnawaitedCalls,
  groupRecentErrors,
  notify,
] as const;

/** By the name that playbooks use. */
export const primitives: ReadonlyMap<string, DefinedPrimitive> = new Map(
  ALL.map((primitive): [string, DefinedPrimitive] => [primitive.name, primitive]),
);

/** What a playbook may write for each primitive: `PrimitiveParams['make_directory']` is `{ readonly path: string }`. */
export type PrimitiveParams = {
  readonly [P in (typeof ALL)[number] as P['name']]: GivenParameters<P['parameters']>;
};
