import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { startGrace, type Running } from './grace.ts';
import { processesIn, runsOf, send } from './processes.ts';
import { freePort, newProject, notGraces, snapshot, write } from './project.ts';
import { until } from './waiting.ts';

/** Complains always in the same words: what helps a little looks like what does not help at all. */
const SERVER = `import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
using database = new DatabaseSync('ledger.db', { readOnly: true });
const hasParts = database.prepare("select 1 from sqlite_master where name = 'parts'").get() !== undefined;
const { region } = JSON.parse(readFileSync('settings.json', 'utf8'));
const tier = existsSync('strict') ? process.env.LEDGER_TIER : 'gold';
if (region !== 'eu' || tier !== 'gold' || !hasParts || !existsSync('spool')) {
  console.error('Error: the ledger does not know where it stands');
  process.exit(3);
}
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
`;

/** Says outside of all that is undone which run has asked for it. */
const STAMP = `import { appendFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
const step = process.argv[2];
using store = new DatabaseSync('.grace/grace.db', { readOnly: true });
const runs = store.prepare("select id from playbook_runs where state = 'running'").all().map((r) => r.id);
appendFileSync('../ledger', runs.join('+') + ' ' + step + '\\n');
writeFileSync('stamped-' + step, step + '\\n');
`;

const NOT_COMPARED = /^(?:ledger\.db(?:-wal|-shm|-journal)?|package-lock\.json)$/;

function playbook(name: string, signature: string, steps: string): string {
  return `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: '${name}',
  description: 'One of the tries of the kill tests.',
  risk: 'medium',
  tier: 'tier_2',
  service: 'ledger',
  match: { signature: '${signature}', component: 'web' },
  params: {},
  async run(ctx) {
${steps}
  },
});
`;
}

const doesNotHelp = (n: string): string => `    await ctx.step('make a cache', 'make_directory', { path: 'cache-${n}/deep' });
    await ctx.step('slow down', 'set_env_override', { name: 'LEDGER_MODE', value: 'slow-${n}' });
    await ctx.step('put limits back', 'restore_file', { path: 'limits.json' });
    await ctx.step('make the table', 'restore_tables', { tables: ['parts'] });
    await ctx.step('stamp', 'run_project_script', { directory: '.', script: 'stamp-${n}', makes: 'stamped-${n}' });`;

const HELPS = `    await ctx.step('put settings back', 'restore_file', { path: 'settings.json' });
    await ctx.step('make the spool', 'make_directory', { path: 'spool' });
    await ctx.step('make the table', 'restore_tables', { tables: ['parts'] });
    await ctx.step('be gold', 'set_env_override', { name: 'LEDGER_TIER', value: 'gold' });
    await ctx.step('stamp', 'run_project_script', { directory: '.', script: 'stamp-z', makes: 'stamped-z' });`;

/** What Grace still does after its boot takes less than this. */
const AFTERWARDS_MS = 2000;

/** What its Node is told so that it dies at a change, or lists them. */
function dieAt(asked: Readonly<Record<string, string>>): readonly string[] {
  return [`--import=${pathToFileURL(join(import.meta.dirname, 'preload', 'die-at.mjs')).href}?${new URLSearchParams(asked).toString()}`];
}

/** What a run of Grace leaves behind, all of it that counts. */
export interface World {
  readonly files: Readonly<Record<string, string>>;
  readonly database: string;
  readonly overrides: unknown;
}

/** A service that is broken in four ways at once, and playbooks for it: all but the last one change something and do not help. */
export class TwoTries {
  readonly dir: string;
  private readonly top: string;

  private constructor(top: string) {
    this.top = top;
    this.dir = join(top, 'project');
  }

  /** Boots once, well; then breaks, and remembers how that is. */
  static async begin(options: { readonly vain?: number; readonly attempts?: number } = {}): Promise<TwoTries> {
    const { vain = 1, attempts = 5 } = options;
    const top = newProject();
    const project = new TwoTries(top);
    const port = await freePort();
    const names = Array.from({ length: vain }, (_, n) => `${n + 1}`);
    mkdirSync(join(project.dir, 'spool'), { recursive: true });
    write(project.dir, {
      'server.mjs': SERVER,
      'stamp.mjs': STAMP,
      'settings.json': { region: 'eu' },
      'limits.json': { rows: 10 },
      'package.json': {
        name: 'ledger',
        private: true,
        type: 'module',
        scripts: Object.fromEntries([...names, 'z'].map((n) => [`stamp-${n}`, `node stamp.mjs ${n}`])),
      },
      'grace.config.json': {
        name: 'ledger',
        components: {
          web: {
            command: [process.execPath, 'server.mjs'],
            port,
            env: { PORT: String(port) },
            database: 'ledger.db',
            soak: '50ms',
            restart: { backoff: '50ms' },
            stop: { grace: '1s' },
          },
        },
        boot: { maxHealingAttempts: attempts },
      },
    });
    const database = new DatabaseSync(join(project.dir, 'ledger.db'));
    database.exec('create table orders (id integer primary key, item text); create table parts (id integer primary key, name text)');
    database.exec("insert into orders (item) values ('lantern'), ('rope')");
    database.close();
    const grace = await project.up();
    await grace.end('SIGTERM');
    const broken = new DatabaseSync(join(project.dir, 'ledger.db'));
    broken.exec('drop table parts');
    broken.close();
    rmSync(join(project.dir, 'spool'), { recursive: true });
    write(project.dir, { 'settings.json': { region: 'moon' }, 'limits.json': { rows: -1 }, strict: 'yes\n' });
    project.keep();
    // What the failure is called is known when it has happened once.
    const asking = startGrace(project.dir, ['boot', '--json']);
    await asking.ended;
    const signature = String(project.store('select signature from failures')[0]?.['signature']);
    await project.reset();
    for (const n of names) write(project.dir, { [`playbooks/try_${n}.ts`]: playbook(`try_${n}`, signature, doesNotHelp(n)) });
    write(project.dir, { 'playbooks/try_z.ts': playbook('try_z', signature, HELPS) });
    project.keep();
    return project;
  }

