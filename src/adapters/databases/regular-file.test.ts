import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSqliteFile } from './copy-sqlite.ts';
import { readMigrationState } from './migration-state.ts';
import { openProject } from './project-files.ts';
import { takeSnapshot } from './take-snapshot.ts';

let dir = '';
let pipe = '';
const FOUR = ['.env', 'knexfile.js', 'a.sql', 'b.sql'] as const;
const MIGRATION = 'prisma/migrations/1_a/migration.sql';
const PIPES = [...FOUR, 'app.db', MIGRATION];

describe('a pipe in the place of a file', () => {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'grace-pipe-'));
    mkdirSync(join(dir, dirname(MIGRATION)), { recursive: true });
    for (const name of PIPES) execFileSync('mkfifo', [join(dir, name)]);
    pipe = join(dir, 'app.db');
  });
  afterEach(() => {
    // Whoever waits for a writer all the same is let go: the test fails, and does not hang.
    for (const name of PIPES) closeSync(openSync(join(dir, name), constants.O_RDWR | constants.O_NONBLOCK));
    rmSync(dir, { recursive: true, force: true });
  });

  test('holds no thread: four of them, and files are still read', async () => {
    writeFileSync(join(dir, 'package.json'), '{"dependencies":{"knex":"3"}}');
    const project = await openProject(dir);
    expect(await Promise.all(FOUR.map((name) => project.read(name)))).toEqual(['', '', '', '']);
    expect(await project.read('package.json')).toContain('knex');
  });

  test('is no database', async () => {
    expect(await isSqliteFile(pipe)).toBe(false);
  });

  test('is no migration that was edited', async () => {
    writeFileSync(join(dir, 'package.json'), '{"dependencies":{"prisma":"6"}}');
    writeFileSync(join(dir, 'prisma/schema.prisma'), 'datasource db {\n  provider = "sqlite"\n}\n');
    const path = join(dir, 'live.sqlite');
    const database = new DatabaseSync(path);
    database.exec(`CREATE TABLE _prisma_migrations (id TEXT PRIMARY KEY, checksum TEXT, finished_at INTEGER, migration_name TEXT, logs TEXT,
      rolled_back_at INTEGER, started_at INTEGER, applied_steps_count INTEGER);
      INSERT INTO _prisma_migrations VALUES ('1', 'abc', 1, '1_a', NULL, NULL, 1, 1)`);
    database.close();
    const state = await readMigrationState(dir, await takeSnapshot({ engine: 'sqlite', path }));
    expect(state).toMatchObject({ tool: 'prisma', edited: [], missing: [], pending: [] });
  });
});
