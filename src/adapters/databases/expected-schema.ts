import type { ApplyMigrations, MigrationsApplied, SchemaSource } from '../../domains/preflight/index.ts';
import { messageOf, sha256Hex, type Logger, type Spawner } from '../../kernel/index.ts';
import { applySql } from './apply-sql.ts';
import type { DatabaseLocation } from './locate.ts';
import type { MigrationFolder } from './migration-folder.ts';
import { plainMigrations, schemaFile, type PlainSql } from './plain-sql.ts';
import { withScratch } from './scratch-database.ts';
import { compareSchema } from './schema-drift.ts';
import { sealSnapshot, type SchemaSnapshot } from './schema-snapshot.ts';
import { takeSnapshot } from './take-snapshot.ts';

export interface ExpectedSchema {
  readonly source: SchemaSource;
  /** For people: `the migrations in db/migrations`. */
  readonly name: string;
  readonly snapshot: SchemaSnapshot;
}

export interface ExpectedOrder {
  readonly location: DatabaseLocation;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The database as it is. */
  readonly now: SchemaSnapshot;
  /** Texts of definitions are not the same in each version of a server. */
  readonly serverVersion: string;
  /** With the reason why its files are not those that were applied; null when they are, as far as can be told. */
  readonly migrations: (MigrationFolder & { readonly notApplied: string | null }) | null;
  /** The file that the config names, relative to `cwd` or absolute; null to look for one. */
  readonly schemaFile: string | null;
  readonly lastGood: SchemaSnapshot | null;
  readonly nowMs: number;
}

/** Migrations or a schema file that could not be applied. */
export interface FailedAttempt {
  readonly why: string;
  /** Wall time. */
  readonly atMs: number;
}

export interface ExpectedPorts {
  readonly spawner: Spawner;
  /** Applies migrations that are not plain SQL, with their own tool; null where there is nobody who can. */
  readonly applyMigrations: ApplyMigrations | null;
  /** Schemas made earlier of the same texts, and what failed earlier with the same files. */
  readonly memory: {
    recall(key: string): Promise<SchemaSnapshot | null>;
    keep(key: string, snapshot: SchemaSnapshot): Promise<void>;
    /** null where an attempt was asked for. */
    recallFailure(key: string): Promise<FailedAttempt | null>;
    keepFailure(key: string, attempt: FailedAttempt): Promise<void>;
  };
  /** False: only what was made earlier counts, and no database is made. */
  readonly mayMake: boolean;
  readonly signal: AbortSignal;
  /** Told of an empty database that could not be removed. */
  readonly logger?: Logger;
}

/** Migrations of years take seconds; the answer is remembered until they change. */
const APPLY_LIMIT_MS = 12_000;

/**
 * What failed fails again, and may take its whole time limit at each start. Yet it may have been the machine or the server, of which
 * no file tells: so it is tried again after this.
 */
const FAILURE_KEPT_MS = 60 * 60_000;

/**
 * The schema that the service wants, from the first source that can tell: its migrations applied to an empty database, a schema file
 * applied likewise, or the last good boot.
 * @returns  also why the sources before it could not
 */
export async function expectedSchema(
  order: ExpectedOrder,
  ports: ExpectedPorts,
): Promise<{ readonly expected: ExpectedSchema | null; readonly leftOut: readonly string[] }> {
  const leftOut: string[] = [];
  // A file that the config names is meant.
  const sources = order.schemaFile === null ? [fromMigrations, fromFile] : [fromFile, fromMigrations];
  for (const source of sources) {
    const found = await source(order, ports);
    if (found === null) continue;
    if ('snapshot' in found) return { expected: found, leftOut };
    leftOut.push(found.why);
  }
  const { lastGood, now } = order;
  if (lastGood === null) return { expected: null, leftOut };
  // Migrations that were recorded since have changed it on purpose.
  const since = compareSchema(lastGood, now)?.recordedSince ?? ['another database'];
  if (since.length > 0) return { expected: null, leftOut: [...leftOut, `the last good boot was before ${since.slice(0, 3).join(', ')}`] };
  return { expected: { source: 'last_good_boot', name: 'the last good boot', snapshot: lastGood }, leftOut };
}

type Told = ExpectedSchema | { readonly why: string } | null;

