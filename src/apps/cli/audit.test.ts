import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  appendLeaf,
  canonicalEntry,
  checkConsistencyProof,
  checkInclusionProof,
  EMPTY_FRONTIER,
  formatVerifierKey,
  frontierRoot,
  leafHash,
  parseConsistencyProof,
  parseInclusionProof,
  signCheckpoint,
  signerKeyOf,
} from '../../domains/audit/index.ts';
import { followAudit, listAudit } from './audit-list.ts';
import { exportAudit, proveConsistency, proveEntry, showCheckpoint } from './audit-prove.ts';
import { openAuditSource, type AuditSource } from './audit-source.ts';
import { verifyAudit } from './audit-verify.ts';

const KEY = signerKeyOf('example.com/log', new Uint8Array(32).fill(1));
const SIZE = 600;
const entryAt = (sequence: number): Uint8Array =>
  canonicalEntry({
    sequence,
    timestamp: new Date(Date.UTC(2026, 0, 1) + sequence * 60_000).toISOString(),
    actor: sequence % 2 === 0 ? 'grace' : 'operator:ann\u001b[31m\u202e',
    action: sequence % 3 === 0 ? 'heal.plan' : 'mode.change',
    resource: 'svc/checkout',
    subsystem: 'planner',
    result: 'ok',
    payload: {},
  });
const ENTRIES = Array.from({ length: SIZE }, (_, i) => entryAt(i));

function headOf(size: number): string {
  const frontier = ENTRIES.slice(0, size).reduce((f, entry) => appendLeaf(f, leafHash(entry)).frontier, EMPTY_FRONTIER);
  return signCheckpoint({ origin: 'example.com/log', size, root: frontierRoot(frontier) }, [KEY]);
}

/** An exported log in a folder of its own. */
function aLog() {
  const folder = mkdtempSync(join(tmpdir(), 'grace-audit-'));
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('entries.jsonl'), Buffer.concat(ENTRIES.flatMap((entry) => [entry, Uint8Array.of(10)])));
  writeFileSync(path('checkpoint'), headOf(SIZE));
  writeFileSync(path('vkey'), `${formatVerifierKey(KEY.verifier)}\n`);
  return { folder, path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

const kindsOf = ({ data }: { data: unknown }) => (data as { findings: { kind: string }[] }).findings.map(({ kind }) => kind);

describe('grace audit verify', () => {
  test('says that a log is intact, and that the key should be known from elsewhere', async () => {
    using log = aLog();
    const own = await verifyAudit(await openAuditSource({ dir: log.folder }), {});
    expect(own).toMatchObject({ exitCode: 0, data: { intact: true, size: SIZE, key_id: KEY.verifier.keyId, key_given: false } });
    expect(own.lines.at(-1)).toContain('compare');
    const given = await verifyAudit(await openAuditSource({ dir: log.folder }), { vkey: log.path('vkey') });
    expect(given.lines).toEqual([expect.stringContaining('600 entries of example.com/log')]);
  });

  test('reads on from a checkpoint, and holds it against an anchor', async () => {
    using log = aLog();
    writeFileSync(log.path('old'), headOf(333));
    const source = await openAuditSource({ dir: log.folder });
    expect(await verifyAudit(source, { from: log.path('old') })).toMatchObject({ exitCode: 0, data: { entries_read: SIZE - 333 } });
    expect(await verifyAudit(source, { anchor: [log.path('old')] })).toMatchObject({ exitCode: 0 });
  });

  test('finds a log that was cut off and signed again, by the anchor alone', async () => {
    using log = aLog();
    writeFileSync(log.path('old'), headOf(SIZE));
    writeFileSync(log.path('checkpoint'), headOf(100));
    writeFileSync(log.path('entries.jsonl'), Buffer.concat(ENTRIES.slice(0, 100).flatMap((entry) => [entry, Uint8Array.of(10)])));
    const source = async () => openAuditSource({ dir: log.folder });
    expect(await verifyAudit(await source(), {})).toMatchObject({ exitCode: 0 });
    expect(kindsOf(await verifyAudit(await source(), { anchor: [log.path('old')] }))).toEqual(['truncated']);
    expect(kindsOf(await verifyAudit(await source(), { from: log.path('old') }))).toEqual(['truncated']);
  });

  test('finds a torn end', async () => {
    using log = aLog();
    appendFileSync(log.path('entries.jsonl'), '{"action":');
    expect(kindsOf(await verifyAudit(await openAuditSource({ dir: log.folder }), {}))).toEqual(['torn']);
  });

  test('does without a key only where one is named', async () => {
    using log = aLog();
    rmSync(log.path('vkey'));
    await expect(verifyAudit(await openAuditSource({ dir: log.folder }), {})).rejects.toMatchObject({
      code: 'GRACE_CLI_AUDIT_KEY_UNKNOWN',
    });
    await expect(openAuditSource({ dir: log.path('nothing') })).rejects.toMatchObject({ code: 'GRACE_AUDIT_EXPORT_UNREADABLE' });
    await expect(verifyAudit(await openAuditSource({ dir: log.folder }), { vkey: log.path('no') })).rejects.toMatchObject({
      code: 'GRACE_CLI_AUDIT_FILE_UNREADABLE',
    });
  });

  test('a key or checkpoint that is none is told apart from a log that is not intact', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    const wrong = { code: 'GRACE_CLI_OPTION_WRONG' };
    for (const vkey of ['example.com/log+00000000+AAAA', log.path('checkpoint')])
      await expect(verifyAudit(source, { vkey })).rejects.toMatchObject(wrong);
    await expect(verifyAudit(source, { from: log.path('vkey') })).rejects.toMatchObject(wrong);
  });
});

