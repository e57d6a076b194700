import type { Kysely } from 'kysely';

export const up = (db: Kysely<unknown>) =>
  db.schema
    .createTable('users')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .addColumn('email', 'text', (column) => column.notNull().unique())
    .execute();
