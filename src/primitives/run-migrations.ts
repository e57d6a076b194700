import { isAbsolute, resolve } from 'node:path';
import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { readNote, writeNote } from './apply-note.ts';
import { backupName, copyTree, move, sameContent } from './aside.ts';
import { holderOf } from './database-in-use.ts';
import { howItFailed, outputTail } from './command-end.ts';
import { PrimitiveFailed, UndoRefused } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { SQLITE_PARTS } from './sqlite-file.ts';

/** One file of the database: what it was, and where its copy is. */
type Part = { readonly path: string; readonly existed: boolean; readonly copy: string };
type Migration = {
  readonly parts: readonly Part[];
  /** Where apply notes how they were when the migrations had ended. */
  readonly note: string;
  /** Where it notes that the copies are whole and the migrations begin; absent in what an earlier Grace recorded. */
  readonly begun?: string;
};
/** Size and time of each part after the migrations; null where there is none. */
type Stamps = { readonly [path: string]: { readonly sizeBytes: number; readonly mtimeMs: number } | null };

const MIGRATE_MS_MAX = 5 * 60_000;
const COPY_ATTEMPTS = 3;
/** Suffix of the note that an undo after a cut-off goes back: what it looked at to decide that is changed by going back. */
const GOES_BACK = '.back';

export const runMigrations = definePrimitive({
  name: 'run_migrations',
  description: "Runs the component's own migration command; a SQLite database is copied first.",
  risk: 'medium',
  touchesDatabase: true,

  parameters: {},
  confinement: 'the migration command that the component declares',

  async plan(_params, context) {
    const { component, files } = context;
    if (component.migrate.length === 0) return { state: 'refused', reason: `${component.name} declares no migration command` };
    const database = await sqlitePath(context);
    const command = component.migrate.join(' ');
    if (database === null)
      return {
        state: 'ready',
        summary: `run ${command}`,
        targets: [component.database?.startsWith('$') ? component.database : 'database'],
        undo: { parts: [], note: '' },
        irreversible: 'this database is no file that could be copied: its migrations stay',
      };
    const parts: Part[] = [];
    let bytes = 0;
    for (const suffix of SQLITE_PARTS) {
      const path = (await confineTarget(context, database)) + suffix;
      const stat = await files.stat(path);
      if (stat !== null && stat.kind !== 'file') return { state: 'refused', reason: `${path} is a ${stat.kind}, not a file` };
      bytes += stat?.sizeBytes ?? 0;
      parts.push({ path, existed: stat !== null, copy: await backupName(context, path, 'before') });
    }
    const room = await files.diskRoom(context.backupDir);
    if (room !== null && room.freeBytes < bytes * 1.1)
      return { state: 'refused', reason: `there is no room for a copy of ${database} before its migrations` };
    const undo: Migration = {
      parts,
      note: await backupName(context, database, 'migrated'),
      begun: await backupName(context, database, 'migrating'),
    };
    return { state: 'ready', summary: `copy ${database}, then run ${command}`, targets: [database], undo: undo as Json };
  },

  async apply(_params, context, record) {
    const { component } = context;
    const { parts, note, begun } = record as unknown as Migration;
    await copyParts(context, parts);
    if (parts.length > 0 && begun !== undefined) await writeNote(context, begun, await stampsOf(context, parts));
    context.progress(`running ${component.migrate.join(' ')}`);
    const result = await context.run(component.migrate, { timeoutMs: MIGRATE_MS_MAX });
    if (parts.length > 0) await writeNote(context, note, await stampsOf(context, parts));
    if (result.exitCode !== 0) {
      const how = howItFailed(result, MIGRATE_MS_MAX);
      throw new PrimitiveFailed('run_migrations', `${component.migrate.join(' ')} ${how}\n${outputTail(result)}`);
    }
    return { summary: `migrations ran: ${outputTail(result, 1) || 'no output'}`, changed: parts.map((part) => part.path) };
  },

  async undo(record, context) {
    const { parts, note, begun } = record as unknown as Migration;
    if (parts.length === 0)
      throw new UndoRefused(
        'run_migrations',
        'this database is no file that could be copied: its migrations stay',
        'migrations are written so that the old release runs on the new schema',
      );
    const { files } = context;
    const after = await readNote<Stamps>(context, note);
    if (after === null && begun !== undefined) return undoCutOff(context, parts, begun);
    const back: Part[] = [];
    for (const part of parts) {
      await confineEntry(context, part.path);
      if (await isAsBefore(context, part)) continue;
      if (part.existed && (await files.stat(part.copy)) === null) return []; // apply had not copied yet, so it had not begun
      const stamp = after?.[part.path];
      const now = await stampOf(context, part.path);
      if (after === null || stamp === undefined || JSON.stringify(stamp) !== JSON.stringify(now))
        return [`${part.path} was written to since its migrations, and stays; the copy from before is ${part.copy}`];
      back.push(part);
    }
    if (back.length > 0) await refuseUnderHolder(context, parts);
    for (const part of back) await putBack(context, part);
    return [];
  },
});

