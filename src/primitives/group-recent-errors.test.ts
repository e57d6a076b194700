import { utimes, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from './testing/sandbox.ts';

const NOW = Date.UTC(2026, 10, 1, 12, 0, 0);
const MINUTE = 60_000;

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
  box.nowMs = NOW;
});
afterEach(() => box.remove());

async function log(lines: readonly string[], writtenMs = NOW): Promise<void> {
  await writeFile(box.component.logFile, `${lines.join('\n')}\n`);
  await utimes(box.component.logFile, writtenMs / 1000, writtenMs / 1000);
}

async function said(minutes?: number): Promise<string> {
  await box.apply('group_recent_errors', minutes === undefined ? {} : { minutes });
  return box.said;
}

const at = (minutesAgo: number): string => new Date(NOW - minutesAgo * MINUTE).toISOString();

test('what was said wrong in the last minutes is grouped by the statement that said it', async () => {
  await log([
    `${at(9)} ERROR disk sda1 is full`,
    `${at(4)} INFO request 1 served`,
    ...[11, 12, 13].map((id) => `${at(3)} ERROR order ${id} failed: connection to 10.0.0.${id}:5432 refused`),
    `${at(2)} ERROR cannot reach the mailer`,
    `${at(1)} INFO request 2 served`,
  ]);
  const told = await said();
  expect(told).toMatch(
    /^web said 4 errors of 2 kinds in the last 5 minutes: 3 times ".*order <\*> failed: connection to <\*> refused"; once "/,
  );
  expect(told).not.toContain('is full');
  expect(await said(10)).toContain('is full');
  expect(box.asked).toContain(`warn ${told}`);
});

test('a stack belongs to its error, and is none', async () => {
  await log([
    `${at(8)} ERROR old`,
    'Error: old',
    '    at old (/srv/app/old.js:1:1)',
    `${at(2)} ERROR new`,
    '    at now (/srv/app/now.js:1:1)',
  ]);
  const told = await said();
  expect(told).toContain('one error');
  expect(told).not.toContain('old');
});

test('lines of JSON and of an access log are understood', async () => {
  await log([
    JSON.stringify({ level: 50, time: NOW - MINUTE, msg: 'pool is empty' }),
    JSON.stringify({ level: 30, time: NOW - MINUTE, msg: 'all is well' }),
    '127.0.0.1 - - "GET /orders HTTP/1.1" 503 12',
    '127.0.0.1 - - "GET /orders HTTP/1.1" 200 12',
  ]);
  const told = await said();
  expect(told).toContain('said 2 errors of 2 kinds');
  expect(told).toContain('pool is empty');
  expect(told).not.toContain('well');
});

test('where lines carry no time it says that the end of the log is meant', async () => {
  await log(['Error: no connection']);
  expect(await said()).toContain('at the end of its log, whose lines carry no time');
});

test('a log that is older than that, or is not there, says nothing wrong', async () => {
  expect(await said()).toBe('web said nothing wrong in the last 5 minutes');
  await log(['Error: long ago'], NOW - 6 * MINUTE);
  expect(await said()).toBe('web said nothing wrong in the last 5 minutes');
});

test('the playbook that is known for the leading failure is named, never that for the symptom', async () => {
  box.failures = [
    {
      atMs: NOW - MINUTE,
      signature: 'a'.repeat(16),
      template: 'HTTP 500',
      count: 9,
      family: 'errors',
      playbook: 'investigate_error_spike',
    },
    {
      atMs: NOW - MINUTE,
      signature: 'b'.repeat(16),
      template: 'database is locked',
      count: 3,
      family: 'database_locked',
      playbook: 'unlock_database',
    },
    { atMs: NOW - 9 * MINUTE, signature: 'c'.repeat(16), template: 'long ago', count: 1, family: 'crash', playbook: 'restart_crash' },
  ];
  const told = await said();
  expect(told).toBe(
    `web said nothing wrong in the last 5 minutes; captured in that time: 3 times "database is locked" (${'b'.repeat(16)}); the playbook known for the first of these is unlock_database`,
  );
});

test('secrets, control characters and floods do not reach people', async () => {
  await log([
    `${at(1)} ERROR login failed for postgres://app:hunter2secret@db/app`,
    `${at(1)} ERROR \u001b[31mred\u202e text`,
    ...Array.from({ length: 3000 }, (_, i) => `${at(1)} ERROR ${'x'.repeat(400)} ${String.fromCodePoint(97 + (i % 26)).repeat(8)}${i}`),
  ]);
  const told = await said();
  for (const unwanted of ['hunter2secret', '\u001b', '\u202e']) expect(told).not.toContain(unwanted);
  expect(told.length).toBeLessThan(2000);
});

test('a store that does not answer keeps nothing after it from being done', async () => {
  const context = { ...box.context(), recentFailures: () => Promise.reject(new Error('database is locked')) };
  const { primitives } = await import('./index.ts');
  await expect(primitives.get('group_recent_errors')?.apply({ minutes: 5 }, context, null)).resolves.toMatchObject({ changed: [] });
});
