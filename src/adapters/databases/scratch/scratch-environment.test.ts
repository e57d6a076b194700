import { expect, test } from 'vitest';
import { parsePostgresUrl } from '../postgres-url.ts';
import { pointAt } from './scratch-environment.ts';

const target = parsePostgresUrl('postgresql://me:p%40ss@127.0.0.1:7000/scratch')!;
const URL_ = 'postgresql://me:p%40ss@127.0.0.1:7000/scratch?sslmode=disable';

test('every name and every value that leads to a database leads to the scratch one', () => {
  const live = {
    DATABASE_URL: 'postgres://app:secret@db/live?schema=shop',
    REPORTS: 'postgres://app:secret@replica/live',
    DB_HOST: 'db',
    DB_PORT: '5432',
    DB_PASSWORD: 'secret',
    APP_DB_NAME: 'live',
    PGHOSTADDR: '10.0.0.1',
    PGSERVICE: 'live',
    PGPASSFILE: '/etc/pgpass',
    CACHE_URL: 'redis://cache',
    NODE_ENV: 'production',
  };
  const { env } = pointAt({ engine: 'postgres', target }, live, new Set(['DIRECT_DATABASE_URL']));
  expect(env).toEqual({
    DATABASE_URL: `${URL_}&schema=shop`,
    DIRECT_DATABASE_URL: URL_,
    REPORTS: URL_,
    DB_HOST: '127.0.0.1',
    DB_PORT: '7000',
    DB_PASSWORD: 'p@ss',
    APP_DB_NAME: 'scratch',
    PGHOST: '127.0.0.1',
    PGPORT: '7000',
    PGUSER: 'me',
    PGPASSWORD: 'p@ss',
    PGDATABASE: 'scratch',
    PGSSLMODE: 'disable',
    CACHE_URL: 'redis://cache',
    NODE_ENV: 'production',
  });
});

test('a file stays in the form in which it was named', () => {
  const live = {
    DATABASE_URL: 'file:./dev.db',
    DATABASE_FILE: './dev.db',
    SQLITE_PATH: 'data/live',
    STORE: '/var/lib/app/live.sqlite3',
    DB_HOST: 'db',
  };
  const { env } = pointAt({ engine: 'sqlite', path: '/s/x.db' }, live, new Set());
  expect(env).toEqual({ DATABASE_URL: 'file:/s/x.db', DATABASE_FILE: '/s/x.db', SQLITE_PATH: '/s/x.db', STORE: '/s/x.db' });
});
