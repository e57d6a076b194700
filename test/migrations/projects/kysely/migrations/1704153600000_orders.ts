import type { Kysely } from 'kysely';

export const up = (db: Kysely<unknown>) =>
  db.schema
    .createTable('orders')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.id'))
    .addColumn('cents', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
