import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { takeSnapshot, type DatabaseLocation } from '../../src/adapters/databases/index.ts';
import { startPostgres, type TestServer } from '../../src/adapters/databases/testing/postgres-server.ts';
import { runGrace, startGrace, type Running } from '../process/grace.ts';
import { freePort } from '../process/project.ts';
import { installTools } from './installed-tools.ts';
import { liveProjects, nameOf, type LiveProject, type LiveProjects } from './live-project.ts';
import { CASES, type ProjectCase } from './project-cases.ts';

interface Found {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly evidence: readonly string[];
}

interface Answer {
  readonly go: boolean;
  readonly findings: readonly Found[];
  readonly preflight: readonly { readonly name: string; readonly duration_ms: number }[];
}

let server: TestServer;
let projects: LiveProjects;
let one: LiveProject;
let port: number;
let temporary: string;

beforeAll(async () => {
  const [packages, started] = await Promise.all([installTools(), startPostgres()]);
  server = started;
  projects = liveProjects(packages, server);
}, 600_000);
afterAll(() => server?.stop());
afterEach(() => one.remove());

const SERVICE = `import { createServer } from 'node:http';
createServer((request, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
`;

async function openGuarded(project: ProjectCase, preflight: object = {}): Promise<void> {
  one = await projects.openDeployed(project);
  await one.run(`INSERT INTO users (email) VALUES ('somebody@example.org')`);
  port = await freePort();
  temporary = mkdtempSync(join(tmpdir(), 'grace-orm-tmp-'));
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const { PATH: _, ...env } = one.env;
  writeFileSync(join(one.cwd, 'server.mjs'), SERVICE);
  writeFileSync(
    join(one.cwd, 'grace.config.json'),
    JSON.stringify({
      components: {
        api: { command: [process.execPath, 'server.mjs'], port, database: '$DATABASE_URL', env: { ...env, PORT: String(port) } },
      },
      preflight: { tryMigrations: true, ...preflight },
    }),
  );
}

/** Temporary files where no other test leaves any. */
const places = () => ({ TMPDIR: temporary });

async function check(): Promise<Answer & { readonly code: number | null }> {
  const { code, stdout, stderr } = await runGrace(one.cwd, ['check', '--json'], places());
  try {
    return { code, ...(JSON.parse(stdout) as Answer) };
  } catch {
    throw new Error(`no answer (${code}): ${stdout}\n${stderr}`);
  }
}

const OF_DATABASES = /^(?:schema_|migration)/;
const told = ({ findings }: Answer): readonly Found[] => findings.filter(({ code }) => OF_DATABASES.test(code));
/** Severity, code and message of each. */
const short = (answer: Answer): readonly string[] => told(answer).map(({ severity, code, message }) => `${severity} ${code} ${message}`);

/** A boot to its end, which stops the service as well. */
async function boot(): Promise<Running> {
  const running = startGrace(one.cwd, ['boot', '--json'], places());
  expect((await running.ended).code, running.said()).toBe(0);
  return running;
}

/** Scratch databases, and copies of projects in which tools were run. */
async function leftOver(): Promise<readonly unknown[]> {
  const databases = await server.query('postgres', `SELECT datname FROM pg_database WHERE datname LIKE 'grace\\_scratch%'`);
  return [...databases, ...readdirSync(places().TMPDIR).filter((name) => /^grace[_-]scratch[_-]/.test(name))];
}

async function tablesOf(location: DatabaseLocation): Promise<readonly unknown[]> {
  const { tables } = await takeSnapshot(location);
  return tables.map(({ name, columns }) => [name, columns.map((c) => [c.name, c.type, c.notNull, c.default])]);
}

/** What happens to databases: one of everything that is told, in the spelling of the engine. */
const DAMAGE = {
  postgres: `ALTER TABLE orders DROP COLUMN cents; ALTER TABLE orders ALTER COLUMN user_id TYPE bigint;
    ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
    DO $$ DECLARE named text; BEGIN
      SELECT conname INTO named FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'u';
      IF named IS NOT NULL THEN EXECUTE format('ALTER TABLE users DROP CONSTRAINT %I', named);
      ELSE DROP INDEX users_email_key; END IF; END $$`,
  sqlite: `ALTER TABLE orders DROP COLUMN cents; CREATE TABLE other (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, email INTEGER);
    INSERT INTO other SELECT id, email FROM users; DROP TABLE users; ALTER TABLE other RENAME TO users`,
} as const;
/** What Grace knows nothing of. */
const OWN_ROWS = `CREATE TABLE mine (x INTEGER); INSERT INTO mine VALUES (7)`;

