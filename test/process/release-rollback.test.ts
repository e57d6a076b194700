import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { runsOf, send } from './processes.ts';
import { snapshot, write } from './project.ts';
import { approvals, BAD, bootOnce, CANARY, failedBoot, GOOD, own, theRollback, verifiedGood, type Settings } from './releases.ts';

function nowhere(text: string, dir: string): void {
  const found = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(dir, name);
    // The file of the service itself: what was moved aside of it is sealed.
    if (name === '.env') return false;
    try {
      return readFileSync(path).includes(text);
    } catch {
      return false; // a directory
    }
  });
  expect(found).toEqual([]);
}

test('a commit that crashes is rolled back after three failed boots, once a person has agreed, by a Grace that waits for it', async () => {
  const { dir, git } = await verifiedGood();
  const good = git('rev-parse', 'HEAD');
  write(dir, { 'server.mjs': BAD, 'new.txt': 'of the second release\n' });
  git('add', '-A');
  git('commit', '-q', '-m', `Use the new quota, token=${CANARY}`);
  const bad = git('rev-parse', 'HEAD');
  write(dir, { 'notes.txt': 'ignored\n', 'untracked.txt': 'untracked\n' });
  await failedBoot(dir);
  await failedBoot(dir);
  expect((await approvals(dir)).map((a) => a.playbook)).toEqual(['restore_server_mjs']);

  const grace = startGrace(dir, ['up', '--json']);
  const asked = await grace.event('approval_needed', (e) => e.playbook === 'roll_back_release');
  await grace.event('held');
  expect(git('rev-parse', 'HEAD')).toBe(bad);
  const approval = (await approvals(dir)).find((a) => a.playbook === 'roll_back_release');
  expect(approval).toMatchObject({ id: asked.approval, state: 'pending', bound_to: 'plan' });
  expect(approval?.would_do[0]).toContain(`check out ${good.slice(0, 12)} instead of ${bad.slice(0, 12)} (branch main stays where it is)`);
  expect(approval?.would_do[0]).toContain('Use the new quota');
  expect(approval?.would_do[0]).toMatch(/which changes new\.txt, server\.mjs/);
  const shown = await runGrace(dir, ['approvals', 'show', asked.approval]);
  expect(shown.stdout.replaceAll(/\s+/g, ' ')).toContain('3 boots in a row have failed since boot_');
  expect(shown.stdout).toContain('high, tier_3');
  const explained = await runGrace(dir, ['explain']);
  expect(explained.stdout.replaceAll(/\s+/g, ' ')).toContain('3 boots in a row have failed since boot_');

  await runGrace(dir, ['approvals', 'approve', asked.approval]);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  expect(git('rev-parse', 'HEAD')).toBe(good);
  expect(git('branch', '--show-current')).toBe('');
  expect(git('rev-parse', 'main')).toBe(bad);
  expect(existsSync(join(dir, 'new.txt'))).toBe(false);
  expect(readFileSync(join(dir, 'notes.txt'), 'utf8')).toBe('ignored\n');
  expect(readFileSync(join(dir, 'untracked.txt'), 'utf8')).toBe('untracked\n');
  await grace.event('playbook_verified', (e) => e.playbook === 'roll_back_release');
  const notice = await grace.event('notice', (e) => e.text.includes('runs an earlier release'));
  expect(notice.text).toContain(`${bad.slice(0, 12)} (main) is set aside`);
  await grace.end('SIGTERM');
  const kept = JSON.parse((await runGrace(dir, ['snapshots', '--json'])).stdout) as readonly Settings[];
  expect(kept).toEqual([expect.objectContaining({ reason: 'pre_rollback' })]);

  // The next deploy is tried as usual, and the one that failed is not brought back.
  await bootOnce(dir);
  expect(git('rev-parse', 'HEAD')).toBe(good);
  git('switch', '-q', 'main');
  write(dir, { 'server.mjs': `${GOOD}// mended\n` });
  git('commit', '-qam', 'Mend it');
  const mended = git('rev-parse', 'HEAD');
  await bootOnce(dir);
  expect(git('rev-parse', 'HEAD')).toBe(mended);
  nowhere(CANARY.slice(0, 12), join(dir, '.grace'));
  nowhere(CANARY, join(dir, 'playbooks'));
});

test('config, env and lock file outside of git are proposed with their changes, and stay as they are until a person agrees', async () => {
  const { dir } = await verifiedGood();
  const lock = readFileSync(join(dir, 'package-lock.json'), 'utf8');
  write(dir, {
    'service.config.json': { answer: 'unheard of', added: true },
    'package-lock.json': lock.replaceAll('1.0.0', '2.0.0'),
    '.env': `API_TOKEN=${CANARY}-second\nCOLOUR=blue\n`,
  });
  const failed = snapshot(dir, own);
  for (let boot = 1; boot <= 3; boot++) {
    await failedBoot(dir);
    // What healing tried was taken back.
    expect(snapshot(dir, own)).toEqual(failed);
  }
  const first = await theRollback(dir);
  const plan = first.would_do.join('\n');
  expect(plan).toMatch(/package-lock\.json back \(2 lines go, 2 come back\)/);
  expect(plan).toMatch(/\.env back \(other values: API_TOKEN, COLOUR\)/);
  expect(plan).toMatch(/service\.config\.json back \(2 lines go, 1 come back\)/);

  nowhere(CANARY, join(dir, '.grace'));
});

