import type { Kysely } from 'kysely';

export const up = (db: Kysely<unknown>) =>
  db.schema
    .createTable('notes')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .execute();
