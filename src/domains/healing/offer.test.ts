import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeFiles } from '../../adapters/node/files.ts';
import type { ForeseenStep } from '../governance/index.ts';
import type { Primitive, RemedyStep } from '../playbooks/index.ts';
import { agreedPlan, beyondOffer, offerOf, type Offer } from './offer.ts';

function directory(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-offer-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const RESTORE: RemedyStep = { name: 'put it back', primitive: 'restore_file', params: { path: 'conf/a.ini' } };
const offered = (cwd: string, steps: readonly RemedyStep[] = [RESTORE], signature = 's1', hash = 'bytes', params = {}): Promise<Offer> =>
  offerOf({ steps, signature }, hash, params, { name: 'api', cwd }, nodeFiles);
const planned = (step: RemedyStep, ...targets: readonly string[]): ForeseenStep => ({
  step: step.name,
  primitive: step.primitive,
  state: 'ready',
  summary: '',
  targets,
});
const primitives = new Map([['run_migrations', { touchesDatabase: true } as unknown as Primitive]]);

test('an offer is for these bytes, parameters, failure and places', async () => {
  const cwd = directory();
  const { binding, steps } = await offered(cwd);
  expect((await offered(cwd)).binding).toBe(binding);
  expect(steps).toEqual([
    { step: 'put it back', primitive: 'restore_file', state: 'offered', summary: '', targets: [join(cwd, 'conf/a.ini')] },
  ]);
  const others = [
    await offered(cwd, [RESTORE], 's2'),
    await offered(cwd, [RESTORE], 's1', 'other bytes'),
    await offered(cwd, [RESTORE], 's1', 'bytes', { n: 1 }),
    await offered(cwd, [{ ...RESTORE, params: { path: 'conf/b.ini' } }]),
  ];
  expect(others.map((o) => o.binding)).not.toContain(binding);
});

test('a place that leads elsewhere by now is another offer, be it the file or a directory above it', async () => {
  const cwd = directory();
  mkdirSync(join(cwd, 'conf'));
  mkdirSync(join(cwd, 'other'));
  writeFileSync(join(cwd, 'conf/a.ini'), '');
  const before = await offered(cwd);
  rmSync(join(cwd, 'conf/a.ini'));
  expect((await offered(cwd)).binding, 'a file that is gone is where it was').toBe(before.binding);
  writeFileSync(join(cwd, 'other/b.ini'), '');
  symlinkSync('../other/b.ini', join(cwd, 'conf/a.ini'));
  const linked = await offered(cwd);
  expect(linked.binding).not.toBe(before.binding);
  expect(linked.steps[0]?.targets).toEqual([join(cwd, 'conf/a.ini'), join(cwd, 'other/b.ini')]);
  rmSync(join(cwd, 'conf'), { recursive: true });
  symlinkSync('other', join(cwd, 'conf'));
  expect((await offered(cwd)).binding).not.toBe(before.binding);
});

test('a plan keeps to an offer when each step is the same and acts where it may', async () => {
  const cwd = directory();
  const room: RemedyStep = { name: 'make room', primitive: 'make_directory', params: { path: 'var/spool/in' } };
  const set: RemedyStep = { name: 'set it', primitive: 'set_env_override', params: { name: 'TIER', value: 'gold' } };
  const { steps } = await offered(cwd, [RESTORE, room, set]);
  const [file, made, named] = [
    planned(RESTORE, join(cwd, 'conf/a.ini')),
    planned(room, join(cwd, 'var'), join(cwd, 'var/spool')),
    planned(set, 'TIER'),
  ];
  expect(beyondOffer(steps, [file, made, named], primitives)).toEqual([]);
  expect(beyondOffer(steps, [{ ...file, targets: [join(cwd, 'conf/a.ini.bak')] }, made, named], primitives)).toEqual([
    `put it back: acts on ${join(cwd, 'conf/a.ini.bak')}, which was not offered`,
  ]);
  expect(beyondOffer(steps, [{ ...file, targets: [join(cwd, 'conf')] }, made, named], primitives)).toHaveLength(1);
  expect(beyondOffer(steps, [file, made], primitives)).toEqual(['set it: no step any more']);
  expect(beyondOffer(steps, [made, file, named], primitives)).toHaveLength(2);
  expect(beyondOffer(steps, [file, made, named, planned(set, 'OTHER')], primitives)).toEqual(['set it: a step that was not offered']);
});

test('which database is migrated shows only in a plan', async () => {
  const migrate: RemedyStep = { name: 'migrate', primitive: 'run_migrations', params: {} };
  const { steps } = await offered(directory(), [migrate]);
  expect(beyondOffer(steps, [planned(migrate, 'database')], primitives)).toEqual(['migrate: acts on database, which was not offered']);
});

test('what is agreed to is the plan; a step that has nothing to do yet stays within its places', async () => {
  const cwd = directory();
  const { steps } = await offered(cwd, [RESTORE, RESTORE]);
  const ready = planned(RESTORE, join(cwd, 'conf/a.ini'));
  const idle: ForeseenStep = { ...ready, state: 'nothing_to_do', targets: [] };
  expect(agreedPlan(steps, [ready, idle])).toEqual([ready, { ...idle, targets: [join(cwd, 'conf/a.ini')] }]);
});
