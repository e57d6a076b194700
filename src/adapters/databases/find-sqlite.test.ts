import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findOnlySqlite } from './index.ts';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'grace-find-sqlite-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function make(path: string): string {
  const at = join(dir, path);
  mkdirSync(dirname(at), { recursive: true });
  const database = new DatabaseSync(at);
  database.exec('CREATE TABLE t (x)');
  database.close();
  return at;
}

it('finds the only database below the service, and not what merely has the name of one', async () => {
  writeFileSync(join(dir, 'thumbs.db'), 'no database');
  make('node_modules/tool/cache.db');
  make('.grace/grace.db');
  make('state/grace.db');
  const path = make('data/files/account.sqlite');
  expect(await findOnlySqlite([dir])).toBe(path);
  expect(await findOnlySqlite([dir, join(dir, 'data')])).toBe(path);
});

it('does not choose between two, and finds none where there is none', async () => {
  expect(await findOnlySqlite([dir, join(dir, 'gone')])).toBeNull();
  make('a.db');
  make('b.db');
  expect(await findOnlySqlite([dir])).toBeNull();
});
