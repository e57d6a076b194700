import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
import { listKeys } from './audit-keys.ts';
import { withProgress } from './audit-progress.ts';
import { showEntry } from './audit-show.ts';
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
    expect(given.lines).toEqual([expect.stringMatching(/600 entries of example\.com\/log .*, the one you gave$/)]);
  });

  test('reads on from a checkpoint, and holds it against an anchor', async () => {
    using log = aLog();
    writeFileSync(log.path('old'), headOf(333));
    const source = await openAuditSource({ dir: log.folder });
    expect(await verifyAudit(source, { from: log.path('old') })).toMatchObject({ exitCode: 0, data: { entries_read: SIZE - 333 } });
    writeFileSync(log.path('heads'), `${headOf(7)}\n${headOf(500)}\n${headOf(7)}`);
    const { lines, data } = await verifyAudit(source, { anchor: [log.path('old'), log.path('heads')] });
    expect(data).toMatchObject({ intact: true, anchors: 3 });
    expect(lines.slice(1, 3)).toEqual([
      `goes on from the head of 333 entries in ${log.path('old')}`,
      `goes on from all 2 heads in ${log.path('heads')}, the newest of 500 entries`,
    ]);
  });

  test('names the file of an anchor that does not fit, and takes none for an anchor that holds no checkpoint', async () => {
    using log = aLog();
    writeFileSync(log.path('old'), headOf(333));
    const other = signCheckpoint({ origin: 'example.com/log', size: 5, root: new Uint8Array(32).fill(3) }, [KEY]);
    writeFileSync(log.path('heads'), `${headOf(7)}\n${other}`);
    const source = await openAuditSource({ dir: log.folder });
    const { exitCode, lines } = await verifyAudit(source, { anchor: [log.path('old'), log.path('heads')] });
    expect(exitCode).toBe(1);
    expect(lines.join('\n')).toMatch(new RegExp(`forked: anchor 3 covers .*\\(${log.path('heads')}\\)`));
    for (const text of ['', '# what is new\n', '\u2014 example.com/log AAAA\n']) {
      writeFileSync(log.path('none'), text);
      await expect(verifyAudit(source, { anchor: [log.path('old'), log.path('none')] })).rejects.toMatchObject({
        code: 'GRACE_CLI_OPTION_WRONG',
        message: expect.stringContaining(log.path('none')),
      });
    }
  });

  test('says first what happened to the entries, and of what follows from it a little', async () => {
    using log = aLog();
    const file = readFileSync(log.path('entries.jsonl'), 'utf8').split('\n');
    file[7] = file[7]?.replace('planner', 'plotter') ?? '';
    file[9] = file[8] ?? '';
    writeFileSync(log.path('entries.jsonl'), file.join('\n'));
    const stranger = signerKeyOf('example.com/log', new Uint8Array(32).fill(9));
    const { lines } = await verifyAudit(await openAuditSource({ dir: log.folder }), { vkey: formatVerifierKey(stranger.verifier) });
    const kinds = lines.flatMap((line) => /^ {2}(\w+): /.exec(line)?.[1] ?? []);
    expect(kinds.at(0)).toBe('removed');
    expect(kinds.indexOf('root')).toBeLessThan(kinds.indexOf('unknown_key'));
    expect(lines.join('\n')).toContain('keep a copy of it');
  });

  test('tells a key of another log apart from a log that was changed', async () => {
    using log = aLog();
    const stranger = signerKeyOf('example.com/log', new Uint8Array(32).fill(9));
    const { exitCode, lines } = await verifyAudit(await openAuditSource({ dir: log.folder }), {
      vkey: formatVerifierKey(stranger.verifier),
    });
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toContain('all of it fits but the key');
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

  test('writes nothing of a log whose entries are not those that were signed', async () => {
    using log = aLog();
    const file = readFileSync(log.path('entries.jsonl'), 'utf8').split('\n');
    const source = async () => openAuditSource({ dir: log.folder });
    const refused = async (code: string): Promise<void> => {
      writeFileSync(log.path('entries.jsonl'), file.join('\n'));
      await expect(exportAudit(await source(), log.path('out'), true)).rejects.toMatchObject({ code });
      expect(existsSync(log.path('out'))).toBe(false);
    };
    file[7] = file[7]?.replace('planner', 'plotter') ?? '';
    await refused('GRACE_CLI_AUDIT_PROOF_REFUSED');
    file.splice(100);
    await refused('GRACE_AUDIT_NODE_MISSING');
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
    rmSync(log.path('checkpoint'));
    await expect(showCheckpoint(await openAuditSource({ dir: log.folder }))).rejects.toMatchObject({
      code: 'GRACE_CLI_AUDIT_CHECKPOINT_MISSING',
      hint: expect.stringContaining(`not in ${log.folder}`),
    });
    rmSync(log.path('vkey'));
    expect((await listKeys(await openAuditSource({ dir: log.folder }))).lines).toEqual([
      `${log.folder} has no file vkey: whoever exported it knows the key`,
    ]);
    writeFileSync(log.path('checkpoint'), headOf(SIZE));
    await expect(proveConsistency(source, 1, 5)).rejects.toMatchObject({
      code: 'GRACE_CLI_AUDIT_CHECKPOINT_MISSING',
      hint: expect.stringContaining('the nearest that is kept: 600'),
    });
  });

  test('and grace audit checkpoint prints the head as it was signed', async () => {
    using log = aLog();
    expect(`${(await showCheckpoint(await openAuditSource({ dir: log.folder }))).lines.join('\n')}\n`).toBe(headOf(SIZE));
  });
});

