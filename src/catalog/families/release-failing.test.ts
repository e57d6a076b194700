import { expect, test } from 'vitest';
import { ask, choose, drift, fact, type World } from './testing.ts';
import { releaseFailing } from './release-failing.ts';

const boot = 'boot_20260101_000000';
const release = { lastGoodBoot: boot, atMs: 0, commit: 'abc123456789', commitNow: 'def4567890123456', touched: [], failedBoots: 3 };
const world: World = { output: ['quota of widgets exceeded'], release };

test('three failed boots of another commit make it propose the last good release, with the cause of the failure', async () => {
  const { chosen } = await choose(world);
  expect(chosen).toMatchObject({ family: 'release_failing', remedy: { playbook: 'roll_back_release', risk: 'high', tier: 'tier_3' } });
  expect(chosen?.cause).toMatch(/quota of widgets exceeded; 3 boots in a row have failed since boot_20260101_000000/);
  expect(chosen?.remedy?.steps).toEqual([expect.objectContaining({ params: { boot, commit: 'abc123456789' } })]);
});

test('it says nothing while too few boots failed, at run time, once it was tried, and where nothing differs', async () => {
  expect(await ask(releaseFailing, { ...world, release: null })).toEqual([]);
  expect(await ask(releaseFailing, { ...world, stage: 'runtime' })).toEqual([]);
  expect(await ask(releaseFailing, { ...world, release: { ...release, commitNow: null } })).toEqual([]);
  expect((await choose({ ...world, attempts: ['roll_back_release'] })).chosen).toBeNull();
});

test('while it is known what to wait for, no earlier release is proposed', async () => {
  const refused = fact('connection_refused', '10.0.0.9:5432', { details: { host: '10.0.0.9', port: 5432 } });
  const { chosen, best } = await choose({ ...world, facts: [refused], output: [] });
  expect(best.waitFor).not.toBeNull();
  expect(chosen?.family).not.toBe('release_failing');
});

test('packages are installed where a lock file is another', async () => {
  const [found] = await ask(releaseFailing, { ...world, release: { ...release, touched: ['/srv/app/package-lock.json'] } });
  expect(found?.remedy?.steps.map((s) => s.primitive)).toEqual(['roll_back_release', 'install_packages']);
});

test('copies of a later boot, which nobody verified, are no way back to this one', async () => {
  const changed = { drift: [drift('changed', 'app.conf')], lastGood: { 'app.conf': 'a' } };
  const files = { ...release, commit: null, commitNow: null, lastGoodBoot: 'boot_20251231_000000' };
  expect(await ask(releaseFailing, { ...changed, release: files })).toEqual([]);
});
