import { appendFileSync, chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, type onTestFinished } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { freePort, newProject, sick, write } from './project.ts';
import { until } from './waiting.ts';

/** A user that exists nowhere: another person to Grace. */
const BOB = 4002;
const isRoot = process.getuid?.() === 0;

const TWO_EYES = `@id("ask_first")
@reason("a person looks at it first")
@approvals("1")
forbid (principal, action == Grace::Action::"run_playbook", resource)
unless { context.approvals >= 1 };
`;
const ROOM = `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: 'make_room', description: 'makes a directory', risk: 'low', tier: 'tier_1', service: 'x', match: {}, params: { path: 'room' },
  async run(ctx) {
    await ctx.step('a room', 'make_directory', { path: ctx.params.path });
  },
});
`;

/** A service that is up, and whose next whole look is far enough away to tell what came before it. */
async function running(validation: string, whenOver: typeof onTestFinished): Promise<{ readonly dir: string; readonly grace: Running }> {
  const port = await freePort();
  const dir = newProject(
    {
      '.env.example': 'GREETING=hello\n',
      '.env': 'GREETING=hello\n',
      'own.cedar': TWO_EYES,
      'playbooks/make_room.ts': ROOM,
      'grace.config.json': {
        policies: ['own.cedar'],
        components: {
          web: { command: sick('well'), port, env: { PORT: String(port) }, envFile: '.env', soak: '50ms', stop: { grace: '1s' } },
        },
        monitor: { validation },
        healing: { executeAtRuntime: true },
      },
    },
    whenOver,
  );
  const grace = startGrace(dir, ['up', '--json']);
  const boot = await grace.event('boot_ended');
  expect(boot.outcome, grace.said()).toBe('success');
  return { dir, grace };
}

/** Its env file is gone, and the request to make it again is open; so is its mission. @returns the request, and whole looks so far */
async function askedFor(dir: string, grace: Running): Promise<{ readonly id: string; readonly looks: number }> {
  rmSync(join(dir, '.env'));
  const { approval } = await grace.event('approval_needed');
  await grace.event('mission_opened', (e) => e.code === 'env_missing');
  await until('the look that asked is over', () => looksIn(grace) > 0, grace.said);
  return { id: approval, looks: looksIn(grace) };
}

function looksIn(grace: Running): number {
  return grace.events().filter((e) => e.type === 'validation_ended').length;
}

interface Answered {
  readonly action: string;
  readonly subject: string;
  readonly verdict: string;
  readonly reason: string;
}

async function decisions(dir: string): Promise<readonly Answered[]> {
  const { code, stdout, stderr } = await runGrace(dir, ['policy', 'decisions', '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as readonly Answered[];
}

/** Other users may answer: whoever can write the data directory can. */
function openToAll(dir: string): void {
  chmodSync(dir, 0o777);
  chmodSync(join(dir, '.grace'), 0o777);
  for (const name of readdirSync(join(dir, '.grace'))) if (/^grace\.(?:db|lock)/.test(name)) chmodSync(join(dir, '.grace', name), 0o666);
}

// Most of each is waiting for the first whole look.
describe.concurrent('an answer is taken up while the service runs:', () => {
  test('what a person agrees to while the service runs is done then, and not at the next whole look', async ({ onTestFinished }) => {
    const { dir, grace } = await running('25s', onTestFinished);
    const { id, looks } = await askedFor(dir, grace);
    const { code, stdout } = await runGrace(dir, ['approvals', 'approve', id]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('takes it up by itself') as string });
    await grace.event('mission_closed', (e) => e.code === 'env_missing');
    expect(looksIn(grace), 'it was not a whole look that did it').toBe(looks);
    expect(existsSync(join(dir, '.env'))).toBe(true);
    await grace.event('playbook_verified');
    expect(grace.events().filter((e) => e.type === 'step' && e.state === 'done')).toHaveLength(1);
    await grace.end('SIGTERM');
  });

  test('what is not what was agreed to any more is refused, recorded, and asked for anew', async ({ onTestFinished }) => {
    const { dir, grace } = await running('25s', onTestFinished);
    const { id, looks } = await askedFor(dir, grace);
    appendFileSync(join(dir, 'playbooks', 'create_default_env.ts'), '// another edition\n');
    expect((await runGrace(dir, ['approvals', 'approve', id])).code).toBe(0);
    const { approval } = await grace.event('approval_needed', (e) => e.approval !== id);
    expect(looksIn(grace), 'it was not a whole look that did it').toBe(looks);
    expect(existsSync(join(dir, '.env'))).toBe(false);
    expect(await decisions(dir)).toContainEqual(
      expect.objectContaining({ verdict: 'refused', reason: expect.stringMatching(/^it was for something else: /) as string }),
    );
    expect((await runGrace(dir, ['approvals', 'approve', approval])).code).toBe(0);
    await grace.event('mission_closed', (e) => e.code === 'env_missing');
    await grace.end('SIGTERM');
  });

  test('a no is taken up as well: nothing is done, and whoever waits is told', async ({ onTestFinished }) => {
    const { dir, grace } = await running('25s', onTestFinished);
    const { id, looks } = await askedFor(dir, grace);
    const told = grace.events().length;
    expect((await runGrace(dir, ['approvals', 'reject', id])).code).toBe(0);
    await until(
      'people are told',
      () =>
        grace
          .events()
          .slice(told)
          .some((e) => e.type === 'person_needed'),
      grace.said,
    );
    expect(looksIn(grace), 'it was not a whole look that did it').toBe(looks);
    expect(existsSync(join(dir, '.env'))).toBe(false);
    expect((await runGrace(dir, ['explain'])).stdout).toContain('rejected');
    await grace.end('SIGTERM');
  });
});

test.runIf(isRoot)(
  'a playbook that one person asked for runs when another agrees, once, and only while it is the same',
  async ({ onTestFinished }) => {
    const { dir, grace } = await running('1h', onTestFinished);
    const ask = async (): Promise<string> => {
      const { stdout } = await runGrace(dir, ['playbooks', 'run', 'make_room', '--json']);
      const asked = JSON.parse(stdout) as { state: string; approval: string };
      expect(asked).toMatchObject({ state: 'waiting' });
      return asked.approval;
    };
    const first = await ask();
    openToAll(dir);
    write(dir, { 'playbooks/make_room.ts': ROOM.replace(`path: 'room'`, `path: 'hall'`) });
    expect((await runGrace(dir, ['approvals', 'approve', first], {}, BOB)).code).toBe(0);
    const refused = await grace.event('notice', (e) => e.text.startsWith(`${first} is approved, and nothing was done`));
    expect(refused.text).toContain('it is not for this any more');
    expect([existsSync(join(dir, 'room')), existsSync(join(dir, 'hall'))]).toEqual([false, false]);

    const second = await ask();
    openToAll(dir); // a command of the owner closes what is open to everybody
    expect((await runGrace(dir, ['approvals', 'approve', second], {}, BOB)).code).toBe(0);
    await until('the hall is made', () => existsSync(join(dir, 'hall')), grace.said);
    await grace.event('notice', (e) => e.text.startsWith('make_room for web: '));
    rmSync(join(dir, 'hall'), { recursive: true });
    expect(await ask(), 'a yes is for one run').not.toBe(second);
    const runs = grace.events().filter((e) => e.type === 'step' && e.state === 'done');
    expect(runs, 'once for one yes').toHaveLength(1);
    await grace.end('SIGTERM');
  },
);
