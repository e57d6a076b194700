import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { limitStore, openStore } from '../../adapters/store/index.ts';
import { SimulatedClock } from '../supervisor/testing.ts';
import type { GraceEvent } from './events.ts';
import { StormWatch } from './storm-watch.ts';

const MINUTE_MS = 60_000;

async function watched(all: number) {
  const dir = mkdtempSync(join(tmpdir(), 'grace-storm-'));
  const store = await openStore(join(dir, 'grace.db'));
  const stop = new AbortController();
  onTestFinished(() => {
    stop.abort(new Error('the test is over'));
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const clock = new SimulatedClock();
  const limits = limitStore(store.db, { me: 'me', isAlive: () => true }, () => clock.nowMs());
  const events: GraceEvent[] = [];
  let n = 0;
  const ports = { clock, limits, ids: { next: () => `brk_${++n}` }, emit: (e: GraceEvent) => void events.push(e) };
  const storms = new StormWatch(ports, all);
  void storms.watch(stop.signal).catch(() => undefined); // the test is over
  return { clock, storms, ports, stop, types: () => events.map((e) => e.type) };
}

test('it is one when more than a third, and three at least, fail within half a minute; told once', async () => {
  const { clock, storms, types } = await watched(8);
  await storms.note('a');
  await clock.pass(29_000);
  await storms.note('b');
  await storms.note('b');
  expect(types()).toEqual([]);
  await clock.pass(2000);
  await storms.note('c');
  expect(types(), 'the first one is too long ago').toEqual([]);
  await storms.note('a');
  await storms.note('d');
  expect(types()).toEqual(['storm']);
});

test('three of nine may be chance', async () => {
  const { storms, types } = await watched(9);
  for (const name of ['a', 'b', 'c']) await storms.note(name);
  expect(types()).toEqual([]);
  await storms.note('d');
  expect(types()).toEqual(['storm']);
});

test('it is over five minutes after the last failure, also of one that cannot be brought back', async () => {
  const { clock, storms, types, ports } = await watched(3);
  for (const name of ['a', 'b', 'c']) await storms.note(name);
  for (const _time of [1, 2, 3]) {
    await clock.pass(4 * MINUTE_MS);
    storms.noteAgain();
  }
  expect(types()).toEqual(['storm']);
  await clock.pass(4 * MINUTE_MS);
  expect(types()).toEqual(['storm']);
  await clock.pass(2 * MINUTE_MS);
  expect(types()).toEqual(['storm', 'storm_over']);
  expect(await ports.limits.breakers()).toMatchObject([{ kind: 'storm', closedBy: 'grace' }]);
});

test('the next Grace knows of it, does not tell it again, and sees it end', async () => {
  const { clock, storms, types, ports, stop } = await watched(3);
  for (const name of ['a', 'b', 'c']) await storms.note(name);
  stop.abort(new Error('this Grace is over'));
  const next = new StormWatch(ports, 3);
  for (const name of ['a', 'b', 'c']) await next.note(name);
  expect(types()).toEqual(['storm']);
  const end = new AbortController();
  void next.watch(end.signal).catch(() => undefined); // ended below
  await clock.pass(6 * MINUTE_MS);
  expect(types()).toEqual(['storm', 'storm_over']);
  end.abort(new Error('over'));
});
