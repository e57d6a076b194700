import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AlreadyRunning, lockHolder, lockInstance } from './instance-lock.ts';
import { identityOf } from './proc.ts';
import { node, program } from './testing.ts';

let dir = '';
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-lock-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const lockFile = (): string => join(dir, 'grace.lock');

/** Another Grace: asks for the lock when it is told to, says what it got, and lives on. */
const RIVAL = `
  const { lockInstance } = await import(${JSON.stringify(join(import.meta.dirname, 'instance-lock.ts'))});
  const { existsSync } = await import('node:fs');
  console.log('here');
  while (!existsSync(process.argv[1] + '/go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  try { lockInstance(process.argv[1]); console.log('held'); } catch (error) { console.log(error.code ?? error.message); }
  setInterval(() => {}, 1000);
`;

test('one Grace for each data directory: the second is told who the first is', () => {
  const release = lockInstance(dir);
  expect(() => lockInstance(dir)).toThrow(AlreadyRunning);
  expect(() => lockInstance(dir)).toThrow(`pid ${process.pid}`);
  expect(lockHolder(dir)).toEqual(identityOf(process.pid));
  release();
  expect(lockHolder(dir)).toBeNull();
  lockInstance(dir)();
});

test('leaves nothing behind in the directory', () => {
  lockInstance(dir)();
  expect(readdirSync(dir)).toEqual([]);
});

test('the lock of a Grace that was killed is taken over', async () => {
  const first = program(node(RIVAL, dir));
  await first.line();
  writeFileSync(join(dir, 'go'), '');
  expect(await first.line()).toBe('held');
  expect(() => lockInstance(dir)).toThrow(AlreadyRunning);
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  first.child.once('exit', () => resolve());
  first.child.kill('SIGKILL');
  await ended;
  expect(lockHolder(dir)).toBeNull();
  lockInstance(dir);
  expect(lockHolder(dir)?.pid).toBe(process.pid);
});

test.each([
  ['whose pid belongs to somebody else by now', () => JSON.stringify({ ...identityOf(process.pid), startTicks: 1 })],
  ['of an earlier run of the machine', () => JSON.stringify({ ...identityOf(process.pid), machineBootId: 'another' })],
  ['that was cut off while it was written', () => '{"pid": 12'],
  ['that is empty', () => ''],
  ['that holds null', () => 'null'],
])('a lock %s holds nobody back', (_what, content) => {
  writeFileSync(lockFile(), content());
  expect(lockHolder(dir)).toBeNull();
  lockInstance(dir);
  expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toEqual(identityOf(process.pid));
});

test('giving back what somebody else holds by now does nothing', () => {
  const release = lockInstance(dir);
  writeFileSync(lockFile(), JSON.stringify({ ...identityOf(process.ppid) }));
  release();
  expect(lockHolder(dir)?.pid).toBe(process.ppid);
});

test.each([
  ['no lock at all', null],
  ['a stale one', '{"pid":1,"startTicks":0,"machineBootId":"gone"}'],
  ['an unreadable one', '{'],
])('of five that start at the same moment with %s exactly one gets it', async (_what, before) => {
  if (before !== null) writeFileSync(lockFile(), before);
  const rivals = Array.from({ length: 5 }, () => program(node(RIVAL, dir)));
  await Promise.all(rivals.map((r) => r.line()));
  const answers = rivals.map((r) => r.line());
  writeFileSync(join(dir, 'go'), '');
  expect((await Promise.all(answers)).toSorted((a, b) => a.localeCompare(b))).toEqual([
    ...Array.from({ length: 4 }, () => 'GRACE_RUNTIME_ALREADY_RUNNING'),
    'held',
  ]);
});
