import { expect, test } from 'vitest';
import type { ShadowRecord } from '../../domains/learning/index.ts';
import { listShadow, showShadow } from './shadow.ts';
import { aMemory, MINUTE_MS, NOW_MS } from './testing.ts';

const aRecord = (id: string, parts: Partial<ShadowRecord> = {}): ShadowRecord => ({
  id,
  playbook: 'free_port_8080',
  hash: 'f00d',
  component: 'api',
  signature: '0123456789abcdef',
  failureId: 'f1',
  bootId: 'boot_20260601_110000',
  verdict: 'observe',
  reason: 'at run time Grace only observes',
  firstAtMs: NOW_MS - 10 * MINUTE_MS,
  lastAtMs: NOW_MS - 9 * MINUTE_MS,
  seen: 1,
  first: null,
  last: [
    { step: 'end the orphan', primitive: 'free_port', state: 'ready', summary: 'would end pid 99', targets: ['99'], looked: ['99'], changesNothing: false, picture: null }, // prettier-ignore
  ],
  score: 'open',
  endedBy: null,
  endedAtMs: null,
  evidence: [],
  ...parts,
});

test('scores are counted for each playbook and failure, the newest named', async () => {
  await using memory = await aMemory();
  expect((await listShadow(memory, undefined, undefined)).lines).toEqual(['nothing yet: no playbook was kept from running']);
  await memory.shadows.save(aRecord('shd_1', { score: 'hit', endedBy: 'person', endedAtMs: NOW_MS, firstAtMs: NOW_MS - 90 * MINUTE_MS }));
  await memory.shadows.save(aRecord('shd_2', { score: 'miss', endedBy: 'itself', endedAtMs: NOW_MS }));
  await memory.shadows.save(aRecord('shd_3', { playbook: 'other', score: 'harm', endedBy: 'person', endedAtMs: NOW_MS }));
  const all = await listShadow(memory, undefined, undefined);
  expect(all.data).toEqual([
    expect.objectContaining({ playbook: 'free_port_8080', hits: 1, misses: 1, harms: 0, self_recoveries: 1, records: ['shd_1', 'shd_2'], last: 'shd_2' }), // prettier-ignore
    expect.objectContaining({ playbook: 'other', hits: 0, harms: 1, last: 'shd_3' }),
  ]);
  expect(all.lines.join('\n')).toMatch(/free_port_8080 +0123456789abcdef +1 +1 +0 +0 +0 +1 +shd_2/);
  expect((await listShadow(memory, 'other', undefined)).data).toHaveLength(1);
  expect((await listShadow(memory, 'free_port_8080', 30 * MINUTE_MS)).data).toEqual([expect.objectContaining({ records: ['shd_2'] })]);
});

test('one of them is told with what it would have done, how it ended and why it is scored so', async () => {
  await using memory = await aMemory();
  await memory.shadows.save(aRecord('shd_1'));
  expect((await showShadow(memory, 'shd_1')).lines.join('\n')).toContain('it goes on');
  const evidence = ['a person mended it: ended pid 99', '"end the orphan" (99): it is as the step would have made it'];
  await memory.shadows.save(aRecord('shd_1', { seen: 3, score: 'hit', endedBy: 'person', endedAtMs: NOW_MS - MINUTE_MS, evidence }));
  const { lines, data } = await showShadow(memory, 'shd_1');
  const text = lines.join('\n');
  for (const said of [
    'free_port_8080 on api: hit',
    '3 times',
    'observe: at run time',
    'end the orphan (ready): would end pid 99',
    'by person',
    ...evidence,
  ])
    // prettier-ignore
    expect(text).toContain(said);
  expect(data).toMatchObject({ id: 'shd_1', score: 'hit', ended_by: 'person', evidence, would_have: [{ step: 'end the orphan' }] });
  await expect(showShadow(memory, 'shd_2')).rejects.toThrow('shadow record "shd_2"');
});
