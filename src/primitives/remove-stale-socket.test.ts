import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Sandbox } from './testing/sandbox.ts';

const name = 'remove_stale_socket';
const params = { path: 'run/app.sock' };
let box: Sandbox;

/** A process that listens and is killed leaves its socket file. */
async function leaveSocket(): Promise<void> {
  await fs.mkdir(box.path('run'), { recursive: true });
  const script = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  try {
    execFileSync(process.execPath, ['-e', script, box.path(params.path)], { stdio: 'ignore' });
  } catch {
    // it kills itself
  }
}

beforeEach(async () => {
  box = await new Sandbox().make();
  await leaveSocket();
  box.socketAnswers = false;
});
afterEach(() => box.remove());

it('moves it aside, and puts it back wherever it dies', async () => {
  const before = await box.state();
  expect(await box.undoneAfterEveryCut(name, params, before)).toEqual({ cuts: expect.any(Number), wrong: null });
  const record = await box.apply(name, params);
  expect(await fs.readdir(box.path('run'))).toEqual([expect.stringMatching(/^app\.sock\.broken-\d{14}$/)]);
  await leaveSocket();
  await box.undo(name, record);
  expect(await fs.readdir(box.path('run'))).toHaveLength(2);
});

it('leaves a socket alone at which somebody listens, or nobody knows', async () => {
  box.socketAnswers = true;
  expect(await box.refusal(name, params)).toMatch(/somebody listens at/);
  box.socketAnswers = null;
  expect(await box.refusal(name, params)).toMatch(/nobody can tell/);
});

it('moves no file, nothing outside of the roots, and has nothing to do without a socket', async () => {
  await box.write('run/data.db', 'data');
  expect(await box.refusal(name, { path: 'run/data.db' })).toMatch(/is a file, not a socket/);
  await expect(box.plan(name, { path: `${box.outside}/app.sock` })).rejects.toThrow(/outside the roots/);
  await fs.rm(box.path(params.path));
  expect((await box.plan(name, params)).state).toBe('nothing_to_do');
});
