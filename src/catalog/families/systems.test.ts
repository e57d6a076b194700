import { expect, test } from 'vitest';
import { artifactBroken } from './artifact-broken.ts';
import { configCorrupt } from './config-corrupt.ts';
import { heapTooSmall } from './heap-too-small.ts';
import { killedForMemory } from './killed-for-memory.ts';
import { localeMissing } from './locale-missing.ts';
import { lockFileOutdated } from './lock-file-outdated.ts';
import { migrationChanged } from './migration-changed.ts';
import { nativeCrash } from './native-crash.ts';
import { poolExhausted } from './pool-exhausted.ts';
import { programError } from './program-error.ts';
import { sharedLibraryMissing } from './shared-library-missing.ts';
import { ask, choose, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';
import { wrongArchitecture } from './wrong-architecture.ts';

test('puts an applied migration back, and not the one that was never applied', async () => {
  const world: World = {
    facts: [fact('migration_changed', '2')],
    drift: [drift('changed', 'db/V2__orders.sql'), drift('changed', 'db/V20__later.sql')],
  };
  expect(stepsOf((await ask(migrationChanged, world))[0])).toEqual(['restore_file {"path":"db/V2__orders.sql"}']);
});

test('does not choose among two files that could be the migration', async () => {
  const world: World = {
    facts: [fact('migration_changed', '2')],
    drift: [drift('changed', 'db/V2__orders.sql'), drift('changed', 'old/V2__orders.sql')],
  };
  expect((await ask(migrationChanged, world))[0]?.remedy).toBeNull();
});

test('sees an applied migration that is edited again, and none that is as it was', async () => {
  const sick: World = { facts: [fact('migration_changed', 'V2__orders')], drift: [drift('changed', 'db/V2__orders.sql')] };
  const disk = { 'db/V2__orders.sql': 'create table orders(id int);' };
  expect(await guardAfter(migrationChanged, sick, { disk, lastGood: disk, drift: sick.drift ?? [] })).toContain('edited again');
  expect(await guardAfter(migrationChanged, sick, { disk, lastGood: disk })).toBeNull();
});

test('brings back a library of its own, and only tells where another one lies', async () => {
  const facts = [fact('library_missing', 'libshop.so.1')];
  const gone = (await ask(sharedLibraryMissing, { facts, lastGood: { 'lib/libshop.so.1': 'x' } }))[0];
  expect(stepsOf(gone)).toEqual(['restore_file {"path":"lib/libshop.so.1"}']);
  const there = (await ask(sharedLibraryMissing, { facts, disk: { 'lib/libshop.so.1': 'x' } }))[0];
  expect(there).toMatchObject({ remedy: null, advice: [expect.stringContaining('LD_LIBRARY_PATH')] });
});

test('lets a damaged package be installed again before a library of the system is looked for', async () => {
  const { chosen } = await choose({
    facts: [fact('library_missing', 'libvips-cpp.so.42')],
    packages: { manager: 'npm', damaged: ['@img/sharp-libvips-linux-x64'] },
  });
  expect(chosen?.remedy?.playbook).toBe('reinstall_packages');
});

test('tells a program for another processor from a script without an interpreter', async () => {
  const facts = [fact('wrong_architecture', './start')];
  const cause = async (text: string): Promise<string | undefined> =>
    (await ask(wrongArchitecture, { facts, disk: { start: text } }))[0]?.cause;
  expect(await cause(`\u007fELF\u0002${'\0'.repeat(13)}(\0`)).toContain('built for ARM');
  expect(await cause('node server.js\n')).toContain('begins with #!');
  expect(await cause('')).toContain('empty');
});

test('puts what was built back only where a copy was kept and it changed', async () => {
  const facts = [fact('artifact_broken', 'shop.jar')];
  const lastGood = { 'shop.jar': 'PK' };
  expect((await ask(artifactBroken, { facts, lastGood, drift: [drift('changed', 'shop.jar')] }))[0]?.remedy).not.toBeNull();
  expect((await ask(artifactBroken, { facts, lastGood }))[0]?.remedy).toBeNull();
  expect(
    (await ask(artifactBroken, { facts, lastGood, large: ['shop.jar'], drift: [drift('changed', 'shop.jar')] }))[0]?.remedy,
  ).toBeNull();
});

test('keeps a lock file that did not change', async () => {
  const facts = [fact('lock_file_outdated', 'go.sum')];
  expect((await ask(lockFileOutdated, { facts, drift: [drift('changed', 'go.mod')] }))[0]?.remedy).toBeNull();
  expect(stepsOf((await ask(lockFileOutdated, { facts, drift: [drift('changed', 'go.sum')] }))[0])).toEqual([
    'restore_file {"path":"go.sum"}',
  ]);
});

test('raises no heap for what the kernel ended, and says so even when only the signal is known', async () => {
  const killed: World = { facts: [fact('out_of_memory', '', { runtime: 'kernel', code: 'OOM' })] };
  expect(await ask(heapTooSmall, killed)).toEqual([]);
  expect((await ask(killedForMemory, killed))[0]?.remedy).toBeNull();
  expect((await ask(killedForMemory, { signal: 'SIGKILL' }))[0]?.confidence).toBeLessThan(0.4);
  expect(await ask(killedForMemory, { facts: [fact('out_of_memory', '', { code: 'heap' })] })).toEqual([]);
});

test('does not call it a crash of machine code when the runtime said why it aborts', async () => {
  expect(await ask(nativeCrash, { signal: 'SIGABRT', facts: [fact('exception', 'System.NullReferenceException')] })).toEqual([]);
  expect(await ask(nativeCrash, { signal: 'SIGABRT' })).toHaveLength(1);
  expect(await ask(nativeCrash, { signal: 'SIGTERM' })).toEqual([]);
});

test('changes the locale of a program once, and never that of a database', async () => {
  const facts = [fact('locale_missing', 'de_DE.UTF-8')];
  expect(stepsOf((await ask(localeMissing, { facts }))[0])).toEqual(['set_env_override {"name":"LC_ALL","value":"C.UTF-8"}']);
  expect((await ask(localeMissing, { facts, env: { LC_ALL: 'C.UTF-8' } }))[0]?.remedy).toBeNull();
  expect(
    (await ask(localeMissing, { facts: [fact('locale_missing', 'de_DE', { details: { engine: 'postgres' } })] }))[0]?.remedy,
  ).toBeNull();
});

test('starts a service with a used up pool again only while it runs', async () => {
  const facts = [fact('pool_exhausted', 'HikariPool-1')];
  expect((await ask(poolExhausted, { facts }))[0]?.remedy).toBeNull();
  expect((await ask(poolExhausted, { facts, stage: 'runtime' }))[0]?.remedy?.playbook).toBe('restart_api_pool_exhausted');
});

test('takes an error of the program for the last word, below everything that knows a change', async () => {
  const facts = [fact('exception', 'TypeError', { details: { message: 'x is not a function' } })];
  expect((await ask(programError, { facts }))[0]?.confidence).toBeLessThan(0.3);
  const disk = { 'app.conf': 'a' };
  const { chosen } = await choose({
    facts,
    disk,
    lastGood: disk,
    component: { command: ['shop', 'app.conf'] },
    drift: [drift('changed', 'app.conf')],
  });
  expect(chosen?.family).toBe('drift_suspect');
  expect(await ask(programError, { facts: [fact('exception', 'Segmentation fault', { runtime: 'kernel' })] })).toEqual([]);
});

test('holds where rights, rules, versions or foreign data are the cause, whatever changed beside it', async () => {
  for (const kind of [
    'rights_missing',
    'host_refused',
    'data_version_mismatch',
    'server_full',
    'no_quorum',
    'declaration_conflict',
  ] as const) {
    const { chosen, best } = await choose({
      facts: [fact(kind, 'orders')],
      drift: [drift('changed', 'app.conf')],
      disk: { 'app.conf': 'a' },
      lastGood: { 'app.conf': 'b' },
      component: { command: ['shop', 'app.conf'] },
    });
    expect(chosen, `${kind}: ${best.cause}`).toBeNull();
  }
});

test('keeps a service that runs from no restart for what its log says', async () => {
  const { chosen, best } = await choose({ facts: [fact('server_full', 'redis')], stage: 'runtime', symptom: 'liveness' });
  expect([best.family, chosen?.remedy?.playbook]).toEqual(['server_full', 'restart_hung']);
});

test('puts a configuration back that names what failed now and did not then, and no other', async () => {
  const world = (then: string, now: string): World => ({
    facts: [fact('address_unavailable', '203.0.113.9')],
    disk: { 'app.conf': now },
    lastGood: { 'app.conf': then },
    drift: [drift('changed', 'app.conf')],
    component: { command: ['shop', 'app.conf'] },
  });
  expect(stepsOf((await ask(configCorrupt, world('bind 127.0.0.1', 'bind 203.0.113.9')))[0])).toEqual(['restore_file {"path":"app.conf"}']);
  expect(await ask(configCorrupt, world('bind 203.0.113.9', 'bind 203.0.113.9\nlog debug'))).toEqual([]);
});
