/**
 * Brings the database to this release: `node migrate.ts`. It makes no backup.
 * `node migrate.ts --status` changes nothing, lists what is pending and exits 1 when something is.
 */
import { existsSync } from 'node:fs';
import { openDatabase } from './database.ts';
import { readEnvironment } from './environment.ts';
import { applyMigrations, migrations, pendingMigrations } from './migrations.ts';
import { startOrExplain } from './startup-error.ts';

await startOrExplain(() => {
  const { DATABASE_PATH } = readEnvironment('DATABASE_PATH');
  if (process.argv.includes('--status')) printStatus(DATABASE_PATH);
  else migrate(DATABASE_PATH);
});

function printStatus(path: string): void {
  const pending = existsSync(path) ? readPending(path) : migrations;
  for (const { name } of pending) console.log(`pending ${name}`);
  if (pending.length === 0) console.log('nothing is pending');
  else process.exitCode = 1;
}

function readPending(path: string) {
  const database = openDatabase(path);
  try {
    return pendingMigrations(database);
  } finally {
    database.close();
  }
}

function migrate(path: string): void {
  const database = openDatabase(path);
  try {
    const applied = applyMigrations(database);
    for (const name of applied) console.log(`applied ${name}`);
    if (applied.length === 0) console.log('nothing to apply');
  } finally {
    database.close();
  }
}
