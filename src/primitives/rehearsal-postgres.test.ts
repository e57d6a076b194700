import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { POSTGRES_MISSING, startPostgres, type TestServer } from '../adapters/databases/testing/postgres-server.ts';
import type { DatabaseLocation } from '../adapters/databases/index.ts';
import type { Json } from '../kernel/index.ts';
import { observeTargets } from '../domains/playbooks/index.ts';
import { primitives } from './index.ts';
import { databaseState, rememberDatabase } from './testing/real-database.ts';
import { Sandbox } from './testing/sandbox.ts';

const SCHEMA = `
  CREATE TABLE customers (id serial PRIMARY KEY, email text UNIQUE NOT NULL);
  CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id integer REFERENCES customers (id), note text, total integer NOT NULL DEFAULT 0);
  CREATE INDEX orders_note ON orders (note);
  CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
  INSERT INTO pgmigrations (name, run_on) VALUES ('1_first', '2024-01-01 10:00'), ('2_second', '2024-02-01 10:00');
`;

/** How the database is broken, what repairs it, and what a person may do after the plan. */
const CASES = [
  {
    name: 'record_migrations',
    broken: "DELETE FROM pgmigrations WHERE name = '2_second'",
    params: { migrations: ['2_second'] },
    disturbed: "INSERT INTO pgmigrations (name, run_on) VALUES ('2_second', now())",
    used: null,
  },
  {
    name: 'restore_tables',
    broken: 'DROP TABLE orders',
    params: { tables: ['orders'] },
    disturbed: 'CREATE TABLE orders (mine text)',
    used: 'INSERT INTO orders (total) VALUES (1)',
  },
  {
    name: 'restore_columns',
    broken: 'ALTER TABLE orders DROP COLUMN note',
    params: { columns: ['orders.note'] },
    disturbed: 'ALTER TABLE orders ADD COLUMN note integer',
    used: "INSERT INTO orders (total, note) VALUES (1, 'mine')",
  },
] as const;

describe.skipIf(POSTGRES_MISSING !== null)(
  ['repairs of a PostgreSQL database, rehearsed', POSTGRES_MISSING].filter(Boolean).join(': '),
  () => {
    let server: TestServer;
    let box: Sandbox;
    let location: DatabaseLocation;
    let database = '';
    let count = 0;

    beforeAll(async () => {
      server = await startPostgres();
      await server.query('postgres', 'CREATE DATABASE model');
      await server.query('model', SCHEMA);
    }, 60_000);
    afterAll(async () => {
      await server?.stop();
    });
    beforeEach(async () => {
      count += 1;
      database = `rehearsed${count}`;
      await server.query('postgres', `CREATE DATABASE ${database} TEMPLATE model`);
      location = { engine: 'postgres', url: server.url(database) };
      box = await new Sandbox().make();
      await rememberDatabase(box, location);
    });
    afterEach(() => box.remove());
    const state = (): Promise<Json> => databaseState(location);

    describe.each(CASES)('$name', ({ name, broken, params, disturbed, used }) => {
      const primitive = primitives.get(name);
      if (primitive === undefined) throw new Error(`no primitive ${name}`);

      test('finds nothing to do in a whole database', async () => {
        expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
      });

      test('touches nothing to tell what it would do, and is as before once it is undone, also twice', async () => {
        await server.query(database, broken);
        const before = await state();
        const plan = await box.plan(name, params);
        if (plan.state !== 'ready') throw new Error(`not ready: ${JSON.stringify(plan)}`);
        expect(await state()).toEqual(before);
        const observed = (): Promise<Json> => observeTargets(primitive, plan.targets, box.context());
        const observedBefore = await observed();
        await primitive.apply(primitive.parse(params), box.context(), plan.undo);
        expect(await observed()).not.toEqual(observedBefore);
        for (const _time of [1, 2]) {
          expect(await box.undo(name, plan.undo)).toEqual([]);
          expect(await observed()).toEqual(observedBefore);
          expect(await state()).toEqual(before);
        }
      });

      test('is as before once it is undone wherever Grace died', async () => {
        await server.query(database, broken);
        expect(await box.undoneAfterEveryCut(name, params, await state(), state)).toMatchObject({ wrong: null });
      });

      test('does not act when somebody has mended it since the plan', async () => {
        await server.query(database, broken);
        const plan = await box.plan(name, params);
        if (plan.state !== 'ready') throw new Error(`not ready: ${JSON.stringify(plan)}`);
        await server.query(database, disturbed);
        const before = await state();
        expect(await primitive.apply(primitive.parse(params), box.context(), plan.undo)).toMatchObject({ changed: [] });
        expect(await state()).toEqual(before);
      });

      test.skipIf(used === null)('keeps what was written since, and says so', async () => {
        await server.query(database, broken);
        const record = await box.apply(name, params);
        await server.query(database, used ?? '');
        expect(await box.undo(name, record)).toEqual([expect.stringMatching(/by now and stays$/)]);
        expect(await server.query(database, 'SELECT total FROM orders')).toEqual([{ total: 1 }]);
      });
    });
  },
);