describe('grace audit export', () => {
  test('writes a log that verifies by its entries, and by its tiles alone', async () => {
    using log = aLog();
    const out = log.path('out');
    expect(await exportAudit(await openAuditSource({ dir: log.folder }), out, true)).toMatchObject({ exitCode: 0 });
    for (const name of ['entries.jsonl', 'checkpoint', 'vkey']) expect(readFileSync(join(out, name))).toEqual(readFileSync(log.path(name)));
    expect(readFileSync(join(out, 'tile/0/001')).length).toBe(8192);
    expect(readFileSync(join(out, 'tile/1/000.p/2')).length).toBe(64);
    expect(await verifyAudit(await openAuditSource({ dir: out }), {})).toMatchObject({ exitCode: 0 });
    rmSync(join(out, 'entries.jsonl'));
    expect(await verifyAudit(await openAuditSource({ dir: out }), {})).toMatchObject({ exitCode: 0, data: { entries_read: SIZE } });
    const tile = readFileSync(join(out, 'tile/0/001'));
    tile[5] = (tile[5] ?? 0) ^ 1;
    writeFileSync(join(out, 'tile/0/001'), tile);
    expect(await verifyAudit(await openAuditSource({ dir: out }), {})).toMatchObject({
      exitCode: 1,
      data: { findings: [{ kind: 'changed', message: expect.stringContaining('tile/0/001') }] },
    });
  });

  test('makes the directories above it, and says where none can be made', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    const deep = log.path('a/b/c');
    expect(await exportAudit(source, deep, false)).toMatchObject({ exitCode: 0 });
    expect(await verifyAudit(await openAuditSource({ dir: deep }), {})).toMatchObject({ exitCode: 0 });
    for (const dir of ['/proc/x', '/proc/x/y', log.path('vkey'), log.path('vkey/x')])
      await expect(exportAudit(source, dir, false)).rejects.toMatchObject({ code: 'GRACE_AUDIT_EXPORT_REFUSED' });
  });

  test('writes nothing over', async () => {
    using log = aLog();
    await expect(exportAudit(await openAuditSource({ dir: log.folder }), log.folder, false)).rejects.toMatchObject({
      code: 'GRACE_AUDIT_EXPORT_REFUSED',
    });
  });
});

