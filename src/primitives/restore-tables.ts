import type { Json } from '../kernel/index.ts';
import { readNote, writeNote } from './apply-note.ts';
import { backupName } from './aside.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { presenceOf } from './database-presence.ts';
import { texts } from './parameter.ts';

type Restored = { readonly tables: readonly string[]; readonly note: string };

export const restoreTables = definePrimitive({
  name: 'restore_tables',
  description: 'Makes missing tables again, empty, as they were at the last good boot.',
  risk: 'medium',
  touchesDatabase: true,

  parameters: {
    tables: texts('Names of tables, with or without their schema. An empty list means none.', 500),
  },
  confinement: "the component's own database, tables of the last good boot",

  async plan({ tables }, context) {
    const { component, host } = context;
    if (tables.length === 0) return { state: 'nothing_to_do', summary: 'no tables were named' };
    if (context.databases === null) return { state: 'refused', reason: `Grace has no way into the database of ${component.name}` };
    const drift = await host.schemaDrift(component.name);
    if (drift === null)
      return { state: 'refused', reason: 'there is no good boot to compare with: nobody can tell what the tables looked like' };
    const missing = drift.missingTables.filter((full) => tables.includes(full) || tables.includes(nameOf(full)));
    if (missing.length === 0) return { state: 'nothing_to_do', summary: `${tables.join(', ')} is not missing` };
    const undo: Restored = { tables: missing, note: await backupName(context, 'tables', 'created') };
    return {
      state: 'ready',
      summary: `make ${missing.join(', ')} again, empty; rows that were in it do not come back`,
      targets: missing,
      undo: undo as Json,
    };
  },

  async apply(_params, context, record) {
    const { tables, note } = record as unknown as Restored;
    const { databases } = context;
    if (databases === null) throw new PrimitiveFailed('restore_tables', 'the database cannot be reached any more');
    const { created } = await databases.restoreTables(context.component.name, tables);
    await writeNote(context, note, [...created]);
    return { summary: `made ${created.join(', ') || 'nothing'}`, changed: created };
  },

  async observe(names, context) {
    return presenceOf(context, 'missingTables', names);
  },

  async undo(record, context) {
    const { tables, note } = record as unknown as Restored;
    const { databases } = context;
    if (databases === null) throw new PrimitiveFailed('restore_tables', 'the database cannot be reached any more');
    const { kept } = await databases.dropEmptyTables(context.component.name, (await readNote<readonly string[]>(context, note)) ?? tables);
    return kept.map((table) => `${table} has rows by now and stays`);
  },
});

/** `orders` of `public.orders`. */
function nameOf(full: string): string {
  return full.slice(full.indexOf('.') + 1);
}