async function ownRows(live: DatabaseLocation): Promise<readonly unknown[]> {
  if (live.engine === 'postgres') return (await server.query(nameOf(live.url), 'SELECT x FROM mine')).map(({ x }) => x);
  const database = new DatabaseSync(live.path, { readOnly: true });
  const rows = database.prepare('SELECT x FROM mine').all();
  database.close();
  return rows.map(({ x }) => x);
}

describe.each(CASES)('a project of $folder', (project) => {
  const [firstName, lastName, later] = project.names;
  const [firstFile, lastFile] = project.files;
  const isPostgres = project.engine === 'postgres';

  test('that is in order is GO without a word about its schema and its migrations, and nothing is touched', async () => {
    await openGuarded(project);
    const before = await one.imprint();
    const answer = await check();
    expect(told(answer)).toEqual([]);
    expect(answer.preflight.map(({ name }) => name)).toEqual(expect.arrayContaining(['schema_integrity', 'migrations']));
    expect(answer).toMatchObject({ code: 0, go: true });
    expect(await one.imprint()).toBe(before);
    expect(await leftOver()).toEqual([]);
  });

  test('whose database lost parts is told each of them by its migrations, with the statement that brings it back', async () => {
    await openGuarded(project);
    await one.run(DAMAGE[project.engine]);
    const answer = await check();
    expect(answer).toMatchObject({ code: 1, go: false });
    const [column, type, nullability, unique, ...more] = told(answer);
    expect(more).toEqual([]);
    const statement = ({ evidence = [] }: Partial<Found> = {}) => evidence.join('');
    expect(column).toMatchObject({
      severity: 'error',
      code: 'schema_column_missing',
      message: expect.stringMatching(/^the column orders\.cents \(.+\) is missing; it is in the schema of the migrations in /),
    });
    expect(statement(column)).toMatch(/^ALTER TABLE "orders" ADD COLUMN "cents" integer DEFAULT '?0'? NOT NULL$/i);
    const where = isPostgres ? 'the column orders.user_id is bigint, and integer' : 'the column users.email is INTEGER, and TEXT';
    expect(type).toMatchObject({ severity: 'warn', code: 'schema_column_differs' });
    expect(type?.message.toLowerCase()).toContain(where.toLowerCase());
    expect(nullability).toMatchObject({ severity: 'warn', message: expect.stringContaining('the column users.email may be null') });
    expect(unique).toMatchObject({ severity: 'warn', code: expect.stringMatching(/^schema_(?:rule|index)_differs$/) });
    expect(statement(unique)).toMatch(/UNIQUE.*\(["`]?email["`]?\)$/i);
    if (!isPostgres) return;
    expect(statement(type)).toBe('ALTER TABLE "orders" ALTER COLUMN "user_id" TYPE integer USING "user_id"::integer');
    expect(type?.hint).toContain('only if it is meant, after a backup');
    expect(statement(nullability)).toBe('ALTER TABLE "users" ALTER COLUMN "email" SET NOT NULL');
  });

  test('whose next release brings a migration has it pending, and nothing is compared', async () => {
    await openGuarded(project);
    one.release();
    const before = await one.imprint();
    expect(short(await check())).toEqual([
      // Where Grace knows a command that is safe to run before each start, it says that it would run it.
      expect.stringMatching(new RegExp(`^(?:error schema_behind|warn migrations_pending) .*${later}`)),
      `info schema_not_compared 1 migration not applied yet: ${later}`,
    ]);
    expect(await one.imprint()).toBe(before);
  });

  test('whose record lost a migration is compared all the same, and nothing differs', async () => {
    await openGuarded(project);
    await one.run(project.forget);
    // Where Grace has a command for pending migrations it goes by the record alone: schema_behind.
    expect(told(await check()).map(({ code }) => code)).toEqual(
      project.tool === 'typeorm' || project.tool === 'sequelize' ? ['migrations_unrecorded'] : ['schema_behind', 'migrations_unrecorded'],
    );
  });

  test('whose files are not those that were applied is compared with no schema of theirs', async () => {
    await openGuarded(project);
    const text = readFileSync(join(one.cwd, firstFile), 'utf8');
    writeFileSync(join(one.cwd, firstFile), text.replaceAll('email', 'mail'));
    const edited = short(await check());
    if (project.keepsChecksums)
      expect(edited).toEqual([
        expect.stringMatching(new RegExp(`^warn migration_edited .*${firstName}`)),
        expect.stringMatching(new RegExp(`^info schema_source_left_out .*${firstName} in .* is not what was applied`)),
      ]);
    // Nobody can tell that it was edited; what the service of today wants is not there.
    else expect(edited[0]).toMatch(/^error schema_column_missing the column users\.mail /);
    writeFileSync(join(one.cwd, firstFile), text);
    unlinkSync(join(one.cwd, lastFile));
    const answer = await check();
    expect(short(answer)).toEqual([
      expect.stringMatching(/^warn migration_missing /),
      expect.stringMatching(/^info schema_source_left_out .* was applied and has no file in /),
    ]);
    expect(answer).toMatchObject({ code: 0, go: true });
    expect(lastName).not.toBe(firstName);
  });

  test('whose database lost a table is NO-GO, and the next boot makes it as it was and nothing else', async () => {
    await openGuarded(project);
    const before = await tablesOf(one.live);
    await boot();
    await one.run(`DROP TABLE orders; ${OWN_ROWS}`);
    const seen = await check();
    expect(seen).toMatchObject({ code: 1, go: false });
    expect(short(seen)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^error schema_table_missing the table orders is missing; it is in the schema of the migrations in /),
        expect.stringMatching(/^warn schema_lacks .*grace up would create orders again, empty, as the migrations in .* make it/),
      ]),
    );
    expect(await tablesOf(one.live)).not.toEqual(expect.arrayContaining([expect.arrayContaining(['orders'])]));
    const healed = await boot();
    expect(healed.events()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'diagnosed', family: 'schema_missing' }),
        expect.objectContaining({ type: 'snapshot_taken', playbook: 'restore_missing_tables' }),
        expect.objectContaining({ type: 'step', step: 'create orders again, empty', state: 'done' }),
        expect.objectContaining({ type: 'playbook_verified', playbook: 'restore_missing_tables' }),
      ]),
    );
    const after = await tablesOf(one.live);
    expect(after).toEqual(expect.arrayContaining(before as unknown[]));
    expect(after).toHaveLength(before.length + 1);
    expect(await ownRows(one.live)).toEqual([7]);
    expect(short(await check())).toEqual([expect.stringMatching(/^info schema_table_extra the table mine /)]);
    expect(await leftOver()).toEqual([]);
  });
});

describe('a project of knex', () => {
  const KNEX = CASES.find(({ folder }) => folder === 'knex')!;

  test('whose first boot waits for the check is healed by it', async () => {
    await openGuarded(KNEX, { schema: 'before_start' });
    const before = await tablesOf(one.live);
    await one.run('DROP TABLE orders');
    await boot();
    expect(await tablesOf(one.live)).toEqual(before);
  });

  test('whose migrations fail on trial is tried once until a file changes, and whenever a person asks', async () => {
    await openGuarded(KNEX);
    const runs = join(one.cwd, 'runs.txt');
    const file = join(one.cwd, KNEX.files[1]);
    const fails = `exports.up = () => { throw new Error('no luck'); };\nexports.down = () => {};\n`;
    const config = join(one.cwd, 'knexfile.js');
    writeFileSync(config, `require('node:fs').appendFileSync(${JSON.stringify(runs)}, '.');\n${readFileSync(config, 'utf8')}`);
    const tries = (): number => (existsSync(runs) ? readFileSync(runs, 'utf8').length : 0);
    writeFileSync(file, `${fails}// createTable('orders'\n`);
    await boot();
    expect(tries()).toBe(1);
    await boot();
    expect(tries()).toBe(1);
    expect(short(await check())).toEqual([expect.stringMatching(/^info schema_source_left_out .*no luck/)]);
    expect(tries()).toBe(2);
    writeFileSync(config, `${readFileSync(config, 'utf8')}// mended\n`);
    await boot();
    expect(tries()).toBe(3);
    expect(await leftOver()).toEqual([]);
  });
});
