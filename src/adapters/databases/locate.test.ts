import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeLocation, locateDatabase } from './index.ts';

describe('where the database of a service is', () => {
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'grace-locate-'));
    mkdirSync(join(cwd, 'prisma'));
    writeFileSync(join(cwd, 'prisma', 'dev.db'), '');
    writeFileSync(join(cwd, 'absolute.db'), '');
  });
  afterAll(() => rmSync(cwd, { recursive: true }));
  const postgres = (text: string, env = {}) => locateDatabase({ USER: 'me', ...env }, text, cwd);

  it.each([
    ['postgres://u:p@h/db', 'postgresql://u:p@h:5432/db'],
    ['postgresql+asyncpg://u:p@h:6000/db', 'postgresql://u:p@h:6000/db'],
    ['jdbc:postgresql://h/db?user=u&password=p%26q', 'postgresql://u:p%26q@h:5432/db'],
    ['postgres://u:p%40%2F@h/db?sslmode=require&schema=x', 'postgresql://u:p%40%2F@h:5432/db?sslmode=require'],
    ['postgres://u:p@ss@h/db', 'postgresql://u:p%40ss@h:5432/db'],
    ['postgres://u:50%@h/db', 'postgresql://u:50%25@h:5432/db'],
    ['postgres://[::1]:5433/db', 'postgresql://me@[::1]:5433/db'],
    ['postgres://u@/db?host=/run/postgresql', 'postgresql://u@:5432/db?host=%2Frun%2Fpostgresql'],
    ['postgres://u@a,b:6000/db', 'postgresql://u@a:5432/db'],
    [`host=h dbname=db user=u password='it\\'s'`, "postgresql://u:it's@h:5432/db"],
  ])('reads %s', (text, url) => {
    const found = postgres(text);
    expect(found).toEqual({ engine: 'postgres', url });
    expect(locateDatabase({}, url, cwd)).toEqual(found);
  });

  it('fills in from the variables of the service what a URL leaves out', () => {
    expect(postgres('postgres:///shop', { PGHOST: 'db.internal', PGUSER: 'app', PGPASSWORD: 'x y', PGPORT: '6000' })).toEqual({
      engine: 'postgres',
      url: 'postgresql://app:x%20y@db.internal:6000/shop',
    });
  });

  it.each([
    ['sqlite:data/app.db', 'data/app.db'],
    ['sqlite:///data/app.db', 'data/app.db'],
    ['sqlite+aiosqlite:///./app.db', 'app.db'],
    ['sqlite://app.db?mode=rwc', 'app.db'],
    ['file:app.db?cache=shared', 'app.db'],
    ['file:./dev.db', 'prisma/dev.db'],
    ['jdbc:sqlite:app.db', 'app.db'],
    ['data/with space.db', 'data/with space.db'],
  ])('reads %s', (text, path) => {
    expect(locateDatabase({}, text, cwd)).toEqual({ engine: 'sqlite', path: join(cwd, path) });
  });

  it('reads absolute files in each spelling', () => {
    const path = join(cwd, 'absolute.db');
    for (const text of [
      path,
      `file://${path}`,
      `file:${path}`,
      `sqlite:///${path}`,
      `sqlite+pysqlite:///${path}`,
      `sqlite:${path}`,
      `sqlite://${path}`,
    ])
      expect(locateDatabase({}, text, '/'), text).toEqual({ engine: 'sqlite', path });
  });

  it.each([
    ':memory:',
    'sqlite::memory:',
    'sqlite://',
    'file::memory:?cache=shared',
    'mysql://u:p@h/db',
    'mongodb://h',
    '$MISSING',
    '',
    'postgres://h:99999/x',
  ])('finds nothing in "%s"', (text) => {
    expect(locateDatabase({}, text, cwd)).toBeNull();
  });

  it('follows a variable that the configuration names', () => {
    const env = { SHOP_DB: 'postgres://u:p@h/shop', DATABASE_URL: 'postgres://u:p@h/other' };
    expect(locateDatabase(env, '$SHOP_DB', cwd)).toEqual({ engine: 'postgres', url: 'postgresql://u:p@h:5432/shop' });
    expect(locateDatabase(env, '${SHOP_DB}', cwd)).toEqual({ engine: 'postgres', url: 'postgresql://u:p@h:5432/shop' });
  });

  it('looks in the environment when nothing is declared', () => {
    const from = (env: Record<string, string>) => locateDatabase({ USER: 'me', ...env }, null, cwd);
    expect(from({})).toBeNull();
    expect(from({ DATABASE_URL: 'mysql://h/x', POSTGRES_URL: 'postgres://u@h/x' })).toMatchObject({ url: 'postgresql://u@h:5432/x' });
    expect(from({ DATABASE_URL: './local.sqlite' })).toEqual({ engine: 'sqlite', path: join(cwd, 'local.sqlite') });
    expect(from({ PGDATABASE: 'shop', PGHOST: '/run/pg' })).toEqual({
      engine: 'postgres',
      url: 'postgresql://me@:5432/shop?host=%2Frun%2Fpg',
    });
    expect(from({ POSTGRES_HOST: 'db', POSTGRES_USER: 'u', POSTGRES_PASSWORD: 'p' })).toMatchObject({ url: 'postgresql://u:p@db:5432/u' });
    expect(from({ DATABASE_PATH: 'data/orders.db' })).toEqual({ engine: 'sqlite', path: join(cwd, 'data/orders.db') });
    expect(from({ SQLITE_TMPDIR: '/tmp', SQLITE_BUSY_TIMEOUT: '500', SQLITE_STORE: 'x.sqlite3' })).toEqual({
      engine: 'sqlite',
      path: join(cwd, 'x.sqlite3'),
    });
  });

  it('is described without user and password', () => {
    expect(describeLocation({ engine: 'postgres', url: 'postgres://u:hidden@h/shop' })).toBe('PostgreSQL database "shop" at h:5432');
  });
});