describe('grace audit prove', () => {
  test('proves an entry to whoever has it and the key', async () => {
    using log = aLog();
    const { lines, data } = await proveEntry(await openAuditSource({ dir: log.folder }), 257);
    expect(data).toMatchObject({ index: 257, size: SIZE });
    const proof = parseInclusionProof(`${lines.join('\n')}\n`);
    expect(checkInclusionProof(proof, entryAt(257), KEY.verifier)).toEqual({ state: 'holds' });
    expect(checkInclusionProof(proof, entryAt(256), KEY.verifier)).toMatchObject({ state: 'fails' });
  });

  test('proves that the log goes on from an older size', async () => {
    using log = aLog();
    const { lines } = await proveConsistency(await openAuditSource({ dir: log.folder }), 333, null);
    const proof = parseConsistencyProof(`${lines.join('\n')}\n`);
    expect(checkConsistencyProof(proof, headOf(333), KEY.verifier)).toEqual({ state: 'holds' });
    expect(checkConsistencyProof(proof, headOf(332), KEY.verifier)).toMatchObject({ state: 'fails' });
  });

  test('hands out nothing that would not hold', async () => {
    using log = aLog();
    const refused = async (work: (source: AuditSource) => Promise<unknown>): Promise<void> =>
      expect(work(await openAuditSource({ dir: log.folder }))).rejects.toMatchObject({ code: 'GRACE_CLI_AUDIT_PROOF_REFUSED' });
    const all = async (): Promise<void> => {
      await refused(showCheckpoint);
      await refused((source) => proveEntry(source, 5));
      await refused((source) => proveConsistency(source, 5, null));
      await refused((source) => proveConsistency(source, SIZE, SIZE));
      await refused((source) => exportAudit(source, log.path('out'), false));
    };
    writeFileSync(log.path('checkpoint'), 'broken');
    await refused(showCheckpoint);
    const stranger = signerKeyOf('example.com/log', new Uint8Array(32).fill(9));
    writeFileSync(log.path('checkpoint'), signCheckpoint({ origin: 'example.com/log', size: SIZE, root: new Uint8Array(32) }, [stranger]));
    await all();
    writeFileSync(log.path('checkpoint'), signCheckpoint({ origin: 'example.com/log', size: SIZE, root: new Uint8Array(32) }, [KEY]));
    await all();
  });

  test('says what it can not prove', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    await expect(proveEntry(source, SIZE)).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
    await expect(proveConsistency(source, 1, 5)).rejects.toMatchObject({ code: 'GRACE_CLI_AUDIT_CHECKPOINT_MISSING' });
  });

  test('and grace audit checkpoint prints the head as it was signed', async () => {
    using log = aLog();
    expect(`${(await showCheckpoint(await openAuditSource({ dir: log.folder }))).lines.join('\n')}\n`).toBe(headOf(SIZE));
  });
});

describe('grace audit list', () => {
  const sequences = ({ data }: { data: unknown }) => (data as { entries: { sequence: number }[] }).entries.map((e) => e.sequence);

  test('shows the newest, page by page, and obeys no escape in them', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    const first = await listAudit(source, {}, { limit: 2 });
    expect(sequences(first)).toEqual([598, 599]);
    expect(first.data).toMatchObject({ before: 598 });
    expect(first.lines.join()).not.toContain('\u001b[31m');
    expect(first.lines.join()).not.toContain('\u202e');
    expect(sequences(await listAudit(source, {}, { limit: 2, before: 598 }))).toEqual([596, 597]);
    expect((await listAudit(source, {}, { limit: 2, before: 2 })).data).toMatchObject({ before: null });
  });

  test('shows what is asked for', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    expect(sequences(await listAudit(source, { actor: 'grace', action: 'heal.*' }, { limit: 3 }))).toEqual([582, 588, 594]);
    expect(sequences(await listAudit(source, { action: 'heal' }, { limit: 3 }))).toEqual([]);
    const sinceMs = Date.UTC(2026, 0, 1, 1);
    expect(sequences(await listAudit(source, { sinceMs, untilMs: sinceMs + 120_000 }, { limit: 9 }))).toEqual([60, 61]);
  });

  test('follows what comes, until it is told to stop', async () => {
    using log = aLog();
    const stop = new AbortController();
    const seen: string[] = [];
    appendFileSync(log.path('entries.jsonl'), '{"half');
    await followAudit(await openAuditSource({ dir: log.folder }), {}, SIZE - 2, true, stop.signal, (line) => {
      seen.push(line);
      if (seen.length === 2) stop.abort();
    });
    expect(seen.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([598, 599]);
  });
});
