import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { runsOf, send } from './processes.ts';
import { freePort, newProject, write } from './project.ts';

/**
 * Reads settings, lines with # left out, which Grace cannot read; and does not start while a counter beside the project, which each
 * start counts down, is above zero: then it says the same as with broken settings.
 */
const LEDGER = `import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
JSON.parse(readFileSync('settings.json', 'utf8').replace(/^#.*$/gm, ''));
let outage = 0;
try { outage = Number(readFileSync(process.env.OUTAGE, 'utf8')); } catch {}
if (outage > 0) {
  writeFileSync(process.env.OUTAGE, String(outage - 1));
  JSON.parse('{');
}
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;
const GOOD = { region: 'eu-west-1' };
const BROKEN = '{ "region": ';
const PLAYBOOK = 'restore_settings_json';

interface Project {
  readonly dir: string;
  readonly outside: string;
}

async function project(): Promise<Project> {
  const dir = newProject({ 'server.mjs': LEDGER, 'settings.json': GOOD });
  const outside = newProject();
  const port = await freePort();
  write(dir, {
    'grace.config.json': {
      name: 'ledger',
      components: {
        web: {
          command: [process.execPath, 'server.mjs'],
          port,
          env: { PORT: String(port), OUTAGE: join(outside, 'outage') },
          soak: '200ms',
          restart: { backoff: '50ms' },
          stop: { grace: '1s' },
        },
      },
    },
  });
  return { dir, outside };
}

/** It runs, with a last good state to go back to (a boot that ends has kept it), and fails: Grace only says what it would do. */
async function failing({ dir, outside }: Project, settings: string, outage = 0): Promise<Running> {
  await runGrace(dir, ['boot']);
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  write(dir, { 'settings.json': settings });
  write(outside, { outage: String(outage) });
  send(runsOf(dir, 'server.mjs')[0]?.pid ?? 0, 'SIGKILL');
  await grace.event('playbook_chosen', (e) => e.playbook === PLAYBOOK && e.verdict === 'observe');
  return grace;
}

const scored = (grace: Running) => grace.event('shadow_scored', (e) => e.playbook === PLAYBOOK);
const settingsOf = ({ dir }: Project): string => readFileSync(join(dir, 'settings.json'), 'utf8');
const json = async (dir: string, ...args: readonly string[]): Promise<unknown> =>
  JSON.parse((await runGrace(dir, [...args, '--json'])).stdout);

describe('what Grace would have done at run time', () => {
  test('is a hit when a person did the same, and the commands say what it rests on', async () => {
    const p = await project();
    const grace = await failing(p, BROKEN);
    await grace.event('held');
    expect(settingsOf(p), 'it only looks').toBe(BROKEN);
    write(p.dir, { 'settings.json': GOOD });
    const { score, record, evidence } = await scored(grace);
    expect(score, grace.said()).toBe('hit');
    expect(evidence).toEqual(['a person mended it: changed settings.json', expect.stringContaining('as the step would have made it')]);
    expect(await json(p.dir, 'playbooks', 'shadow', '--playbook', PLAYBOOK)).toEqual([
      expect.objectContaining({ hits: 1, misses: 0, harms: 0, open: 0, unknown: 0, records: [record] }),
    ]);
    expect(await json(p.dir, 'playbooks', 'shadow', 'show', record)).toMatchObject({
      verdict: 'observe',
      would_have: [{ primitive: 'restore_file', state: 'ready', targets: [join(p.dir, 'settings.json')] }],
      score: 'hit',
      ended_by: 'person',
      evidence,
    });
    expect((await runGrace(p.dir, ['playbooks', 'shadow', 'show', record])).stdout).toContain(`${PLAYBOOK} on web: hit`);
    await grace.end('SIGTERM');
  });

  test('is a harm when a person mended it another way, which it would have undone', async () => {
    const p = await project();
    const grace = await failing(p, BROKEN);
    await grace.event('held');
    write(p.dir, { 'settings.json': { region: 'eu-west-2', colour: 'red' } });
    const { score, evidence } = await scored(grace);
    expect(score, grace.said()).toBe('harm');
    expect(evidence[1]).toContain('the step would undo that');
    await grace.end('SIGTERM');
  });

  test('is a miss when it gets well by itself: what it would have changed was not to blame', async () => {
    const p = await project();
    const edited = `# by hand\n${JSON.stringify(GOOD)}\n`;
    const grace = await failing(p, edited, 2);
    const { score, evidence } = await scored(grace);
    expect(score, grace.said()).toBe('miss');
    expect(evidence[1]).toContain('it was left as it was, and it works: that was not to blame');
    expect(settingsOf(p)).toBe(edited);
    await grace.end('SIGTERM');
  });

  test('is scored by the next Grace when this one was killed meanwhile', async () => {
    const p = await project();
    const killed = await failing(p, BROKEN);
    await killed.event('held');
    await killed.end('SIGKILL');
    expect(await json(p.dir, 'playbooks', 'shadow')).toMatchObject([{ playbook: PLAYBOOK, open: 1 }]);
    write(p.dir, { 'settings.json': GOOD });
    const next = startGrace(p.dir, ['boot', '--json']);
    await next.ended;
    expect(next.events().filter((e) => e.type === 'shadow_scored'), next.said()).toMatchObject([{ playbook: PLAYBOOK, score: 'hit' }]); // prettier-ignore
    expect(await json(p.dir, 'playbooks', 'shadow')).toMatchObject([{ playbook: PLAYBOOK, open: 0, hits: 1 }]);
  });
});
