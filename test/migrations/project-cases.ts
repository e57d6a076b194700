import type { MigrationTool } from '../../src/adapters/databases/index.ts';

/** A project of a migration tool in `projects`, and what the tests need to know of it. */
export interface ProjectCase {
  readonly folder: string;
  readonly tool: MigrationTool;
  readonly engine: 'postgres' | 'sqlite';
  /** What a person would type, below node_modules/.bin. */
  readonly deploy: readonly string[];
  /** The one that is already applied, the last one, and the one of the folder `later`. */
  readonly names: readonly [first: string, last: string, later: string];
  /** File of the first migration, and of the last one. */
  readonly files: readonly [first: string, last: string];
  readonly keepsChecksums: boolean;
  /** Takes the last row out of its record. */
  readonly forget: string;
}

export const CASES: readonly ProjectCase[] = [
  ...(['prisma', 'prisma-sqlite'] as const).map((folder): ProjectCase => ({
    folder,
    tool: 'prisma',
    engine: folder === 'prisma' ? 'postgres' : 'sqlite',
    deploy: ['prisma', 'migrate', 'deploy'],
    names: ['20240101000000_users', '20240102000000_orders', '20240103000000_notes'],
    files: ['prisma/migrations/20240101000000_users/migration.sql', 'prisma/migrations/20240102000000_orders/migration.sql'],
    keepsChecksums: true,
    forget: `DELETE FROM _prisma_migrations WHERE migration_name LIKE '%orders'`,
  })),
  ...(['drizzle', 'drizzle-sqlite'] as const).map((folder): ProjectCase => ({
    folder,
    tool: 'drizzle',
    engine: folder === 'drizzle' ? 'postgres' : 'sqlite',
    deploy: ['drizzle-kit', 'migrate'],
    names: ['0000_users', '0001_orders', '0002_notes'],
    files: ['drizzle/0000_users.sql', 'drizzle/0001_orders.sql'],
    keepsChecksums: true,
    forget: `DELETE FROM ${folder === 'drizzle' ? 'drizzle.' : ''}__drizzle_migrations WHERE created_at = 1704153600000`,
  })),
  ...(['knex', 'knex-sqlite'] as const).map((folder): ProjectCase => ({
    folder,
    tool: 'knex',
    engine: folder === 'knex' ? 'postgres' : 'sqlite',
    deploy: ['knex', 'migrate:latest'],
    names: ['20240101000000_users', '20240102000000_orders', '20240103000000_notes'],
    files: ['migrations/20240101000000_users.js', 'migrations/20240102000000_orders.js'],
    keepsChecksums: false,
    forget: `DELETE FROM knex_migrations WHERE name LIKE '%orders.js'`,
  })),
  {
    folder: 'typeorm',
    tool: 'typeorm',
    engine: 'postgres',
    deploy: ['typeorm', 'migration:run', '-d', 'data-source.js'],
    names: ['1704067200000-Users', '1704153600000-Orders', '1704240000000-Notes'],
    files: ['migrations/1704067200000-Users.js', 'migrations/1704153600000-Orders.js'],
    keepsChecksums: false,
    forget: `DELETE FROM migrations WHERE timestamp = 1704153600000`,
  },
  {
    folder: 'sequelize',
    tool: 'sequelize',
    engine: 'postgres',
    deploy: ['sequelize-cli', 'db:migrate'],
    names: ['20240101000000-users', '20240102000000-orders', '20240103000000-notes'],
    files: ['migrations/20240101000000-users.js', 'migrations/20240102000000-orders.js'],
    keepsChecksums: false,
    forget: `DELETE FROM "SequelizeMeta" WHERE name LIKE '%orders.js'`,
  },
  {
    folder: 'node-pg-migrate',
    tool: 'node-pg-migrate',
    engine: 'postgres',
    deploy: ['node-pg-migrate', '-m', 'db/steps', 'up'],
    names: ['1704067200000_users', '1704153600000_orders', '1704240000000_notes'],
    files: ['db/steps/1704067200000_users.sql', 'db/steps/1704153600000_orders.sql'],
    keepsChecksums: false,
    forget: `DELETE FROM pgmigrations WHERE name LIKE '%orders'`,
  },
  {
    folder: 'kysely',
    tool: 'kysely',
    engine: 'postgres',
    deploy: ['kysely', 'migrate:latest'],
    names: ['1704067200000_users', '1704153600000_orders', '1704240000000_notes'],
    files: ['migrations/1704067200000_users.ts', 'migrations/1704153600000_orders.ts'],
    keepsChecksums: false,
    forget: `DELETE FROM kysely_migration WHERE name LIKE '%orders'`,
  },
];
