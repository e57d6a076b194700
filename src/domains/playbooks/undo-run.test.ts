import { describe, expect, test } from 'vitest';
import type { Json } from '../../kernel/index.ts';
import type { Journal } from './execute-playbook.ts';
import type { JournalEntry, JournalState } from './playbook.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';
import { undoRun } from './undo-run.ts';

function power(change: Partial<Primitive>): Primitive {
  return {
    name: 'run',
    description: '',
    risk: 'critical',
    parse: (params) => params,
    plan: async () => ({ state: 'nothing_to_do', summary: '' }),
    apply: async () => ({ summary: '', changed: [] }),
    undo: null,
    ...change,
  };
}

async function leftOf(state: JournalState, primitive: Primitive | null, before: Json = null) {
  const rows: JournalEntry[] = [
    { runId: 'r', index: 0, step: 'do it', primitive: 'run', params: {}, targets: ['fix.sh'], before, undo: null, state, summary: '' },
  ];
  const journal: Journal = { write: async (entry) => void (rows[entry.index] = entry), entries: async () => [...rows] };
  const known = new Map(primitive === null ? [] : [['run', primitive]]);
  const first = await undoRun('r', known, {} as PrimitiveContext, journal);
  const again = await undoRun('r', known, {} as PrimitiveContext, journal);
  return { left: first.left, again: again.left, state: rows[0]?.state };
}

describe('a step without a way back', () => {
  test('is told of when it was done, did not end well, or was cut off', async () => {
    expect(await leftOf('done', power({}))).toMatchObject({ left: ['do it: run cannot be undone'], state: 'done' });
    const failed = 'do it: run did not end well, may have acted before, and cannot be undone';
    expect(await leftOf('failed', power({}))).toEqual({ left: [failed], again: [failed], state: 'failed' });
    expect(await leftOf('planned', power({}))).toEqual({
      left: ['do it: run was cut off, may have acted before, and cannot be undone'],
      again: [failed],
      state: 'failed',
    });
    expect((await leftOf('failed', null)).left).toEqual([failed]);
  });

  test('is not told of when it needs none', async () => {
    for (const state of ['done', 'failed', 'planned'] as const)
      expect((await leftOf(state, power({ needsNoUndo: true }))).left).toEqual([]);
  });

  test('is not told of when it shows that it has done nothing before it failed', async () => {
    const sees = (now: Json) => power({ observe: async () => now });
    expect((await leftOf('failed', sees(1), 1)).left).toEqual([]);
    expect((await leftOf('planned', sees(1), 1)).left).toEqual([]);
    expect((await leftOf('failed', sees(2), 1)).left).toHaveLength(1);
    expect((await leftOf('done', sees(1), 1)).left).toHaveLength(1);
    const blind = power({ observe: () => Promise.reject(new Error('gone')) });
    expect((await leftOf('failed', blind, 1)).left).toHaveLength(1);
  });
});