async function fromMigrations(order: ExpectedOrder, ports: ExpectedPorts): Promise<Told> {
  const { migrations, cwd, location, env } = order;
  if (migrations === null) return null;
  if (migrations.notApplied !== null) return { why: `not compared with the migrations: ${migrations.notApplied}` };
  const name = `the migrations in ${migrations.folder}`;
  const plain = await plainMigrations(cwd, migrations);
  const source = migrations.isRecorded ? 'migrations' : 'unrecorded_migrations';
  if (plain !== null) return made(order, ports, source, name, plain);
  const { applyMigrations, signal } = ports;
  if (applyMigrations === null)
    return { why: whyNot(name, `only ${migrations.tool} can do it, and it is run only where preflight.tryMigrations is set`) };
  // Should it go astray, it must have nothing to do there.
  if (migrations.isRecordUnknown) return { why: whyNot(name, `${migrations.tool} keeps its record in a table that was not found`) };
  const apply = (scratch: DatabaseLocation): Promise<MigrationsApplied> =>
    applyMigrations(
      {
        projectDir: cwd,
        tool: migrations.tool,
        folder: migrations.folder,
        engine: location.engine,
        scratchUrl: scratch.engine === 'postgres' ? scratch.url : scratch.path,
        env,
        timeLimitMs: APPLY_LIMIT_MS,
      },
      signal,
    );
  const { folderDigest, settingsDigest } = await import('./source-digest.ts');
  const digest = `${migrations.tool} ${await folderDigest(cwd, migrations.folder)}`;
  return inScratch(order, ports, { source, name, digest, settings: () => settingsDigest(cwd) }, apply);
}

async function fromFile(order: ExpectedOrder, ports: ExpectedPorts): Promise<Told> {
  const found = await schemaFile(order.cwd, order.schemaFile);
  return found === null ? null : made(order, ports, order.schemaFile === null ? 'schema_file' : 'named_file', found.file, found);
}

async function made(order: ExpectedOrder, ports: ExpectedPorts, source: SchemaSource, name: string, plain: PlainSql): Promise<Told> {
  if (plain.state === 'not_possible') return { why: whyNot(name, plain.why) };
  const { spawner, signal } = ports;
  return inScratch(order, ports, { source, name, digest: plain.digest, settings: async () => '' }, (scratch) =>
    applySql(scratch, plain.texts, { spawner, timeLimitMs: APPLY_LIMIT_MS, signal }),
  );
}

async function inScratch(
  order: ExpectedOrder,
  ports: ExpectedPorts,
  what: {
    readonly source: SchemaSource;
    readonly name: string;
    readonly digest: string;
    /** A digest of what else decides whether it can be applied, and not what is made. */
    settings(): Promise<string>;
  },
  apply: (scratch: DatabaseLocation) => Promise<MigrationsApplied>,
): Promise<Told> {
  const { source, name, digest } = what;
  const key = sha256Hex(JSON.stringify([order.location.engine, order.serverVersion, name, digest]));
  // It is as if it had been made of this database: repairs go by it.
  const asOf = (snapshot: SchemaSnapshot): ExpectedSchema => ({
    source,
    name,
    snapshot: sealSnapshot({ ...snapshot, database: order.now.database, history: [] }),
  });
  const known = await ports.memory.recall(key);
  if (known !== null) return asOf(known);
  if (!ports.mayMake) return { why: `${name} were not applied to an empty database yet` };
  const failureKey = sha256Hex(JSON.stringify([key, await what.settings()]));
  const failed = await ports.memory.recallFailure(failureKey);
  const sinceMs = failed === null ? FAILURE_KEPT_MS : order.nowMs - failed.atMs;
  // One from the future is of a clock that was wrong.
  if (failed !== null && sinceMs >= 0 && sinceMs < FAILURE_KEPT_MS)
    return { why: `${failed.why}; it is tried again an hour after that, or when the files have changed` };
  try {
    const result = await withScratch(
      order.location,
      order.nowMs,
      async (scratch) => {
        const tried = await attempt(scratch, apply, ports.signal);
        if (tried.state === 'failed') await ports.memory.keepFailure(failureKey, { why: whyNot(name, tried.why), atMs: order.nowMs });
        return tried;
      },
      ports.logger,
    );
    // Without a database nothing was tried, and to ask for one costs little.
    if (result.state !== 'applied') return { why: whyNot(name, result.why) };
    const expected = asOf(result.snapshot);
    await ports.memory.keep(key, expected.snapshot);
    return expected;
  } catch (error) {
    ports.signal.throwIfAborted();
    return { why: whyNot(name, messageOf(error).slice(0, 200)) };
  }
}

type Attempt = { readonly state: 'applied'; readonly snapshot: SchemaSnapshot } | { readonly state: 'failed'; readonly why: string };

/** @throws the reason of the signal: that a boot was ended says nothing about the migrations */
async function attempt(
  scratch: DatabaseLocation,
  apply: (scratch: DatabaseLocation) => Promise<MigrationsApplied>,
  signal: AbortSignal,
): Promise<Attempt> {
  try {
    const applied = await apply(scratch);
    signal.throwIfAborted();
    return applied.state === 'applied'
      ? { state: 'applied', snapshot: await takeSnapshot(scratch) }
      : { state: 'failed', why: applied.why };
  } catch (error) {
    signal.throwIfAborted();
    return { state: 'failed', why: messageOf(error).slice(0, 200) };
  }
}

function whyNot(name: string, why: string): string {
  return `${name} cannot be applied to an empty database: ${why}`;
}
