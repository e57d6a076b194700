import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import type { CommandOptions } from '../../kernel/index.ts';
import { nodeSpawner } from './spawner.ts';
import { isGone, until } from './testing.ts';

const run = (argv: readonly string[], change: Partial<CommandOptions> = {}) =>
  nodeSpawner.run(argv, { cwd: tmpdir(), env: { PATH: process.env['PATH'] ?? '' }, timeoutMs: 20_000, ...change });
const sh = (script: string, change: Partial<CommandOptions> = {}) => run(['/bin/sh', '-c', script], change);

test('gives back how a command ended and what it said on each stream', async () => {
  expect(await sh('echo out; echo err >&2; exit 3')).toEqual({
    exitCode: 3,
    signal: null,
    stdout: 'out\n',
    stderr: 'err\n',
    timedOut: false,
    spawnErrorCode: null,
  });
  expect(await sh('kill -KILL $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL', timedOut: false });
});

test('hands over its input, and does not mind when nobody reads it', async () => {
  expect((await run(['cat'], { input: 'Grüße' })).stdout).toBe('Grüße');
  expect(await run(['true'], { input: 'x'.repeat(1_000_000) })).toMatchObject({ exitCode: 0 });
});

test('keeps the end of a long output, since that is where the error stands', async () => {
  const { stdout } = await sh(
    'i=0; while [ $i -lt 3000 ]; do echo "line $i: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; i=$((i+1)); done; echo the end',
  );
  expect(stdout.length).toBeLessThanOrEqual(65_536);
  expect(stdout).toMatch(/the end\n$/);
  expect(stdout).not.toContain('line 0:');
});

test('ends a command that takes too long, with everything it started', async () => {
  const result = await sh('sleep 1000 & echo $!; wait', { timeoutMs: 150 });
  expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
  await until(() => isGone(Number(result.stdout)));
});

test('ends it when it is told to stop, also when that was before it began', async () => {
  const stop = new AbortController();
  const running = sh('sleep 1000', { signal: stop.signal });
  stop.abort();
  expect(await running).toMatchObject({ signal: 'SIGKILL', timedOut: false });
  expect(await sh('sleep 1000', { signal: AbortSignal.abort() })).toMatchObject({ exitCode: null, timedOut: false });
});

test('does not wait for a daemon that the command leaves behind with its streams open', async () => {
  const result = await sh('sleep 1000 & echo $!');
  expect(result).toMatchObject({ exitCode: 0 });
  process.kill(Number(result.stdout), 'SIGKILL');
});

test.each([
  ['a command that is nowhere', () => run(['no-such-command-at-all']), 'ENOENT'],
  ['a file that may not be executed', () => run(['/etc/passwd']), 'EACCES'],
  ['a directory that is gone', () => run(['true'], { cwd: '/no/such/dir' }), 'ENOENT'],
  ['an argument no system takes', () => run(['true', 'a\0b']), 'ERR_INVALID_ARG_VALUE'],
])('%s is a result with a code, not an exception', async (_what, start, code) => {
  expect(await start()).toMatchObject({ exitCode: null, spawnErrorCode: code });
});