test('a work tree with changes that a checkout would lose is left alone', async () => {
  const { dir, git } = await verifiedGood({ rollbackAfter: 1 });
  write(dir, { 'server.mjs': BAD });
  git('commit', '-qam', 'Second release');
  write(dir, { 'server.mjs': `${BAD}// not committed\n` });
  await failedBoot(dir);
  expect((await theRollback(dir)).would_do.join()).toMatch(
    /server\.mjs has changes that are not committed, and a checkout would lose them/,
  );
  await runGrace(dir, ['approvals', 'approve', (await theRollback(dir)).id]);
  const before = snapshot(dir, own);
  const head = git('rev-parse', 'HEAD');
  await failedBoot(dir);
  expect(snapshot(dir, own)).toEqual(before);
  expect(git('rev-parse', 'HEAD')).toBe(head);
});

/** A release of which git knows nothing, and that fails. @returns what the service consisted of before, and with it */
function failingFiles(dir: string): { readonly good: ReturnType<typeof snapshot>; readonly bad: ReturnType<typeof snapshot> } {
  const good = snapshot(dir, own);
  write(dir, { 'service.config.json': { answer: 'unheard of' }, '.env': `API_TOKEN=${CANARY}-second\nCOLOUR=blue\n` });
  return { good, bad: snapshot(dir, own) };
}

test('files outside of git come back once a person has agreed, and what was there is kept: beside them, or sealed where it holds secrets', async () => {
  const { dir } = await verifiedGood({ rollbackAfter: 1, maxHealingAttempts: 0 }, false);
  const { good, bad } = failingFiles(dir);
  await failedBoot(dir);
  expect(snapshot(dir, own)).toEqual(bad);
  await runGrace(dir, ['approvals', 'approve', (await theRollback(dir)).id]);
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('playbook_verified', (e) => e.playbook === 'roll_back_release');
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  await grace.end('SIGTERM');
  const after = snapshot(dir, own);
  expect(Object.entries(after).filter(([path]) => !path.includes('.broken-'))).toEqual(Object.entries(good));
  const asides = Object.keys(after).filter((path) => path.includes('.broken-'));
  expect(asides.map((path) => path.replace(/\.broken-.*/, '')).toSorted()).toEqual(['service.config.json']);
  for (const path of asides) expect(after[path]).toBe(bad[path.replace(/\.broken-.*/, '')]);
  expect(readdirSync(join(dir, '.grace/storage/aside')).some((name) => name.startsWith('.env.broken-'))).toBe(true);
  nowhere(`${CANARY}-second`, dir);
});

test('files outside of git are as they were to the last byte when the release of the last good boot fails as well', async () => {
  const { dir } = await verifiedGood({ rollbackAfter: 1, maxHealingAttempts: 0 }, false);
  failingFiles(dir);
  write(dir, { 'halt.txt': 'what no release can live with\n' });
  const bad = snapshot(dir, own);
  await failedBoot(dir);
  await runGrace(dir, ['approvals', 'approve', (await theRollback(dir)).id]);
  const events = await failedBoot(dir);
  expect(events.filter((e) => e.type === 'step' && e.state === 'done')).toMatchObject([{ playbook: 'roll_back_release' }]);
  expect(events.filter((e) => e.type === 'playbook_failed')).toMatchObject([{ playbook: 'roll_back_release', undone: true }]);
  expect(snapshot(dir, own)).toEqual(bad);
});

test('a boot that came up and was not yet shown to be good leaves the kept copies alone', async () => {
  const { dir } = await verifiedGood({ rollbackAfter: 1, maxHealingAttempts: 0 }, false);
  const path = join(dir, 'service.config.json');
  const good = readFileSync(path, 'utf8');
  const config = readFileSync(join(dir, 'grace.config.json'), 'utf8');
  write(dir, { 'grace.config.json': config.replace('200ms', '60s'), 'service.config.json': { answer: 'fine', added: 'since' } });
  const killed = startGrace(dir, ['up', '--json']);
  await killed.event('boot_ended', (e) => e.outcome === 'success');
  await killed.end('SIGKILL');
  for (const { pid } of runsOf(dir, 'server.mjs')) send(pid, 'SIGKILL');
  write(dir, { 'grace.config.json': config, 'service.config.json': { answer: 'unheard of' } });
  await failedBoot(dir);
  expect((await theRollback(dir)).would_do.join()).toMatch(/service\.config\.json back/);
  await runGrace(dir, ['approvals', 'approve', (await theRollback(dir)).id]);
  await bootOnce(dir);
  expect(readFileSync(path, 'utf8')).toBe(good);
});
