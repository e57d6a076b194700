import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { openStore } from '../adapters/store/index.ts';
import { openLimits } from './limits.ts';

const SOURCE = `
const { openStore } = await import(${JSON.stringify(new URL('../adapters/store/index.ts', import.meta.url).href)});
const { nodeClock } = await import(${JSON.stringify(new URL('../adapters/node/clock.ts', import.meta.url).href)});
const { openLimits } = await import(${JSON.stringify(new URL('./limits.ts', import.meta.url).href)});
const limits = openLimits(await openStore(process.argv[1]), nodeClock);
console.log(await limits.lease('api', 'run_of_another') === null ? 'refused' : 'taken');
setInterval(() => undefined, 60_000);
`;

/** Another process of Grace that asks for the lease of `api`, says what it got, and lives on. */
async function another(file: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SOURCE, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { got: said.toString().trim(), child };
}

test('one run per component over two processes, and the lease of a killed one is free', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'grace-lease-'));
  const file = join(dir, 'grace.db');
  const store = await openStore(file);
  onTestFinished(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const limits = openLimits(store, nodeClock);
  const first = await another(file);
  expect(first.got).toBe('taken');
  expect(await limits.lease('api', 'run_1'), 'it lives').toBeNull();
  expect([await limits.isHeld('api', 'run_of_another'), await limits.isHeld('api', 'run_1')], 'that run, and no other').toEqual([
    true,
    false,
  ]);
  const web = await limits.lease('web', 'run_2');
  expect(web, 'another component').not.toBeNull();
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  expect(await limits.isHeld('api', 'run_of_another'), 'it was killed').toBe(false);
  const mine = await limits.lease('api', 'run_3');
  expect(mine, 'it was killed').not.toBeNull();
  expect((await another(file)).got, 'now it is ours').toBe('refused');
  await mine?.release();
  const last = await another(file);
  expect(last.got).toBe('taken');
  await limits.forgetDeadLeases();
  expect(await held(), 'its process lives').toEqual(['api run_of_another', 'web run_2']);
  last.child.kill('SIGKILL');
  await once(last.child, 'exit');
  await limits.forgetDeadLeases();
  expect(await held(), 'what a killed one held is not kept').toEqual(['web run_2']);

  async function held(): Promise<readonly string[]> {
    const rows = await store.db.selectFrom('leases').selectAll().orderBy('component').execute();
    return rows.map((row) => `${row.component} ${row.run_id}`);
  }
});