/**
 * Grace was killed before it could note how the migrations had ended. What runs of them has been ended since. Either all of them
 * ran, or what they left goes aside and the copy comes back.
 */
async function undoCutOff(context: PrimitiveContext, parts: readonly Part[], begun: string): Promise<readonly string[]> {
  const { component, files, host } = context;
  const before = await readNote<Stamps>(context, begun);
  if (before === null) return []; // the copies were still being made
  for (const part of parts) await confineEntry(context, part.path);
  const changed: Part[] = [];
  for (const part of parts) if (!(await isAsBefore(context, part))) changed.push(part);
  if (changed.length === 0) return [];
  const main = parts.at(-1)?.copy ?? '';
  const goesBack = begun + GOES_BACK;
  await refuseUnderHolder(context, parts);
  if ((await files.stat(goesBack)) === null) {
    const drift = await host.schemaDrift(component.name);
    if (drift !== null && drift.pendingMigrations.length === 0 && drift.missingTables.length === 0)
      return [`all migrations had run when Grace was cut off, and they stay; the copy from before is ${main}`];
    await writeNote(context, goesBack, true);
  }
  for (const part of changed) {
    // Somebody may have written to it while no Grace looked: it is kept.
    if (part.existed && (await files.stat(part.path)) !== null && (await files.stat(`${part.copy}.cut-off`)) === null)
      await files.copy(part.path, `${part.copy}.cut-off`);
    await putBack(context, part);
  }
  return [];
}

/**
 * A process that has the database open, also one that came since, would go on writing to the file that is taken away: what it is told is
 * stored would be nowhere.
 * @see https://www.sqlite.org/howtocorrupt.html, section 1.4
 * @throws UndoRefused
 */
async function refuseUnderHolder({ component, files }: PrimitiveContext, parts: readonly Part[]): Promise<void> {
  const main = parts.at(-1);
  const holder = main === undefined ? null : await holderOf(files, main.path);
  if (main === undefined || holder === null) return;
  throw new UndoRefused(
    'run_migrations',
    `process ${holder} has ${component.name}'s database open; the copy from before is ${main.copy}`,
    'stop that process, then undo the run again',
  );
}

async function putBack({ files }: PrimitiveContext, part: Part): Promise<void> {
  if ((await files.stat(part.path)) !== null && !part.existed) await move(files, part.path, `${part.copy}.undone`);
  if (!part.existed) return;
  const half = `${part.path}.grace-tmp`;
  await files.removeTree(half);
  await copyTree(files, part.copy, half);
  await files.rename(half, part.path);
}

/** The SQLite file of the component, absolute; null when its database is something else or unknown. */
async function sqlitePath(context: PrimitiveContext): Promise<string | null> {
  const { component } = context;
  let place = component.database;
  if (place?.startsWith('$')) place = (await context.env())[place.slice(1).replace(/^\{(.*)\}$/, '$1')] ?? null;
  if (place === null || place === undefined || place === '' || place === ':memory:') return null;
  const file = /^(?:sqlite3?|file|libsql):(?:\/\/(?:localhost)?(?=\/)|\/\/)?(.*)$/i.exec(place)?.[1] ?? place;
  if (/^[a-z][a-z0-9+.-]*:/i.test(file)) return null;
  const path = file.replace(/\?.*$/, '');
  return path === '' ? null : isAbsolute(path) ? path : resolve(component.cwd, path);
}

/** All files of the database as of one moment: a copy during which one of them changed is made again. */
async function copyParts(context: PrimitiveContext, parts: readonly Part[]): Promise<void> {
  const { files } = context;
  for (let attempt = 1; attempt <= COPY_ATTEMPTS; attempt++) {
    const before = JSON.stringify(await stampsOf(context, parts));
    for (const { path, copy, existed } of parts) {
      await files.remove(copy);
      if (existed && (await files.stat(path)) !== null) await files.copy(path, copy);
    }
    if (JSON.stringify(await stampsOf(context, parts)) === before) return;
  }
  throw new PrimitiveFailed('run_migrations', 'the database is being written to: no whole copy could be made before its migrations', {
    hint: 'stop what writes to it',
    retryable: true,
  });
}

async function stampOf(context: PrimitiveContext, path: string): Promise<Stamps[string]> {
  const stat = await context.files.stat(path);
  return stat === null ? null : { sizeBytes: stat.sizeBytes, mtimeMs: stat.mtimeMs };
}

async function stampsOf(context: PrimitiveContext, parts: readonly Part[]): Promise<Stamps> {
  const stamps: Record<string, Stamps[string]> = {};
  for (const { path } of parts) stamps[path] = await stampOf(context, path);
  return stamps;
}

async function isAsBefore(context: PrimitiveContext, { path, existed, copy }: Part): Promise<boolean> {
  return existed ? sameContent(context.files, path, copy) : (await context.files.stat(path)) === null;
}
