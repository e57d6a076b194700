import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { GroupCommit, type Waiting } from './group-commit.ts';

interface Named extends Waiting {
  readonly name: string;
}

/** Keeps what each transaction and each sync covered; a sync lasts until it is let go. */
function groupOf() {
  const transactions: (readonly string[])[] = [];
  const syncs: (readonly string[])[] = [];
  const held: (() => void)[] = [];
  let stored: string[] = [];
  let isBusy = false;
  const group = new GroupCommit<Named>({
    limits: { entries: 100, bytes: 1000, batch: 4, busyMs: 5000 },
    commit: (requests) => {
      if (isBusy) return 'busy';
      transactions.push(requests.map(({ name }) => name));
      stored.push(...requests.map(({ name }) => name));
      return requests;
    },
    sync: () => {
      syncs.push(stored);
      stored = [];
      return new Promise((resolve) => held.push(resolve));
    },
    onUncertain: () => new Error('uncertain'),
    onFailed: () => new Error('failed'),
    onFull: () => new Error('full'),
    onBusy: () => new Error('busy'),
  });
  const add = (name: string, then: () => void = () => undefined): void =>
    group.add({ name, entries: 1, bytes: 1, acknowledge: then, reject: expect.unreachable });
  const release = async (): Promise<void> => {
    // Far longer than storing nothing takes.
    await wait(5);
    held.shift()?.();
    await turn();
    await turn();
  };
  return { group, add, release, transactions, syncs, setBusy: (is: boolean) => (isBusy = is) };
}

test('where syncs are slow, whoever writes again when answered shares the next one with those who came meanwhile', async () => {
  const { add, release, transactions, syncs } = groupOf();
  add('a', () => add('a again'));
  await turn();
  add('b');
  await turn();
  await release();
  expect(transactions).toEqual([['a'], ['b'], ['a again']]);
  expect(syncs).toEqual([['a'], ['b', 'a again']]);
});

test('those who came meanwhile are synced, too, when nobody writes again', async () => {
  const { group, add, release, syncs } = groupOf();
  add('a');
  await turn();
  add('b');
  await turn();
  await release();
  expect(syncs).toEqual([['a'], ['b']]);
  await release();
  await group.idle();
});

test('more than one transaction holds are stored one after the other, and synced at once', async () => {
  const { add, transactions, syncs } = groupOf();
  for (const name of 'abcdef') add(name);
  await turn();
  await turn();
  expect(transactions).toEqual([
    ['a', 'b', 'c', 'd'],
    ['e', 'f'],
  ]);
  expect(syncs).toEqual([['a', 'b', 'c', 'd', 'e', 'f']]);
});

test('what is stored does not wait for a lock that the rest waits for', async () => {
  const { add, syncs, setBusy } = groupOf();
  for (const name of 'abcdef') add(name);
  await Promise.resolve().then(() => process.nextTick(() => setBusy(true)));
  await turn();
  await turn();
  expect(syncs).toEqual([['a', 'b', 'c', 'd']]);
  setBusy(false);
});
