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
