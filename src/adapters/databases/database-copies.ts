import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import type { DatabaseCopies, DatabasePlace } from '../../domains/snapshots/index.ts';
import type { Spawner } from '../../kernel/index.ts';
import { dumpPostgres, postgresBytes, provePostgres, restorePostgres, type PostgresTools } from './copy-postgres.ts';
import { bringBackSqlite, copySqlite, isSqliteFile, logHolders, proveSqlite, sqliteBytes } from './copy-sqlite.ts';
import { DatabaseRestoreRefused } from './errors.ts';
import { describeLocation, type DatabaseLocation } from './locate.ts';

export interface DatabaseCopiesOptions {
  readonly spawner: Spawner;
  readonly key: Uint8Array;
  /** Of one copy, proof or restore. */
  readonly timeoutMs: number;
  component(name: string): ComponentSpec | null;
  locationOf(component: ComponentSpec): Promise<DatabaseLocation | null>;
  environmentOf(component: ComponentSpec): Promise<Readonly<Record<string, string>>>;
}

/** The databases of the service's components, by the means of their own engine. */
export function databaseCopies(options: DatabaseCopiesOptions): DatabaseCopies {
  const { spawner, key, timeoutMs } = options;

  /** How to get in is asked for each time and never kept: a snapshot names a database, and holds no password. */
  async function insideOf(place: Extract<DatabasePlace, { engine: 'postgres' }>): Promise<{ url: string; tools: PostgresTools }> {
    const component = options.component(place.component);
    const location = component === null ? null : await options.locationOf(component);
    if (component === null || location?.engine !== 'postgres' || describeLocation(location) !== place.name)
      throw new DatabaseRestoreRefused(
        place.name,
        `${place.component} uses ${location === null ? 'no database that is known' : describeLocation(location)} now`,
      );
    return { url: location.url, tools: { spawner, key, timeoutMs, env: await options.environmentOf(component) } };
  }

  return {
    isSqlite: isSqliteFile,
    logHolders,
    async locate(component) {
      const location = await options.locationOf(component);
      if (location === null || location.engine === 'sqlite') return location;
      return { engine: 'postgres', name: describeLocation(location), component: component.name };
    },
    async sizeBytes(place) {
      if (place.engine === 'sqlite') return sqliteBytes(place.path);
      return postgresBytes((await insideOf(place)).url, timeoutMs);
    },
    async copy(place, to, signal) {
      if (place.engine === 'sqlite') return copySqlite(place.path, to, key, signal);
      const { url, tools } = await insideOf(place);
      return dumpPostgres(url, to, tools, signal);
    },
    async proof(place, signal) {
      if (place.engine === 'sqlite') return proveSqlite(place.path, key, signal);
      const { url, tools } = await insideOf(place);
      return provePostgres(url, tools, signal);
    },
    async bringBack(place, from, how, signal) {
      if (place.engine === 'sqlite') return bringBackSqlite(place.path, from, how, key, signal);
      if (!how.isKept) throw new DatabaseRestoreRefused(place.name, 'it could not be copied before');
      const { url, tools } = await insideOf(place);
      await restorePostgres(url, from, tools, signal);
    },
  };
}
