import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { startGrace } from './grace.ts';
import { freePort, newProject } from './project.ts';

/** Writes when it starts, and does not wait long for a lock. */
const SERVICE = `import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
const db = new DatabaseSync('orders.db', { timeout: 300 });
db.exec('begin immediate; create table if not exists orders (id integer primary key); commit');
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
`;

test('a service whose database is locked by another writer comes up once the lock has passed', async () => {
  const port = await freePort();
  const command = [process.execPath, 'server.mjs'];
  const dir = newProject({
    'server.mjs': SERVICE,
    'grace.config.json': { components: { web: { command, port, env: { PORT: String(port) } } } },
  });
  const writer = new DatabaseSync(join(dir, 'orders.db'));
  writer.exec('create table kept (a); begin immediate; insert into kept values (1)');
  const grace = startGrace(dir, ['boot', '--json']);
  await grace.event('component_failed');
  writer.exec('commit');
  const { code } = await grace.ended;
  expect(code, grace.said()).toBe(0);
  expect(grace.events()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'diagnosed', family: 'database_locked' }),
      expect.objectContaining({ type: 'playbook_verified', playbook: 'retry_web_when_unlocked' }),
    ]),
  );
  expect(writer.prepare('select count(*) as n from kept').get()).toEqual({ n: 1 });
  writer.close();
});
