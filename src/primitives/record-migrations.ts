import type { Json } from '../kernel/index.ts';
import { readNote, writeNote } from './apply-note.ts';
import { backupName } from './aside.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { presenceOf } from './database-presence.ts';
import { texts } from './parameter.ts';

type Recording = { readonly migrations: readonly string[]; readonly note: string };

export const recordMigrations = definePrimitive({
  name: 'record_migrations',
  description: 'Records migrations again that were recorded at the last good boot and whose schema is there.',
  risk: 'medium',
  touchesDatabase: true,

  parameters: {
    migrations: texts('Names of migrations, with or without their table: `table/name`. An empty list means none.', 5000),
  },
  confinement: "the component's own database, rows of the last good boot",

  async plan({ migrations }, context) {
    const { component, host } = context;
    if (migrations.length === 0) return { state: 'nothing_to_do', summary: 'no migrations were named' };
    if (context.databases === null) return { state: 'refused', reason: `Grace has no way into the database of ${component.name}` };
    const drift = await host.schemaDrift(component.name);
    if (drift === null)
      return { state: 'refused', reason: 'there is no good boot to compare with: nobody can tell which migrations were applied' };
    if (drift.missingTables.length > 0 || drift.missingColumns.length > 0)
      return {
        state: 'refused',
        reason: `the schema lacks ${[...drift.missingTables, ...drift.missingColumns].slice(0, 10).join(', ')}: recording its migrations would hide that`,
      };
    const unrecorded = drift.unrecordedMigrations.filter((full) => migrations.includes(full) || migrations.includes(nameOf(full)));
    const pending = migrations.filter(
      (m) => drift.pendingMigrations.some((p) => nameOf(p) === nameOf(m)) && !unrecorded.some((full) => nameOf(full) === nameOf(m)),
    );
    if (pending.length > 0)
      return {
        state: 'refused',
        reason: `${pending.slice(0, 10).join(', ')} was not recorded at the last good boot: it may never have been applied`,
      };
    if (unrecorded.length === 0) return { state: 'nothing_to_do', summary: `${migrations.join(', ')} is recorded` };
    const undo: Recording = { migrations: unrecorded, note: await backupName(context, 'migrations', 'recorded') };
    return {
      state: 'ready',
      summary: `record ${unrecorded.join(', ')} as applied, as at the last good boot`,
      targets: unrecorded,
      undo: undo as Json,
    };
  },

  async apply(_params, context, record) {
    const { migrations, note } = record as unknown as Recording;
    const { databases } = context;
    if (databases === null) throw new PrimitiveFailed('record_migrations', 'the database cannot be reached any more');
    const { recorded } = await databases.recordMigrations(context.component.name, migrations);
    await writeNote(context, note, [...recorded]);
    return { summary: `recorded ${recorded.join(', ') || 'nothing'}`, changed: recorded };
  },

  async observe(names, context) {
    return presenceOf(context, 'unrecordedMigrations', names);
  },

  async undo(record, context) {
    const { migrations, note } = record as unknown as Recording;
    const { databases } = context;
    if (databases === null) throw new PrimitiveFailed('record_migrations', 'the database cannot be reached any more');
    // Cut off before the note: all of them were missing when the plan was made.
    await databases.unrecordMigrations(context.component.name, (await readNote<readonly string[]>(context, note)) ?? migrations);
  },
});

/** `0003_add.sql` of `knex_migrations/0003_add.sql`. */
function nameOf(full: string): string {
  return full.slice(full.indexOf('/') + 1);
}