  private keep(): void {
    rmSync(join(this.top, 'as-broken'), { recursive: true, force: true });
    cpSync(this.dir, join(this.top, 'as-broken'), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  }

  /** As it was when it had just broken. */
  async reset(): Promise<void> {
    await this.endAll();
    rmSync(this.dir, { recursive: true, force: true });
    rmSync(join(this.top, 'ledger'), { force: true });
    cpSync(join(this.top, 'as-broken'), this.dir, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  }

  async endAll(): Promise<void> {
    await until('everything has ended', () => {
      const left = processesIn(this.dir);
      for (const { pid } of left) send(pid, 'SIGKILL');
      return left.length === 0;
    });
  }

  /** Boots and stops again without being killed. @returns what is wrong then */
  async recovers(expected: World, runsMax: number): Promise<readonly string[]> {
    const grace = startGrace(this.dir, ['up', '--json']);
    const { outcome } = await grace.event('boot_ended');
    const living = this.instances();
    const { code } = await grace.end('SIGTERM');
    const faults = [
      ...(outcome === 'success' ? [] : [`the boot ended with ${outcome}`]),
      ...(living === 1 ? [] : [`${living} instances`]),
      ...(code === 0 ? [] : [`Grace ended with ${code}`]),
      ...processesIn(this.dir).map(({ argv }) => `still runs: ${argv.join(' ')}`),
      ...this.faults(expected, runsMax),
    ];
    return faults.length === 0 ? [] : [...faults, `runs: ${this.states().join(', ')}`];
  }

  /** The world as it is when the healing is let be, and every change that Grace made on the way. */
  async undisturbed(): Promise<{ readonly world: World; readonly boundaries: readonly string[] }> {
    await this.reset();
    rmSync(this.list, { force: true });
    const grace = startGrace(this.dir, ['up', '--json'], {}, undefined, dieAt({ list: this.list }));
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    await until(
      'it is remembered as good',
      () => this.store('select 1 from boots where is_verified = 1 and ended_at is not null').length > 1,
    );
    const boundaries = readFileSync(this.list, 'utf8').trim().split('\n');
    await grace.end('SIGTERM');
    return { world: this.world(), boundaries };
  }

  /** Starts Grace and waits until it has killed itself. Killed after its boot when it has not. */
  async diesAt(n: number, when: 'before' | 'after'): Promise<void> {
    const doomed = startGrace(this.dir, ['up', '--json'], {}, undefined, dieAt({ n: String(n), when }));
    const booted = doomed.event('boot_ended').then(
      () => sleep(AFTERWARDS_MS),
      () => undefined,
    );
    await Promise.race([doomed.ended, booted]);
    const { signal } = await doomed.end('SIGKILL');
    if (signal !== 'SIGKILL') throw new Error(`it was not killed\n${doomed.said()}`);
  }

  /**
   * Starts Grace and kills it so many milliseconds after it has said that it heals, or after its start.
   * @returns the states of the runs then
   */
  async diesAfter(ms: number, since: 'healing' | 'start'): Promise<string> {
    const doomed = startGrace(this.dir, ['up', '--json']);
    if (since === 'healing') await Promise.race([doomed.event('playbook_chosen').catch(() => undefined), doomed.event('boot_ended')]);
    await sleep(ms);
    const { signal } = await doomed.end('SIGKILL');
    if (signal !== 'SIGKILL') throw new Error(`it was not killed\n${doomed.said()}`);
    const steps =
      this.store(`select s.state from playbook_steps s where s.run_id = (select id from playbook_runs order by started_at desc limit 1)
      order by s.step_index`).map((r) => String(r['state']));
    return `${this.states().join(', ')} [${steps.join(' ')}]`;
  }

  /** How long the healing takes when it is let be. */
  async healingMs(): Promise<number> {
    await this.reset();
    const grace = startGrace(this.dir, ['up', '--json']);
    await grace.event('playbook_chosen');
    const startMs = performance.now();
    await grace.event('boot_ended');
    const tookMs = performance.now() - startMs;
    await grace.end('SIGTERM');
    return tookMs;
  }

  /** Starts Grace and waits until it is up. */
  async up(): Promise<Running> {
    const grace = startGrace(this.dir, ['up', '--json']);
    const boot = await grace.event('boot_ended');
    if (boot.outcome !== 'success') throw new Error(`the boot ended with ${boot.outcome}\n${grace.said()}`);
    return grace;
  }

  /** Lines of `(run, step)` of the scripts that really ran. */
  stamps(): readonly string[] {
    const file = join(this.top, 'ledger');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  instances(): number {
    return runsOf(this.dir, 'server.mjs').length;
  }

  world(): World {
    const files = snapshot(this.dir, (path) => notGraces(path) && !NOT_COMPARED.test(path));
    return {
      // When something was put aside is another moment each time; that, and what, is the same.
      files: Object.fromEntries(Object.entries(files).map(([path, how]) => [path.replaceAll(/\d{14}(?:-\d+)?/g, '#'), how])),
      database: this.databaseDump(),
      overrides: this.store('select * from overrides order by 1'),
    };
  }

  store(query: string): readonly Record<string, unknown>[] {
    using store = new DatabaseSync(join(this.dir, '.grace', 'grace.db'), { readOnly: true });
    return store.prepare(query).all();
  }

  private databaseDump(): string {
    using database = new DatabaseSync(join(this.dir, 'ledger.db'), { readOnly: true });
    const tables = database.prepare("select name, sql from sqlite_master where type = 'table' order by name").all() as { name: string }[];
    return JSON.stringify([
      tables,
      tables.map(({ name }) => database.prepare(`select * from "${name}" order by 1`).all()),
      database.prepare('pragma integrity_check').all(),
    ]);
  }

  /** What lasts of each run, in words: `try_1 undoing`. */
  states(): readonly string[] {
    return this.store('select playbook, state from playbook_runs order by started_at').map(
      (r) => `${String(r['playbook'])} ${String(r['state'])}`,
    );
  }

  /**
   * What is not as it has to be once the service is up again and Grace has ended; empty when all is.
   * @param expected  the world when nobody kills anything
   * @param runsMax   how many runs may have been there
   */
  faults(expected: World, runsMax: number): readonly string[] {
    const faults: string[] = [];
    const same = (what: string, is: unknown, should: unknown): void => {
      if (JSON.stringify(is) !== JSON.stringify(should)) faults.push(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(should)}`);
    };
    const world = this.world();
    for (const path of new Set([...Object.keys(world.files), ...Object.keys(expected.files)]))
      same(path, world.files[path] ?? null, expected.files[path] ?? null);
    same('database', world.database, expected.database);
    same('overrides', world.overrides, expected.overrides);
    same('runs that go on', this.store("select playbook, state from playbook_runs where state in ('running', 'undoing', 'applied')"), []);
    same('steps that are planned', this.store("select run_id, step from playbook_steps where state = 'planned'"), []);
    const half = `select r.playbook, r.state, s.step, s.state as step_state from playbook_steps s join playbook_runs r on r.id = s.run_id
      where (r.state = 'verified' and s.state <> 'done')
      or (r.state in ('undone', 'interrupted', 'relapsed', 'failed') and s.state <> 'undone')`;
    same('steps unlike their run', this.store(half), []);
    same('runs that could not be put back', this.store("select playbook from playbook_runs where state = 'failed'"), []);
    const counted = `select p.name, p.verified, p.failed from playbooks p where
      p.verified <> (select count(*) from playbook_runs r where r.playbook = p.name and r.state = 'verified') or
      p.failed <> (select count(*) from playbook_runs r where r.playbook = p.name and r.state in ('undone', 'failed', 'relapsed'))`;
    same('counts unlike the runs', this.store(counted), []);
    const open = "select json_extract(body, '$.action') as action from explanations where json_extract(body, '$.outcome') = 'open'";
    same('explanations that are open', this.store(open), []);
    same('boots that go on', this.store("select id from boots where outcome = 'running'"), []);
    same('leases', this.store('select * from leases'), []);
    same('tries', this.store('select * from tries'), []);
    same('store', this.store('pragma integrity_check'), [{ integrity_check: 'ok' }]);
    const stamps = this.stamps();
    same('ran twice', stamps.filter((line, at) => stamps.indexOf(line) !== at), []); // prettier-ignore
    same('ran for nobody', stamps.filter((line) => !/^run_\w+ \w+$/.test(line)), []); // prettier-ignore
    const runs = this.store("select playbook, state from playbook_runs where state <> 'refused'");
    if (runs.length > runsMax) faults.push(`${runs.length} runs, at most ${runsMax}: ${this.states().join(', ')}`);
    same('left over', this.halves(), []);
    return faults;
  }

  /** Files that were being written, where others look too; what Grace leaves of its own reports is swept by nobody yet. */
  private halves(): readonly string[] {
    return readdirSync(this.dir, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /^(?!\.grace\/(?!storage\/aside\/)).*\.grace-(?:tmp|remove)$/.test(path),
    );
  }

  get list(): string {
    return join(this.top, 'boundaries');
  }
}
