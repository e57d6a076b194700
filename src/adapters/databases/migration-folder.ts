import type { SchemaSnapshot } from './schema-snapshot.ts';
import { deployCommand } from './deploy-command.ts';
import type { AppliedHistory, DetectedMigrations, MigrationTool } from './detected-migrations.ts';
import { MIGRATION_TOOLS } from './migration-tools.ts';
import { openProject, type Project } from './project-files.ts';

export type { MigrationTool } from './detected-migrations.ts';

export interface MigrationFolder {
  readonly tool: MigrationTool;
  /** Relative to the project. */
  readonly folder: string;
  /** The deploy command, only ever forwards; null when there is none that is safe to run unattended. */
  readonly apply: readonly string[] | null;
  /** In the folder, not in the database, in the order they apply. Empty when it cannot be told. */
  readonly pending: readonly string[];
  /** Whether the database has the whole record of this tool: then what is not pending is applied. */
  readonly isRecorded: boolean;
  /** The configuration names a table of its own for the record, and it is not found: then what is pending cannot be told. */
  readonly isRecordUnknown: boolean;
}

/**
 * Finds the migrations of a project and which of them the database lacks, from files and the tool's own record. The tool
 * itself is never run: its exit code does not tell, and starting it costs a second or two.
 * @param now  the database as it is; null when we cannot look: then nothing counts as pending
 */
export async function findMigrationFolder(cwd: string, now: SchemaSnapshot | null): Promise<MigrationFolder | null> {
  const project = await openProject(cwd);
  const chosen = await toolInUse(project, now);
  if (chosen === null) return null;
  return {
    tool: chosen.tool,
    folder: chosen.folder,
    apply: await deployCommand(project, chosen),
    pending: now === null ? [] : pendingOf(chosen, now),
    isRecorded: now !== null && historyOf(chosen, now)?.isTruncated === false,
    isRecordUnknown: chosen.hasCustomTable && (now === null || historyOf(chosen, now) === null),
  };
}

/** The tool whose traces the project has; of several, the one that the database knows. */
export async function toolInUse(project: Project, now: SchemaSnapshot | null): Promise<DetectedMigrations | null> {
  const detected: DetectedMigrations[] = [];
  for (const detect of MIGRATION_TOOLS) {
    const found = await detect(project);
    if (found !== null) detected.push(found);
  }
  // A project that changed its tool has traces of both: the one that the database knows is in use.
  return detected.find((found) => now !== null && historyOf(found, now) !== null) ?? detected[0] ?? null;
}

export function pendingOf(detected: DetectedMigrations, now: SchemaSnapshot): readonly string[] {
  const history = historyOf(detected, now);
  if (history === null) {
    // Its table may have a name of its own, or may be closed to us: only a table that is not there tells.
    const isThere = now.tables.some(({ name }) => detected.historyTables.includes(name.toLowerCase()));
    return detected.hasCustomTable || isThere ? [] : detected.pending({ rows: [] });
  }
  return history.isTruncated ? [] : detected.pending(history);
}

/** What the tool recorded; null when it has no table there, or none that we may read. */
export function historyOf(detected: DetectedMigrations, now: SchemaSnapshot): (AppliedHistory & { readonly isTruncated: boolean }) | null {
  const found = now.history.find(
    ({ table, rows }) => detected.historyTables.includes(table.toLowerCase()) && detected.isOwn(rows[0]?.cells ?? null),
  );
  return found === undefined ? null : { rows: found.rows.map(({ cells }) => cells), isTruncated: found.isTruncated };
}