describe('grace audit show', () => {
  test('says all that an entry says, and obeys no escape in it', async () => {
    using log = aLog();
    const { exitCode, data, lines } = await showEntry(await openAuditSource({ dir: log.folder }), 257, false);
    expect(exitCode).toBe(0);
    expect(data).toMatchObject({ sequence: 257, state: 'entry', covered: true, entry: { action: 'mode.change' } });
    expect(lines.join('\n')).toContain('operator:ann\ufffd[31m');
    expect(lines.join('\n')).not.toContain('\u001b[31m');
  });

  test('gives the bytes that were hashed, which a proof of it goes with', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    const { lines } = await showEntry(source, 257, true);
    const proof = parseInclusionProof(`${(await proveEntry(source, 257)).lines.join('\n')}\n`);
    expect(checkInclusionProof(proof, Buffer.from(lines.join('\n')), KEY.verifier)).toEqual({ state: 'holds' });
  });

  test('says of an entry beyond the head that none covers it, and of one that is none that it can not be read', async () => {
    using log = aLog();
    appendFileSync(log.path('entries.jsonl'), Buffer.concat([entryAt(SIZE), Buffer.from('\n{"action":1}\n')]));
    const source = await openAuditSource({ dir: log.folder });
    const unsigned = await showEntry(source, SIZE, false);
    expect(unsigned).toMatchObject({ exitCode: 0, data: { covered: false } });
    expect(unsigned.lines.join('\n')).toContain('which no signed head covers yet');
    expect(await showEntry(source, SIZE + 1, false)).toMatchObject({ exitCode: 1, data: { state: 'unreadable', entry: null } });
    await expect(showEntry(source, SIZE + 2, false)).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
  });
});

describe('progress', () => {
  test('is said after a second, written over, and taken away; elsewhere than on a terminal not at all', async () => {
    using log = aLog();
    const source = await openAuditSource({ dir: log.folder });
    const said: string[] = [];
    let nowMs = 0;
    const line = { isShown: true, write: (text: string) => void said.push(text) };
    const count = async ({ reader }: AuditSource): Promise<number> => {
      let n = 0;
      for await (const batch of reader.entries(0, SIZE)) {
        n += batch.length;
        nowMs += 900;
      }
      return n;
    };
    expect(await withProgress(source, count, line, () => nowMs)).toBe(SIZE);
    expect(said.slice(0, -1).join('')).toMatch(/\rentry \d+ of 600|\r\S*entry \d+ of 600/);
    expect(said.at(-1)).toMatch(/^\r\S*$/);
    said.length = 0;
    await withProgress(source, count, line, () => 0);
    await withProgress(source, count, { ...line, isShown: false }, () => nowMs);
    expect(said).toEqual([]);
    // Whoever watches sees as much of the log as whoever does not.
    const members = await withProgress(
      source,
      async ({ reader }) => Object.keys(reader),
      line,
      () => 0,
    );
    expect(members.toSorted()).toEqual(Object.keys(source.reader).toSorted());
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
    // What is there first: as many as were asked for of those that fit, however far back they are. Then what comes, whole.
    const filter = { actor: 'grace', action: 'heal.*' };
    await followAudit(await openAuditSource({ dir: log.folder }), filter, 2, true, stop.signal, (line) => {
      seen.push(line);
      if (seen.length === 2) {
        const come = [SIZE, SIZE + 1, SIZE + 6].map((n) => Buffer.from(entryAt(n)).toString());
        appendFileSync(log.path('entries.jsonl'), `${come.join('\n')}\n{"half`);
      }
      if (seen.length === 4) stop.abort();
    });
    expect(seen.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual([588, 594, 600, 606]);
  });
});
