import { relative } from 'node:path';
import type { MigrationLook, SchemaLook } from '../../domains/preflight/index.ts';
import { messageOf } from '../../kernel/index.ts';
import { DatabaseUnreachable } from './errors.ts';
import { expectedSchema, type ExpectedPorts } from './expected-schema.ts';
import type { DatabaseLocation } from './locate.ts';
import { findMigrationFolder } from './migration-folder.ts';
import { readMigrationState } from './migration-state.ts';
import { readSession } from './postgres-catalog.ts';
import { modelOf } from './schema-model.ts';
import { compareSchema } from './schema-drift.ts';
import type { SchemaSnapshot } from './schema-snapshot.ts';
import { takeSnapshot } from './take-snapshot.ts';

export interface SchemaLookOrder {
  readonly location: DatabaseLocation;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The file with the whole schema that the config names, as an absolute path. */
  readonly schemaFile: string | null;
  readonly lastGood: SchemaSnapshot | null;
  readonly nowMs: number;
  readonly timeoutMs: number;
}

export interface SchemaLookPorts extends ExpectedPorts {
  /** As `takeSnapshot`; whoever calls may know better than to log in. */
  readonly snapshotOf?: typeof takeSnapshot;
}

/** The database as it is, in a read-only transaction, and as it should be. Never throws but for the signal. */
export async function lookAtSchema(order: SchemaLookOrder, ports: SchemaLookPorts): Promise<SchemaLook> {
  const { location, cwd, env, lastGood, nowMs, timeoutMs } = order;
  let now: SchemaSnapshot;
  let session = { searchPath: ['main'] as readonly string[], serverVersion: '' };
  try {
    now = await (ports.snapshotOf ?? takeSnapshot)(location, { timeoutMs });
    if (location.engine === 'postgres') session = await readSession(location.url, timeoutMs);
  } catch (error) {
    ports.signal.throwIfAborted();
    return { state: error instanceof DatabaseUnreachable ? 'absent' : 'unreadable', problem: messageOf(error) };
  }
  const [folder, state] = await Promise.all([findMigrationFolder(cwd, now), readMigrationState(cwd, now)]);
  const pending = [...(state?.pending ?? []), ...(state?.failed ?? [])];
  const migrations =
    folder === null
      ? null
      : {
          ...folder,
          isRecorded: folder.isRecorded && state?.unrecorded.length === 0,
          notApplied: state === null ? null : whyOthers(state),
        };
  const known = lastGood === null ? null : compareSchema(lastGood, now);
  const { searchPath, serverVersion } = session;
  const actual = modelOf(now, searchPath);
  const base = { state: 'looked', actual, pending, unrecorded: known?.unrecordedMigrations ?? [] } as const;
  // What is not applied yet is no difference: it is told as what it is.
  if (pending.length > 0) return { ...base, expected: null, leftOut: [] };
  const file = order.schemaFile === null ? null : relative(cwd, order.schemaFile);
  const sources = { location, cwd, env, now, serverVersion, migrations, schemaFile: file, lastGood, nowMs };
  const { expected, leftOut } = await expectedSchema(sources, ports);
  if (expected === null) return { ...base, expected: null, leftOut };
  const { source, name } = expected;
  return { ...base, expected: { source, name, schema: modelOf(expected.snapshot, searchPath) }, leftOut };
}

/** The files make another schema than the one that was applied: then what they make says nothing about what has to be there. */
function whyOthers({ folder, edited, missing }: MigrationLook): string | null {
  if (missing.length > 0) return `${missing.slice(0, 3).join(', ')} was applied and has no file in ${folder}`;
  return edited.length > 0 ? `${edited.slice(0, 3).join(', ')} in ${folder} is not what was applied` : null;
}
