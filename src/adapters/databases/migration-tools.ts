import type { Detector } from './detected-migrations.ts';
import { alembic } from './migration-tools/alembic.ts';
import { dbMigrate } from './migration-tools/db-migrate.ts';
import { dbmate } from './migration-tools/dbmate.ts';
import { django } from './migration-tools/django.ts';
import { drizzle } from './migration-tools/drizzle.ts';
import { flyway } from './migration-tools/flyway.ts';
import { golangMigrate } from './migration-tools/golang-migrate.ts';
import { goose } from './migration-tools/goose.ts';
import { knex } from './migration-tools/knex.ts';
import { kysely } from './migration-tools/kysely.ts';
import { liquibase } from './migration-tools/liquibase.ts';
import { nodePgMigrate } from './migration-tools/node-pg-migrate.ts';
import { prisma } from './migration-tools/prisma.ts';
import { rails } from './migration-tools/rails.ts';
import { sequelize } from './migration-tools/sequelize.ts';
import { sql } from './migration-tools/sql.ts';
import { typeorm } from './migration-tools/typeorm.ts';

/** The most telling traces first: a config file of its own, then a dependency, then the shape of files. */
export const MIGRATION_TOOLS: readonly Detector[] = [
  prisma,
  drizzle,
  sequelize,
  typeorm,
  dbMigrate,
  nodePgMigrate,
  knex,
  kysely,
  flyway,
  liquibase,
  alembic,
  django,
  rails,
  goose,
  dbmate,
  golangMigrate,
  sql,
];
