import type { Json, JsonObject } from '../kernel/index.ts';
import { readNote, writeNote } from './apply-note.ts';
import { backupName } from './aside.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { presenceOf } from './database-presence.ts';
import { texts } from './parameter.ts';

type Restored = { readonly columns: readonly string[]; readonly note: string };
type Note = { readonly added: readonly string[]; readonly made: readonly JsonObject[] };

export const restoreColumns = definePrimitive({
  name: 'restore_columns',
  description: 'Adds missing columns of tables again, empty, as they were at the last good boot.',
  risk: 'medium',
  touchesDatabase: true,

  parameters: {
    columns: texts('Columns, as `table.column`. An empty list means none.', 500),
  },
  confinement: "the component's own database, columns of the last good boot",

  async plan({ columns }, context) {
    const { component, host } = context;
    if (columns.length === 0) return { state: 'nothing_to_do', summary: 'no columns were named' };
    if (context.databases === null) return { state: 'refused', reason: `Grace has no way into the database of ${component.name}` };
    const drift = await host.schemaDrift(component.name);
    if (drift === null)
      return { state: 'refused', reason: 'there is no good boot to compare with: nobody can tell what the tables looked like' };
    const missing = drift.missingColumns.filter((full) => columns.includes(full));
    if (missing.length === 0) return { state: 'nothing_to_do', summary: `${columns.join(', ')} is not missing` };
    const undo: Restored = { columns: missing, note: await backupName(context, 'columns', 'added') };
    return {
      state: 'ready',
      summary: `add ${missing.join(', ')} again, empty; the values that were in it do not come back`,
      targets: missing,
      undo: undo as Json,
    };
  },

  async apply(_params, context, record) {
    const { columns, note } = record as unknown as Restored;
    const { databases } = context;
    if (databases === null) throw new PrimitiveFailed('restore_columns', 'the database cannot be reached any more');
    const { added, made, leftOut } = await databases.restoreColumns(context.component.name, columns);
    await writeNote(context, note, { added: [...added], made: [...made] });
    const without = leftOut.length === 0 ? '' : `; left out, because there are rows without a value: ${leftOut.join(', ')}`;
    return { summary: `added ${added.join(', ') || 'nothing'}${without}`, changed: added };
  },

  async observe(names, context) {
    return presenceOf(context, 'missingColumns', names);
  },

  async undo(record, context) {
    const { columns, note } = record as unknown as Restored;
    const { databases } = context;
    if (databases === null) throw new PrimitiveFailed('restore_columns', 'the database cannot be reached any more');
    const { added, made } = (await readNote<Note>(context, note)) ?? { added: columns, made: [] };
    const { kept } = await databases.dropEmptyColumns(context.component.name, added, made);
    return kept.map((column) => `${column} has values by now and stays`);
  },
});
