import {
  compareSchema,
  dropEmptyColumns,
  dropEmptyTables,
  recordMigrations,
  restoreColumns,
  restoreTables,
  takeSnapshot,
  unrecordMigrations,
  type DatabaseLocation,
} from '../../adapters/databases/index.ts';
import type { JsonObject } from '../../kernel/index.ts';
import type { DatabaseRepair } from '../../domains/playbooks/index.ts';
import type { Sandbox } from './sandbox.ts';

/** Takes the database as it is now for that of the last good boot; from then on the sandbox looks at it and repairs it. */
export async function rememberDatabase(box: Sandbox, location: DatabaseLocation): Promise<void> {
  const good = await takeSnapshot(location);
  box.driftNow = async () => compareSchema(good, await takeSnapshot(location));
  box.databases = {
    async recordMigrations(_component, ids) {
      const result = done(await recordMigrations(location, good, ids));
      return { recorded: result.ids };
    },
    unrecordMigrations: async (_component, ids) => void (await unrecordMigrations(location, good, ids)),
    async restoreTables(_component, tables) {
      const result = done(await restoreTables(location, good, tables));
      return { created: result.tables };
    },
    async restoreColumns(_component, columns) {
      const result = done(await restoreColumns(location, good, columns));
      return { added: result.columns, made: result.made.map((part): JsonObject => ({ ...part })), leftOut: result.leftOut };
    },
    async dropEmptyColumns(_component, columns, made) {
      const parts = made as readonly unknown[] as Parameters<typeof dropEmptyColumns>[3];
      const result = await dropEmptyColumns(location, good, columns, parts);
      return { kept: result.state === 'refused' ? columns : [] };
    },
    async dropEmptyTables(_component, tables) {
      const result = await dropEmptyTables(location, good, tables);
      return result.state === 'refused' ? { dropped: [], kept: tables } : { dropped: result.tables, kept: [] };
    },
  } satisfies DatabaseRepair;
}

/** Schema, and rows of the histories of migrations. */
export async function databaseState(location: DatabaseLocation): Promise<JsonObject> {
  return JSON.parse(JSON.stringify({ ...(await takeSnapshot(location)), takenAtMs: 0 })) as JsonObject;
}

function done<T extends { readonly state: string }>(result: T): Exclude<T, { readonly state: 'refused' }> {
  if (result.state === 'refused') throw new Error(`refused: ${JSON.stringify(result)}`);
  return result as Exclude<T, { readonly state: 'refused' }>;
}
