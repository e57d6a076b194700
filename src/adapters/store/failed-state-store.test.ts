import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FailedState } from '../../domains/learning/index.ts';
import { signatureOf } from '../../kernel/index.ts';
import { failedStateStore } from './failed-state-store.ts';
import { snapshotStore } from './last-good-store.ts';
import { openStore } from './open-store.ts';

const [A, B] = [signatureOf('aaaaaaaaaaaaaaaa'), signatureOf('bbbbbbbbbbbbbbbb')];

function state(component: string, signature: FailedState['signature'], atMs: number): FailedState {
  const fingerprint = { commands: {}, env: {}, files: {}, machine: {}, parts: {} };
  return { component, signature, atMs, bootId: `boot_${atMs}`, fingerprint, paths: {}, envKeys: {}, reachable: {} };
}

test('states of failures outlive Grace, by component and failure, oldest first', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-failed-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const before = await openStore(join(dir, 'grace.db'));
  const [first, second, third] = [state('api', A, 1), state('api', B, 2), state('api', A, 3)];
  await failedStateStore(before.db).replace('api', A, [first, third]);
  await failedStateStore(before.db).replace('api', B, [second]);
  await failedStateStore(before.db).replace('worker', A, [state('worker', A, 1)]);
  await snapshotStore(before.db).put('api', 'schema', 'boot_1', '{}');
  before.close();

  const store = await openStore(join(dir, 'grace.db'));
  onTestFinished(() => store.close());
  const states = failedStateStore(store.db);
  expect(await states.load('api')).toEqual([first, second, third]);
  await states.replace('api', A, [third]);
  expect(await states.load('api')).toEqual([second, third]);
  await states.forget('api', A);
  expect(await states.load('api')).toEqual([second]);
  expect(await states.load('worker')).toHaveLength(1);
  expect(await snapshotStore(store.db).get('api', 'schema')).toBe('{}');
});
