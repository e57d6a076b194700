import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext, SchemaDrift } from '../domains/playbooks/index.ts';

/** What a difference from the last good boot can be in. */
type Lacking = 'missingTables' | 'missingColumns' | 'unrecordedMigrations';

/**
 * Which of these the database has now, looked up afresh: what is compared around a repair of it and its undo.
 * Where the database cannot be reached nobody can tell, and that is not the same as before.
 */
export async function presenceOf(context: PrimitiveContext, lacking: Lacking, names: readonly string[]): Promise<Json> {
  const drift: SchemaDrift | null = await context.host.schemaDrift(context.component.name);
  return Object.fromEntries(names.map((name) => [name, drift === null ? 'unknown' : drift[lacking].includes(name) ? 'missing' : 'there']));
}
