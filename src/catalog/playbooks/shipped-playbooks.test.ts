import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { executePlaybook, undoRun, type ExecuteOutcome, type Journal, type JournalEntry } from '../../domains/playbooks/index.ts';
import type { JsonObject } from '../../kernel/index.ts';
import { primitives } from '../../primitives/index.ts';
import { Sandbox } from '../../primitives/testing/sandbox.ts';
import { families } from '../families/index.ts';
import { shippedPlaybooks } from './index.ts';

let box: Sandbox;
let journal: Journal;
beforeEach(async () => {
  box = await new Sandbox().make();
  const entries = new Map<number, JournalEntry>();
  journal = {
    write: async (entry) => void entries.set(entry.index, entry),
    entries: async () => [...entries.values()],
  };
});
afterEach(() => box.remove());

async function run(name: string, params: JsonObject = {}): Promise<ExecuteOutcome> {
  const playbook = shippedPlaybooks.find((one) => one.name === name);
  if (playbook === undefined) throw new Error(`${name} is not shipped`);
  return executePlaybook({
    runId: 'run',
    playbook,
    params,
    primitives,
    agreed: null,
    signal: new AbortController().signal,
    limits: { stepMs: 60_000, endMs: 1000, after: (ms) => AbortSignal.timeout(ms) },
    contextFor: () => box.context(),
    journal,
    onStep: () => undefined,
  });
}

test('each is for a failure that the catalog knows, and has a name of its own', () => {
  const known = new Set(families.map(({ name }) => name));
  expect(shippedPlaybooks.filter(({ match }) => !known.has(match.family ?? '')).map(({ name }) => name)).toEqual([]);
  expect(new Set(shippedPlaybooks.map(({ name }) => name)).size).toBe(shippedPlaybooks.length);
});

test('restart_memory_heavy_services starts the component anew', async () => {
  expect(await run('restart_memory_heavy_services')).toMatchObject({ success: true, changes: 1 });
  expect(box.asked).toEqual(['restart web its memory grows and does not come back']);
});

describe.each([
  ['scale_up_resources', 'WEB_CONCURRENCY', '2', '4'],
  ['increase_db_pool_size', 'DB_POOL_SIZE', '10', '20'],
])('%s', (name, variable, before, after) => {
  test('raises what the component has already, and starts it with that', async () => {
    box.environment[variable] = before;
    expect(await run(name)).toMatchObject({ success: true, changes: 2 });
    expect(box.overrides.env).toEqual({ [variable]: after });
    expect(box.asked).toEqual([`restart web ${variable} was raised`]);
  });

  test('puts the number back when it did not help', async () => {
    box.environment[variable] = before;
    await run(name);
    const { kept } = await undoRun('run', primitives, box.context(), journal);
    expect(kept).toEqual([]);
    expect(box.overrides.env).toEqual({});
  });

  test('restarts nothing where the component has no such number', async () => {
    expect(await run(name)).toMatchObject({ success: false, refused: true, changes: 0 });
    expect(box.asked).toEqual([]);
  });

  test('goes no further than its bounds, however often it runs', async () => {
    box.environment[variable] = before;
    await run(name, { to: 1000 });
    const bound = box.overrides.env[variable];
    await run(name, { to: 1000 });
    expect(box.overrides.env[variable]).toBe(bound);
  });
});

describe('create_metrics_catalog_loader', () => {
  test('puts the copy of the last good boot back, and makes nothing', async () => {
    await box.write('metrics_catalog_loader.py', 'def load_metrics_catalog(): return {"latency": 1}\n');
    await box.remember('metrics_catalog_loader.py');
    await rm(box.path('metrics_catalog_loader.py'));
    expect(await run('create_metrics_catalog_loader')).toMatchObject({ success: true, changes: 1 });
    expect(await box.read('metrics_catalog_loader.py')).toContain('latency');
    expect(Object.keys(await box.state())).not.toContain('/metrics_catalog.json');
  });

  test('makes a loader that works, and an empty catalog, where neither ever was; and takes both back', async () => {
    const before = await box.state();
    expect(await run('create_metrics_catalog_loader')).toMatchObject({ success: true, changes: 2 });
    const argv = ['-c', 'from metrics_catalog_loader import load_metrics_catalog; print(load_metrics_catalog())'];
    expect(spawnSync('python3', ['-B', ...argv], { cwd: box.root, encoding: 'utf8' }).stdout).toBe('{}\n');
    const { kept } = await undoRun('run', primitives, box.context(), journal);
    expect(kept).toEqual([]);
    expect(await box.state()).toEqual(before);
  });

  test.each(['metrics_catalog_loader.py', 'metrics_catalog.json'])('never writes over %s, and leaves nothing beside it', async (name) => {
    await box.write(name, 'a person wrote this = 1\n');
    const before = await box.state();
    expect(await run('create_metrics_catalog_loader')).toMatchObject({ success: false, refused: true });
    await undoRun('run', primitives, box.context(), journal);
    expect(await box.state()).toEqual(before);
  });

  test('makes nothing empty where a copy is kept and could not be put back', async () => {
    await box.write('metrics_catalog_loader.py', 'x = 1\n');
    await box.remember('metrics_catalog_loader.py');
    await rm(box.path('metrics_catalog_loader.py'));
    let writes = 0;
    const { files } = box;
    box.files = {
      ...files,
      writeAtomic: (...args) => (writes++ === 0 ? Promise.reject(new Error('no space left on device')) : files.writeAtomic(...args)),
    };
    expect(await run('create_metrics_catalog_loader')).toMatchObject({ success: false, changes: 0 });
    expect(writes).toBe(1);
    expect(Object.keys(await box.state())).toEqual(['']);
  });
});

test('verify_async_subscriptions changes nothing of the code', async () => {
  const written = await box.write('a.js', 'async function f() {}\nf();\n');
  const before = await box.state();
  const outcome = await run('verify_async_subscriptions');
  expect(outcome).toMatchObject({ success: true });
  expect(outcome.results[0]?.summary).toContain(`${basename(written)}:2 f`);
  expect(await box.state()).toEqual(before);
});

test('investigate_error_spike tells what was said, and restarts last', async () => {
  await writeFile(box.component.logFile, 'Error: no connection to the queue\n');
  expect(await run('investigate_error_spike')).toMatchObject({ success: true });
  expect(box.asked).toHaveLength(2);
  expect(box.asked[0]).toMatch(/^warn web said one error .*no connection to the queue/);
  expect(box.asked[1]).toBe('restart web it answers with errors');
});
