import { expect, test } from 'vitest';
import { closeBreaker, listBreakers } from './breakers.ts';
import { aMemory, asking, NOW_MS } from './testing.ts';

const breaker = {
  id: 'brk_1',
  kind: 'breaker' as const,
  playbook: 'fix_it',
  component: 'api',
  openedAtMs: NOW_MS - 1000,
  reason: 'fix_it did not help api 3 times in a row',
  closedAtMs: null,
  closedBy: null,
  closeReason: null,
};

test('a breaker is listed, and closed once, by somebody who says why', async () => {
  await using memory = await aMemory();
  const ask = asking(memory, 'ann');
  expect((await listBreakers(memory)).lines).toEqual(['no breaker has ever opened']);
  await memory.limits.saveBreaker(breaker);
  expect((await listBreakers(memory)).data).toEqual([expect.objectContaining({ id: 'brk_1', state: 'open', playbook: 'fix_it' })]);
  await expect(closeBreaker(memory, 'brk_1', 'ann', ' ', ask)).rejects.toThrow('--reason has to be');
  await expect(closeBreaker(memory, 'brk_2', 'ann', 'x', ask)).rejects.toThrow('brk_2');
  await closeBreaker(memory, 'brk_1', 'ann', 'the disk was full, password=hunter2canary', ask);
  const [closed] = await memory.limits.breakers();
  expect(closed).toMatchObject({ closedBy: 'ann', closedAtMs: NOW_MS });
  expect(closed?.closeReason).not.toContain('hunter2canary');
  await expect(closeBreaker(memory, 'brk_1', 'ben', 'me too', ask)).rejects.toThrow('was closed by ann already');
});

test('a user who is called grace closes it as that user, and not as Grace', async () => {
  await using memory = await aMemory();
  await memory.limits.saveBreaker({ ...breaker, kind: 'storm' });
  await closeBreaker(memory, 'brk_1', 'grace', 'it is over', asking(memory, 'grace'));
  expect(await memory.limits.breakers()).toMatchObject([{ closedBy: 'user:grace' }]);
});
