import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { snapshot, write } from './project.ts';
import { bootOnce, GOOD, own, verifiedGood, type Project, type Settings } from './releases.ts';

/** A user that exists nowhere: another person to Grace. */
const BOB = 4002;
const isRoot = process.getuid?.() === 0;

interface Said {
  readonly state: string;
  readonly approval: string | null;
  readonly detail: string;
  readonly governance: { readonly verdict: string };
  readonly steps: readonly { readonly summary: string }[];
}

async function rollback(dir: string, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly said: Said }> {
  const { code, stdout, stderr } = await runGrace(dir, ['boots', 'rollback', '--json', ...args]);
  expect(stdout, stderr).not.toBe('');
  return { code, said: JSON.parse(stdout) as Said };
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Why it is not done at all. */
async function refusal(dir: string, ...args: readonly string[]): Promise<Refusal> {
  const ended = await runGrace(dir, ['boots', 'rollback', '--json', ...args]);
  expect(ended.code, ended.stdout).toBe(1);
  return (JSON.parse(ended.stderr) as { error: Refusal }).error;
}

async function verifiedBoots(dir: string): Promise<readonly string[]> {
  const boots = JSON.parse((await runGrace(dir, ['boots', '--json'])).stdout) as readonly { id: string; verified: boolean }[];
  return boots.filter((b) => b.verified).map((b) => b.id);
}

/** A second release that works as well. @returns the commits, and the boot of the first */
async function twoReleases({ dir, git }: Project, second: string): Promise<{ first: string; second: string; boot: string }> {
  const first = git('rev-parse', 'HEAD');
  const [boot = ''] = await verifiedBoots(dir);
  write(dir, { 'server.mjs': second });
  git('commit', '-qam', 'Second release');
  await bootOnce(dir);
  expect(await verifiedBoots(dir)).toHaveLength(2);
  return { first, second: git('rev-parse', 'HEAD'), boot };
}

/** Other users may answer: whoever can write the data directory can. */
function openToAll(dir: string): void {
  chmodSync(dir, 0o777);
  chmodSync(join(dir, '.grace'), 0o777);
  for (const name of readdirSync(join(dir, '.grace'))) if (/^grace\.(?:db|lock)/.test(name)) chmodSync(join(dir, '.grace', name), 0o666);
}

async function agreed(dir: string, ...args: readonly string[]): Promise<string> {
  const { code, said } = await rollback(dir, ...args);
  expect([code, said.state], said.detail).toEqual([1, 'waiting']);
  const id = said.approval ?? '';
  const self = await runGrace(dir, ['approvals', 'approve', id, '--as', 'bob']);
  expect(self.code, 'whoever asks can not agree as well').toBe(1);
  openToAll(dir);
  const other = await runGrace(dir, ['approvals', 'approve', id], {}, BOB);
  expect(other.code, other.stderr).toBe(0);
  return id;
}

test.runIf(isRoot)('a person goes back to a release that worked once another person has agreed, and the next boot proves it', async () => {
  const project = await verifiedGood();
  const { dir, git } = project;
  const { first, second, boot } = await twoReleases(project, `${GOOD}// the second\n`);
  const before = snapshot(dir);
  const dry = await rollback(dir, '--to', boot, '--dry-run');
  expect(dry).toMatchObject({ code: 0, said: { state: 'planned', governance: { verdict: 'needs_approval' } } });
  expect(dry.said.steps[0]?.summary).toContain(`check out ${first.slice(0, 12)} instead of ${second.slice(0, 12)}`);
  expect(snapshot(dir), 'a dry run changes nothing').toEqual(before);

  // A release is named by its boot, or by its commit.
  const id = await agreed(dir, '--to', first.slice(0, 9));
  expect(git('rev-parse', 'HEAD')).toBe(second);
  expect(await refusal(dir, '--to', boot)).toMatchObject({ code: 'GRACE_CLI_CONFIRMATION_NEEDED' });
  expect(git('rev-parse', 'HEAD')).toBe(second);
  expect(await rollback(dir, '--to', boot, '--yes')).toMatchObject({ code: 0, said: { state: 'applied', approval: id } });
  expect(git('rev-parse', 'HEAD')).toBe(first);
  expect(git('rev-parse', 'main')).toBe(second);
  expect(await rollback(dir, '--to', boot, '--yes')).toMatchObject({ code: 0, said: { state: 'nothing_to_do' } });

  const grace = startGrace(dir, ['up', '--json']);
  const notice = await grace.event('notice', (e) => e.text.includes('runs an earlier release'));
  expect(notice.text).toContain(`${second.slice(0, 12)} (main) is set aside`);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  await grace.end('SIGTERM');
  expect(git('rev-parse', 'HEAD')).toBe(first);
  const kept = JSON.parse((await runGrace(dir, ['snapshots', '--json'])).stdout) as readonly Settings[];
  expect(kept).toEqual([expect.objectContaining({ reason: 'pre_rollback' })]);
  const { stdout } = await runGrace(dir, ['policy', 'decisions', '-n', '100']);
  // What was there already was not asked for.
  expect(stdout).not.toContain('it was for something else');
  expect(stdout).toMatch(/root +roll_back_release boot_\w+ of web +needs_approval/);
  expect(stdout).toMatch(/root +roll_back_release boot_\w+ of web +allow_with_notice/);
});

test.runIf(isRoot)('an earlier release that fails as well is taken back, and the one that was left comes up again', async () => {
  const project = await verifiedGood();
  const { dir, git } = project;
  const { second, boot } = await twoReleases(project, GOOD.replace("&& !existsSync('halt.txt')", ''));
  write(dir, { 'halt.txt': 'what the first release cannot live with\n' });
  await agreed(dir, '--to', boot);
  expect(await rollback(dir, '--to', boot, '--yes')).toMatchObject({ code: 0, said: { state: 'applied' } });
  const files = (path: string): boolean => own(path);
  const grace = startGrace(dir, ['up', '--json']);
  const back = await grace.event('playbook_failed', (e) => e.playbook === 'roll_back_release');
  expect(back).toMatchObject({ undone: true, reason: 'the component fails with the earlier release as well' });
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  await grace.end('SIGTERM');
  expect([git('rev-parse', 'HEAD'), git('branch', '--show-current')]).toEqual([second, 'main']);
  expect(git('status', '--porcelain')).toBe('?? halt.txt');
  expect(Object.keys(snapshot(dir, files))).toContain('halt.txt');
  expect(readFileSync(join(dir, 'server.mjs'), 'utf8')).not.toContain('halt.txt');
});

test.runIf(isRoot)('people agree while the service runs, nothing is changed under it, and what to do is said in order', async () => {
  const project = await verifiedGood();
  const { dir, git } = project;
  const { first, second, boot } = await twoReleases(project, `${GOOD}// the second\n`);
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  await agreed(dir, '--to', boot);
  const { code, message, hint } = await refusal(dir, '--to', boot, '--yes');
  expect(code, message).toBe('GRACE_RUNTIME_RELEASE_IN_USE');
  const commands = hint.split('\n').map((line) => line.trim()).filter((line) => /^(?:kill|grace) /.test(line)); // prettier-ignore
  expect(commands).toEqual([`kill -TERM ${grace.pid}`, `grace boots rollback --to ${boot} --yes`, 'grace up']);
  expect(git('rev-parse', 'HEAD')).toBe(second);
  // Neither has the Grace that runs taken it up.
  expect(grace.events().filter((e) => e.type === 'step')).toEqual([]);
  await grace.end('SIGTERM');
  expect(await rollback(dir, '--to', boot, '--yes')).toMatchObject({ code: 0, said: { state: 'applied' } });
  expect(git('rev-parse', 'HEAD')).toBe(first);
});

test('there is no way to what no boot has shown to be good', async () => {
  const { dir } = await verifiedGood();
  expect(await refusal(dir, '--to', 'abcdef1234')).toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
  expect((await rollback(dir)).said).toMatchObject({ state: 'nothing_to_do' });
});
