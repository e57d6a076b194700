import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { processesIn, runsOf, send } from './processes.ts';
import { freePort, newProject, snapshot, write } from './project.ts';

/** Reads its region when it starts, and knows one; says nothing of where it read it. */
const PICKY = `import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const { region } = JSON.parse(readFileSync('settings.json', 'utf8'));
if (region !== 'eu-west-1') {
  console.error('Error: the ledger does not know region "' + region + '"');
  process.exit(3);
}
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;

/** Works only in one tier, which the environment says. */
const TIERED = `import { createServer } from 'node:http';
if (process.env.LEDGER_TIER !== 'gold') {
  console.error('Error: nothing is sold in tier ' + (process.env.LEDGER_TIER ?? 'none'));
  process.exit(4);
}
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;

const SECRET = 'kq8Zr2-wLx7Tn4Vb9Yc1';
/** Cannot do without a token, and says so. */
const GUARDED = `import { createServer } from 'node:http';
if (process.env.LEDGER_TOKEN !== '${SECRET}') {
  console.error('Error: the ledger refuses us');
  process.exit(5);
}
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;

/** @param words   further words of the start command: Grace tries again when a file among them changes */
async function projectOf(service: string, files: Readonly<Record<string, unknown>> = {}, ...words: readonly string[]): Promise<string> {
  const dir = newProject({ 'server.mjs': service, ...files });
  const port = await freePort();
  write(dir, {
    'grace.config.json': {
      name: 'ledger',
      components: {
        web: {
          command: [process.execPath, 'server.mjs', ...words],
          port,
          env: { PORT: String(port) },
          soak: '100ms',
          restart: { backoff: '50ms' },
          stop: { grace: '1s' },
        },
      },
    },
  });
  return dir;
}

/** Boots, reports and stops again; `grace boot` waits for nobody. */
async function boot(dir: string, env: Readonly<Record<string, string>> = {}) {
  const grace = startGrace(dir, ['boot', '--json'], env);
  await grace.ended;
  return { events: grace.events(), said: grace.said(), outcome: grace.events().find((e) => e.type === 'boot_ended')?.outcome };
}

function learned(events: Running['events'] extends () => infer T ? T : never) {
  return events.flatMap((e) => (e.type === 'learned_from_person' ? [e] : []));
}

const json = async (dir: string, ...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await runGrace(dir, [...args, '--json'])).stdout);

/** Everything Grace wrote, the copies of the last good boot (which are encrypted) included. */
function everythingWritten(dir: string): string {
  const below = (path: string): readonly string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? below(join(path, e.name)) : [join(path, e.name)]));
  return [join(dir, '.grace'), join(dir, 'playbooks')]
    .filter((path) => existsSync(path))
    .flatMap(below)
    .filter((path) => !path.includes('/logs/web.log'))
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

describe('what a person mended by editing a file', () => {
  test('is offered the next time, waits for approval, and then mends it', async () => {
    const dir = await projectOf(PICKY, { 'settings.json': { region: 'moon' } });
    expect((await boot(dir)).outcome).toBe('failed');
    expect(existsSync(join(dir, 'playbooks'))).toBe(false);

    write(dir, { 'settings.json': { region: 'eu-west-1' } });
    const good = await boot(dir);
    expect(good.outcome, good.said).toBe('success');
    const [lesson] = learned(good.events);
    expect(lesson, good.said).toMatchObject({ component: 'web', did: ['changed settings.json'] });
    const name = lesson?.playbook ?? '';
    expect(readFileSync(join(dir, 'playbooks', `${name}.ts`), 'utf8')).toContain("'restore_file'");
    expect(await json(dir, 'playbooks', 'list')).toContainEqual(
      expect.objectContaining({ name, origin: 'learned', autonomy_tier: 'tier_3', verified: 0 }),
    );
    expect(await json(dir, 'patterns')).toEqual([expect.objectContaining({ playbook: name, state: 'candidate' })]);

    write(dir, { 'settings.json': { region: 'moon' } });
    const grace = startGrace(dir, ['up', '--json']);
    const asked = await grace.event('approval_needed');
    expect(asked).toMatchObject({ playbook: name, approval: lesson?.approval });
    expect(JSON.parse(readFileSync(join(dir, 'settings.json'), 'utf8')), 'nothing was done yet').toEqual({ region: 'moon' });
    expect((await runGrace(dir, ['approvals', 'approve', asked.approval, '--as', 'ann'])).code).toBe(0);
    await grace.event('playbook_verified', (e) => e.playbook === name);
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    expect(JSON.parse(readFileSync(join(dir, 'settings.json'), 'utf8'))).toEqual({ region: 'eu-west-1' });
    expect(
      readdirSync(dir).filter((n) => n.startsWith('settings.json.broken-')),
      'the broken one is kept',
    ).toHaveLength(1);
    expect((await grace.end('SIGTERM')).code).toBe(0);
    expect(processesIn(dir)).toEqual([]);

    // Approved once: the same bytes run by themselves from now on.
    write(dir, { 'settings.json': { region: 'moon' } });
    const again = await boot(dir);
    expect(again.outcome, again.said).toBe('success');
    expect(again.events.some((e) => e.type === 'playbook_chosen' && e.playbook === name && e.verdict === 'allow_with_notice')).toBe(true);
    expect(learned(again.events), 'Grace mended it, nobody else did').toEqual([]);
  });

  test('is asked for anew once its file was edited, or its place leads elsewhere: nothing is done, and it is written down', async () => {
    const dir = await projectOf(PICKY, { 'settings.json': { region: 'moon' }, 'other.json': { region: 'moon' } });
    expect((await boot(dir)).outcome).toBe('failed');
    write(dir, { 'settings.json': { region: 'eu-west-1' } });
    const good = await boot(dir);
    const [lesson] = learned(good.events);
    const [name, offer] = [lesson?.playbook ?? '', lesson?.approval ?? ''];
    expect(await json(dir, 'approvals', 'show', offer), good.said).toMatchObject({
      bound_to: 'places',
      foreseen: [{ primitive: 'restore_file', state: 'offered', targets: [join(dir, 'settings.json')] }],
    });
    expect((await runGrace(dir, ['approvals', 'approve', offer])).code).toBe(0);
    /** Asked anew, nothing done, and the approval before is in the record as refused. */
    const askedAnew = async (told: RegExp): Promise<string> => {
      const { events, said } = await boot(dir);
      const asked = events.find((e) => e.type === 'approval_needed');
      expect(asked, said).toMatchObject({ playbook: name });
      expect(asked?.approval).not.toBe(offer);
      expect(readdirSync(dir).filter((n) => n.includes('.broken-'))).toEqual([]);
      expect(await json(dir, 'policy', 'decisions', '-n', '50')).toContainEqual(
        expect.objectContaining({ action: 'answer_approval', verdict: 'refused', reason: expect.stringMatching(told) as string }),
      );
      return asked?.approval ?? '';
    };

    rmSync(join(dir, 'settings.json'));
    symlinkSync('other.json', join(dir, 'settings.json'));
    const other = await askedAnew(/acts on .*other\.json/);
    expect(readlinkSync(join(dir, 'settings.json'))).toBe('other.json');
    expect(JSON.parse(readFileSync(join(dir, 'other.json'), 'utf8'))).toEqual({ region: 'moon' });
    expect((await runGrace(dir, ['approvals', 'approve', other])).code).toBe(0);

    rmSync(join(dir, 'settings.json'));
    write(dir, { 'settings.json': { region: 'moon' }, 'other.json': { region: 'mars' } });
    const file = join(dir, 'playbooks', `${name}.ts`);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/path: '[^']*settings\.json'/g, "path: 'other.json'"));
    expect(readFileSync(file, 'utf8')).toContain("path: 'other.json'");
    const edited = await askedAnew(/acts on .*other\.json, not on .*settings\.json/);
    expect([offer, other]).not.toContain(edited);
    expect(JSON.parse(readFileSync(join(dir, 'other.json'), 'utf8'))).toEqual({ region: 'mars' });
  });

  test('counts as what was changed last: what was tried before and taken back is no part of it', async () => {
    const dir = await projectOf(PICKY, { 'settings.json': { region: 'moon' }, 'limits.ini': 'rows=10\n' });
    await boot(dir);
    write(dir, { 'limits.ini': 'rows=20\n' });
    await boot(dir);
    write(dir, { 'limits.ini': 'rows=10\n', 'settings.json': { region: 'eu-west-1' } });
    const good = await boot(dir);
    expect(learned(good.events), good.said).toMatchObject([{ did: ['changed settings.json'] }]);
  });

  test('is learned too when Grace waits meanwhile, and nothing is when nobody did anything', async () => {
    const dir = await projectOf(PICKY, { 'settings.json': { region: 'moon' } }, 'settings.json');
    const grace = startGrace(dir, ['up', '--json', '--hold']);
    await grace.event('held');
    write(dir, { 'settings.json': { region: 'eu-west-1' } });
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    expect(await grace.event('learned_from_person')).toMatchObject({ did: ['changed settings.json'] });
    expect((await grace.end('SIGTERM')).code).toBe(0);
    expect(learned((await boot(dir)).events)).toEqual([]);
  });
});

describe('what a person mended in an env file', () => {
  test('goes back key by key: another edit stays, and nobody else can read what is kept', async () => {
    const dir = await projectOf(TIERED, { '.env': '# ours\nLEDGER_TIER=tin\nCOLOUR=red\n' });
    expect((await boot(dir)).outcome).toBe('failed');
    write(dir, { '.env': '# ours\nLEDGER_TIER=gold\nCOLOUR=red\n' });
    const good = await boot(dir);
    const [lesson] = learned(good.events);
    expect(lesson, good.said).toMatchObject({ did: ['changed LEDGER_TIER in .env'] });
    await runGrace(dir, ['approvals', 'approve', lesson?.approval ?? '', '--as', 'ann']);

    write(dir, { '.env': '# ours\nLEDGER_TIER=tin\nCOLOUR=blue\nNEW=1\n' });
    const healed = await boot(dir);
    expect(
      healed.events.some((e) => e.type === 'playbook_verified' && e.playbook === lesson?.playbook),
      healed.said,
    ).toBe(true);
    expect(readFileSync(join(dir, '.env'), 'utf8')).toBe('# ours\nLEDGER_TIER=gold\nCOLOUR=blue\nNEW=1\n');
    const open = Object.entries(snapshot(join(dir, '.grace'))).filter(([path, traits]) => {
      const isOfStorage = path.startsWith('storage') && !traits.endsWith('directory');
      return isOfStorage ? traits.split(' ')[0] !== '600' : path.startsWith('storage') && traits.split(' ')[0] !== '700';
    });
    expect(open, 'readable by others').toEqual([]);
    expect((statSync(join(dir, '.grace')).mode & 0o777).toString(8)).toBe('700');
  });
});

describe('what a person mended in the environment', () => {
  test('becomes a setting of the component that is offered', async () => {
    const dir = await projectOf(TIERED);
    expect((await boot(dir)).outcome).toBe('failed');
    const good = await boot(dir, { LEDGER_TIER: 'gold' });
    const [lesson] = learned(good.events);
    expect(lesson, good.said).toMatchObject({ did: ['set LEDGER_TIER in the environment'] });
    expect(readFileSync(join(dir, 'playbooks', `${lesson?.playbook}.ts`), 'utf8')).toContain('set_env_override');

    expect((await boot(dir)).events.some((e) => e.type === 'approval_needed')).toBe(true);
    await runGrace(dir, ['approvals', 'approve', lesson?.approval ?? '', '--as', 'ann']);
    const healed = await boot(dir);
    expect(healed.outcome, healed.said).toBe('success');
    expect(healed.events.some((e) => e.type === 'playbook_verified' && e.playbook === lesson?.playbook)).toBe(true);
  });

  test('is only told, never written down, when it is a secret', async () => {
    const dir = await projectOf(GUARDED);
    expect((await boot(dir)).outcome).toBe('failed');
    const good = await boot(dir, { LEDGER_TOKEN: SECRET });
    expect(good.outcome, good.said).toBe('success');
    expect(learned(good.events)).toMatchObject([{ did: ['set LEDGER_TOKEN in the environment'], playbook: null, approval: null }]);
    const again = await boot(dir);
    expect(again.outcome).toBe('failed');
    const diagnosed = again.events.find((e) => e.type === 'diagnosed');
    expect(diagnosed?.advice[0]).toBe('the last time a person mended it: set LEDGER_TOKEN in the environment');
    expect(everythingWritten(dir)).not.toContain(SECRET);
    // The store itself, row by row: a WAL file holds pages in another order.
    using store = new DatabaseSync(join(dir, '.grace', 'grace.db'), { readOnly: true });
    expect(JSON.stringify(store.prepare('select body from snapshots').all())).not.toContain(SECRET);
  });
});

describe('what fails while it runs', () => {
  test('is learned from when a person mends it, and survives a Grace that was killed meanwhile', async () => {
    const dir = await projectOf(PICKY, { 'settings.json': { region: 'eu-west-1' } });
    const first = startGrace(dir, ['up', '--json'], { SELF_HEAL_EXECUTE: 'false' });
    await first.event('boot_ended', (e) => e.outcome === 'success');
    write(dir, { 'settings.json': { region: 'moon' } });
    send(runsOf(dir, 'server.mjs')[0]?.pid ?? 0, 'SIGKILL');
    await first.event('diagnosed');
    await first.event('held');
    write(dir, { 'settings.json': { region: 'eu-west-1' } });
    // Of the two failures, the end by a signal and what kept it from starting again, the second is learned from last.
    const lesson = await first.event('learned_from_person', (e) => e.cause.includes('exit code 3'));
    expect(lesson).toMatchObject({ component: 'web', did: ['changed settings.json'] });
    await first.end('SIGTERM');

    write(dir, { 'settings.json': { region: 'mars' } });
    // Left to a person: Grace would put the settings back by itself.
    const killed = startGrace(dir, ['up', '--json', '--hold'], { MAX_HEALING_ATTEMPTS: '0' });
    await killed.event('held');
    await killed.end('SIGKILL');
    write(dir, { 'settings.json': { region: 'eu-west-1' } });
    const good = await boot(dir);
    expect(learned(good.events), good.said).toMatchObject([{ did: ['changed settings.json'] }]);
  });
});

test('grace diff --now says what changed since the last good boot, without booting and without a trace', async () => {
  const dir = await projectOf(PICKY, { 'settings.json': { region: 'eu-west-1' } });
  expect((await boot(dir)).outcome).toBe('success');
  expect(await json(dir, 'diff', '--now')).toMatchObject({ after: { id: 'now' }, changes: [] });
  write(dir, { 'settings.json': { region: 'moon' } });
  const before = snapshot(dir, (path) => !path.startsWith('.grace/grace.db'));
  expect(await json(dir, 'diff', '--now')).toMatchObject({
    comparable: true,
    changes: [{ kind: 'file', subject: join(dir, 'settings.json'), change: 'changed', detail: '' }],
  });
  expect(snapshot(dir, (path) => !path.startsWith('.grace/grace.db'))).toEqual(before);
  expect(await json(dir, 'boots')).toHaveLength(1);
});

/** Fails as long as something outside of it is there. */
const WAITING = `import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
if (existsSync(process.env.LEDGER_CLOSED)) {
  console.error('Error: the ledger is closed for today');
  process.exit(6);
}
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;

test('nobody has mended anything when a failure goes away by itself and a file that cannot be parsed stays broken', async () => {
  const dir = await projectOf(WAITING, { 'notes.json': { all: 'well' } });
  // Grace itself leaves the file alone.
  const config = JSON.parse(readFileSync(join(dir, 'grace.config.json'), 'utf8')) as object;
  write(dir, { 'grace.config.json': { ...config, boot: { maxHealingAttempts: 0 } } });
  const closed = join(newProject({ 'closed.txt': 'today' }), 'closed.txt');
  rmSync(closed);
  expect((await boot(dir, { LEDGER_CLOSED: closed })).outcome).toBe('success');
  write(dir, { 'notes.json': '{ "all": ' });
  writeFileSync(closed, 'today');
  expect((await boot(dir, { LEDGER_CLOSED: closed })).outcome).toBe('failed');
  rmSync(closed);
  const { events, outcome } = await boot(dir, { LEDGER_CLOSED: closed });
  expect(outcome).toBe('success');
  expect(readFileSync(join(dir, 'notes.json'), 'utf8')).toBe('{ "all": ');
  expect(learned(events)).toEqual([]);
});
