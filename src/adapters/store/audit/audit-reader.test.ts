import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leafHash, type AuditDraft, type StoredEntry } from '../../../domains/audit/index.ts';
import { seededRandom } from '../../../kernel/index.ts';
import { openStore } from '../index.ts';
import { openAuditLog, openAuditReader, type StoredAuditReader } from './index.ts';

const DROPPED = 40;
const DAY_MS = 86_400_000;
const random = seededRandom(7);
const upTo = (limit: number): number => Math.floor(random.next() * limit);

let dir: string;
let reader: StoredAuditReader;
/** Each entry as it was when it was read alone. */
const entries: StoredEntry[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'grace-audit-reader-'));
  const path = join(dir, 'grace.db');
  (await openStore(path)).close();
  let nowMs = Date.parse('2026-03-01T00:00:00.000Z');
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const log = await openAuditLog({ path, service: 'orders', clock, redact: (text) => text });
  const write = (count: number, chars: number): Promise<unknown> =>
    log.record({ changes: [], entries: Array.from({ length: count }, (_, i) => draft(i, 'é'.repeat(upTo(chars) + 1))) });
  for (let sizes = 0; sizes < DROPPED; sizes++) await write(1, 300);
  nowMs += 10 * DAY_MS;
  // Of one entry, of more than a page, and of more bytes than are read at once.
  for (const [count, chars] of [
    [1, 20],
    [9, 300],
    [1, 32_000],
    [300, 900],
    [2, 20],
    [40, 6000],
    [8, 40],
    [700, 30],
  ] as const)
    await write(count, chars);
  await log.dropPayloads({ olderThanMs: nowMs - DAY_MS, actor: 'operator:ann', reason: 'retention' });
  await log.close();
  reader = openAuditReader(path);
  const size = await reader.size();
  for (let at = 0; at < size; at++)
    for await (const page of reader.entries(at, at + 1))
      entries.push(...page.map((entry) => (entry instanceof Uint8Array ? entry.slice() : entry)));
  expect(entries).toHaveLength(size);
});
afterAll(() => {
  reader.close();
  rmSync(dir, { recursive: true, force: true });
});

function draft(i: number, note: string): AuditDraft {
  return { actor: 'grace', action: 'heal.plan', resource: 'svc/checkout', subsystem: 'healing', result: 'ok', payload: { i, note } };
}

test('each entry is what its leaf says, or was dropped', async () => {
  for (const [place, entry] of entries.entries()) {
    const leaf = entry instanceof Uint8Array ? leafHash(entry) : entry.leafHash;
    expect(Buffer.from(leaf).equals((await reader.node(0, place)) ?? Buffer.alloc(0)), `entry ${place}`).toBe(true);
  }
  expect(entries.filter((entry) => !(entry instanceof Uint8Array))).toHaveLength(DROPPED);
});

test('a part of the log is read the same wherever it begins and ends, and a page stays what it was while more is read', async () => {
  for (let round = 0; round < 60; round++) {
    const from = upTo(entries.length);
    const to = from + upTo(entries.length - from + 20);
    const kept: StoredEntry[] = [];
    for await (const page of reader.entries(from, to)) kept.push(...page);
    expect(kept.map(shown), `entries ${from} to ${to}`).toEqual(entries.slice(from, to).map(shown));
  }
});

function shown(entry: StoredEntry): string {
  return Buffer.from(entry instanceof Uint8Array ? entry : entry.leafHash).toString('latin1');
}
