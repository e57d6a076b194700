import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { startGrace } from './grace.ts';
import { freePort, newProject } from './project.ts';

const SERVICE = `import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
new DatabaseSync('shop.db').prepare('select count(*) from orders').get();
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
`;

test('a table that the applied migrations make and that is missing is planned by a check, and made before the service starts', async () => {
  const port = await freePort();
  const command = [process.execPath, 'server.mjs'];
  const dir = newProject({
    'server.mjs': SERVICE,
    'migrations/001_users.sql': 'CREATE TABLE users (id INTEGER PRIMARY KEY);',
    'migrations/002_orders.sql': 'CREATE TABLE orders (id INTEGER PRIMARY KEY, owner INT REFERENCES users (id));',
    'grace.config.json': {
      components: { web: { command, port, database: 'shop.db', env: { PORT: String(port) } } },
      preflight: { schema: 'before_start' },
    },
  });
  const database = new DatabaseSync(join(dir, 'shop.db'));
  database.exec(`CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE schema_migrations (name TEXT PRIMARY KEY);
    INSERT INTO schema_migrations VALUES ('001_users'), ('002_orders')`);

  const check = await startGrace(dir, ['check']).ended;
  expect(check.code).toBe(1);
  expect(check.stdout.replaceAll(/\s+/g, ' ')).toContain(
    'grace up would create orders again, empty, as the migrations in migrations make it',
  );
  expect(database.prepare(`select name from sqlite_schema where name = 'orders'`).get()).toBe(undefined);

  const boot = startGrace(dir, ['boot', '--json']);
  const { code } = await boot.ended;
  expect(code, boot.said()).toBe(0);
  expect(boot.events()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'diagnosed', family: 'schema_missing' }),
      expect.objectContaining({ type: 'playbook_verified', playbook: 'restore_missing_tables' }),
    ]),
  );
  expect(database.prepare(`select name from sqlite_schema where name = 'orders'`).get()).toEqual({ name: 'orders' });
  database.close();
});
