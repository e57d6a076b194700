import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { limitStore, openStore } from './index.ts';

/** A Grace of its own on the same file: its own connection, its own name. */
async function graces(alive: Set<string>) {
  const dir = mkdtempSync(join(tmpdir(), 'grace-limits-'));
  const file = join(dir, 'grace.db');
  const opened: (() => void)[] = [];
  onTestFinished(() => {
    for (const close of opened) close();
    rmSync(dir, { recursive: true, force: true });
  });
  return async (me: string) => {
    const store = await openStore(file);
    opened.push(() => store.close());
    alive.add(me);
    return limitStore(store.db, { me, isAlive: (holder) => alive.has(holder) }, () => 1000);
  };
}

test('one run per component, whichever Grace asks; what a dead one has held is free', async () => {
  const alive = new Set<string>();
  const grace = await graces(alive);
  const [a, b] = [await grace('a'), await grace('b')];
  const lease = await a.lease('api', 'run_1');
  expect(lease).not.toBeNull();
  expect(await b.lease('api', 'run_2')).toBeNull();
  expect(await b.lease('worker', 'run_3'), 'another component').not.toBeNull();
  alive.delete('a');
  expect(await b.lease('api', 'run_4')).not.toBeNull();
  // The dead one's end, should it still come, takes nothing from who has it now.
  await lease?.release();
  alive.add('a');
  expect(await a.lease('api', 'run_5')).toBeNull();
});

test('an open breaker and the mark of the tries are there for the next Grace', async () => {
  const grace = await graces(new Set());
  const breaker = { id: 'brk_1', kind: 'breaker', playbook: 'p', component: 'api', openedAtMs: 5, reason: 'no', closedAtMs: null, closedBy: null, closeReason: null } as const; // prettier-ignore
  const first = await grace('first');
  await first.saveBreaker(breaker);
  await first.countTriesFrom('api', 'process', 700);
  const next = await grace('next');
  expect(await next.breakers()).toEqual([breaker]);
  expect(await next.triesSince('api', 'process')).toBe(700);
  await next.saveBreaker({ ...breaker, closedAtMs: 9, closedBy: 'ann', closeReason: 'mended' });
  expect(await first.breakers()).toMatchObject([{ closedBy: 'ann' }]);
});
