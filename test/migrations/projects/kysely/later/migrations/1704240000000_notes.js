export const up = (db) =>
  db.schema
    .createTable('notes')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .execute();
