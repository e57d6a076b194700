import { describe, expect, it } from 'vitest';
import { aFailure, aMemory } from '../../apps/cli/testing.ts';
import { takeRuleBack } from '../../apps/cli/grouping.ts';
import { readFacts } from '../../catalog/readers/index.ts';
import { computeSignature, type Failure } from '../incidents/index.ts';
import { record } from './capture.ts';

const BOOT = 'boot_20260601_110000';

/** A failure as capture would read it from what was said. */
function said(id: string, line: string, exitCode = 1, component = 'api'): Failure {
  const output = readFacts([line]);
  const signed = computeSignature({ component, output, exitCode, signal: null, symptom: 'exit', directory: '/srv/app' });
  const { signature, subject, family, parts: signatureParts } = signed;
  const { facts, frames, headline } = output;
  return aFailure(id, BOOT, { component, headline, facts, frames, signature, subject, family, signatureParts, atMs: Number(id.slice(1)) });
}

const TENANTS = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta'];
const ofTenant = (n: number): Failure => said(`f${n}`, `fatal: no shard can be reached for the tenant ${TENANTS[n] ?? ''}, giving up`);

async function recorded(...failures: readonly Failure[]) {
  const memory = await aMemory();
  for (const failure of failures) await record(failure, memory);
  return memory;
}

describe('failures without a code', () => {
  it('are one once enough of them differ in the same word, and count on the oldest', async () => {
    await using memory = await recorded(...[0, 1, 2, 3].map(ofTenant));
    expect(await memory.groupingRules.list()).toEqual([]);
    const first = ofTenant(0).signature;
    await record(ofTenant(4), memory);
    const captured = await record(ofTenant(5), memory);
    expect(captured).toMatchObject({ isNew: false, pattern: { signature: first, occurrences: 6 }, failure: { signature: first } });
    expect(captured.pattern.template).toBe('fatal: no shard can be reached for the tenant <*>, giving up');
    expect((await memory.groupingRules.list()).map((r) => [r.by, r.kind])).toEqual(Array.from({ length: 5 }, () => ['grace', 'merge']));
  });

  it('stay two where another statement said them', async () => {
    await using memory = await recorded(
      ...[0, 1, 2, 3, 4].map(ofTenant),
      said('f9', 'fatal: no licence is left for the tenant alpha, giving up'),
    );
    expect((await memory.incidents.pattern(ofTenant(0).signature))?.occurrences).toBe(5);
  });

  it('stay two where they ended differently', async () => {
    const others = [0, 1, 2, 3, 4].map((n) => said(`f3${n}`, ofTenant(n).headline, 3));
    await using memory = await recorded(...[0, 1].map(ofTenant), ...others);
    const merged = await memory.groupingRules.list();
    expect(merged).toHaveLength(4);
    expect(merged.every((r) => r.signature !== ofTenant(0).signature && r.signature !== ofTenant(1).signature)).toBe(true);
  });

  it('stay two in two components', async () => {
    await using memory = await recorded(
      ...[0, 1, 2].map(ofTenant),
      ...[3, 4, 5].map((n) => said(`f${n}`, ofTenant(n).headline, 1, 'worker')),
    );
    expect(await memory.groupingRules.list()).toEqual([]);
  });

  it('are not made one again after a person took it back', async () => {
    await using memory = await recorded(...[0, 1, 2, 3, 4].map(ofTenant));
    const rule = (await memory.groupingRules.list()).find((r) => r.signature === ofTenant(2).signature);
    await takeRuleBack(memory, rule?.id ?? '', { by: 'ada' });
    expect((await record({ ...ofTenant(2), id: 'f22' }, memory)).failure.signature).toBe(ofTenant(2).signature);
  });
});

it('leaves what has a code or a subject to these: five missing tables are five failures', async () => {
  const missing = ['users', 'orders', 'items', 'prices', 'stores', 'carts'].map((t, n) =>
    said(`f${n}`, `SqliteError: no such table: ${t}`),
  );
  await using memory = await recorded(...missing);
  expect(await memory.groupingRules.list()).toEqual([]);
  expect(await memory.incidents.patterns()).toHaveLength(6);
});

it('begins anew when what was kept is damaged', async () => {
  await using memory = await recorded(...[0, 1, 2].map(ofTenant));
  await memory.templates.save('api', { miner: 'x', seen: [{ signature: 1 }] });
  await record(ofTenant(3), memory);
  expect(await memory.incidents.patterns()).toHaveLength(4);
});
