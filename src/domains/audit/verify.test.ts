import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaf,
  canonicalEntry,
  EMPTY_FRONTIER,
  formatVerifierKey,
  frontierAt,
  frontierRoot,
  keyRotationEntry,
  leafHash,
  NodeTable,
  rootOf,
  signCheckpoint,
  signerKeyOf,
  signNote,
  verifyLog,
  type AuditEntry,
  type AuditReader,
  type SignerKey,
  type StoredCheckpoint,
  type StoredEntry,
  type VerifyOptions,
  type AuditDraft,
} from './index.ts';

const keyOf = (byte: number) => signerKeyOf('example.com/log', new Uint8Array(32).fill(byte));
const KEY = keyOf(1);

const entryOf = (sequence: number, parts: Partial<AuditEntry> = {}): AuditEntry => ({
  sequence,
  timestamp: new Date(Date.UTC(2026, 0, 1) + sequence).toISOString(),
  actor: 'grace',
  action: 'heal.plan',
  resource: 'svc/checkout',
  subsystem: 'planner',
  result: 'ok',
  payload: { n: sequence },
  ...parts,
});
const bytesOf = (sequence: number, parts: Partial<AuditEntry> = {}): Uint8Array => canonicalEntry(entryOf(sequence, parts));
const logOf = (size: number): readonly Uint8Array[] => Array.from({ length: size }, (_, i) => bytesOf(i));

function headOf(entries: readonly StoredEntry[], keys: readonly SignerKey[] = [KEY], size = entries.length): string {
  let frontier = EMPTY_FRONTIER;
  for (const entry of entries.slice(0, size))
    ({ frontier } = appendLeaf(frontier, entry instanceof Uint8Array ? leafHash(entry) : entry.leafHash));
  return signCheckpoint({ origin: 'example.com/log', size, root: frontierRoot(frontier) }, keys);
}

/** @param kept   what the log was when its nodes were stored */
function readerOf(entries: readonly StoredEntry[], kept: readonly Uint8Array[] = []): AuditReader {
  const table = new NodeTable();
  for (const entry of kept) table.append(leafHash(entry));
  return {
    size: async () => entries.length,
    async *entries(from, to) {
      for (let at = from; at < Math.min(to, entries.length); at += 3) yield entries.slice(at, Math.min(at + 3, to));
    },
    node: async (level, index) => table.node(level, index),
    keptLeaf: async (index) => table.node(0, index),
    async *checkpoints() {},
    latestCheckpoint: async () => null,
    keys: async () => [],
  };
}

async function findingsOf(entries: readonly StoredEntry[], options: Partial<VerifyOptions> = {}, kept: readonly Uint8Array[] = []) {
  const { findings, isIntact } = await verifyLog(readerOf(entries, kept), { key: KEY.verifier, head: headOf(LOG), ...options });
  expect(isIntact).toBe(findings.length === 0);
  return findings.map(({ kind, from }) => (from === null ? kind : `${kind} ${from}`));
}

const LOG = logOf(9);
const moved = (order: readonly number[]) => order.map((i) => LOG[i] as Uint8Array);
const withEntry = (at: number, bytes: Uint8Array) => LOG.map((entry, i) => (i === at ? bytes : entry));

describe('a log is intact when', () => {
  test('it is as it was signed', async () => {
    expect(await findingsOf(LOG)).toEqual([]);
    expect(await findingsOf(LOG, { depth: 'hashes' })).toEqual([]);
    expect(await findingsOf([], { head: headOf([]) })).toEqual([]);
  });

  test('older heads kept elsewhere fit', async () => {
    expect(await findingsOf(LOG, { anchors: [0, 1, 5, 9].map((size) => headOf(LOG, [KEY], size)) })).toEqual([]);
  });

  test('what came after a checkpoint fits, without reading what was before it', async () => {
    const start = await frontierAt(5, (level, index) => readerOf([], LOG).node(level, index));
    const verification = await verifyLog(readerOf(LOG), { key: KEY.verifier, head: headOf(LOG), start });
    expect(verification).toMatchObject({ isIntact: true, size: 9, entriesRead: 4 });
  });

  test('of some entries only the hash is left, and a later one says that they were dropped', async () => {
    for (const depth of ['whole', 'hashes'] as const)
      expect(await verifyLog(readerOf(droppedFrom(0, 3)), { key: KEY.verifier, head: headOf(ANNOUNCED), depth })).toMatchObject({
        isIntact: true,
        entriesDropped: 3,
      });
  });

  test('entries are dropped while it is read, which a later head covers', async () => {
    const dropped = droppedFrom(0, 3);
    const reader = { ...readerOf(dropped), latestCheckpoint: async () => headOf(ANNOUNCED) };
    expect(await verifyLog(reader, { key: KEY.verifier, head: headOf(LOG) })).toMatchObject({ findings: [], size: 10, entriesRead: 10 });
  });

  test('the hashes that it keeps are those of its entries', async () => {
    expect(await keptFindings(BROAD, tableOf(BROAD))).toEqual([]);
    expect(await keptFindings(BROAD, tableOf(BROAD), { start: await frontierAt(70, (l, i) => tableOf(BROAD).node(l, i)) })).toEqual([]);
  });

  test('it is being written, and goes on beyond its head', async () => {
    const more = [...LOG, bytesOf(9), bytesOf(10)];
    expect(await findingsOf(more, { unsignedSinceMs: Date.UTC(2026, 0, 1) + 9 })).toEqual([]);
    // One that is older should have been signed long ago.
    expect(await findingsOf(more, { unsignedSinceMs: Date.UTC(2026, 0, 1) + 10 })).toEqual(['unsigned 9']);
    expect(await findingsOf(more)).toEqual(['unsigned 9']);
    // Nor could one from a year to come ever be called that.
    const since = { unsignedSinceMs: Date.UTC(2026, 0, 1) + 9 };
    expect(await findingsOf(more, { ...since, unsignedUntilMs: () => Date.UTC(2026, 0, 1) + 10 })).toEqual([]);
    expect(await findingsOf(more, { ...since, unsignedUntilMs: () => Date.UTC(2026, 0, 1) + 9 })).toEqual(['unsigned 9']);
  });

  test('every checkpoint that it keeps is signed, filed under its size, and fits', async () => {
    expect(await storedFindings([0, 1, 5, 9].map((size) => ({ size, note: headOf(LOG, [KEY], size) })))).toEqual([]);
  });
});

/** Of a log that keeps these checkpoints. */
async function storedFindings(stored: readonly StoredCheckpoint[], options: Partial<VerifyOptions> = {}, entries = LOG) {
  const reader: AuditReader = {
    ...readerOf(entries),
    async *checkpoints() {
      yield* stored;
    },
  };
  const { findings } = await verifyLog(reader, { key: KEY.verifier, head: headOf(LOG), ...options });
  return findings.map(({ kind, message }) => `${kind}: ${message}`);
}

describe('a checkpoint that is kept, and is not the newest, is checked like that:', () => {
  const head = { size: 9, note: headOf(LOG) };
  const kept = (size: number, note: string) => storedFindings([{ size: 2, note: headOf(LOG, [KEY], 2) }, { size, note }, head]);

  test('no text, another signature, another log', async () => {
    expect(await kept(5, 'broken')).toEqual([expect.stringMatching(/^checkpoint: .*that of 5 entries/)]);
    const signed = headOf(LOG, [KEY], 5);
    const [, line = ''] = headOf(LOG, [KEY], 4).split('\n\n');
    expect(await kept(5, `${signed.split('\n\n')[0]}\n\n${line}`)).toEqual([expect.stringMatching(/^signature: .*of 5 entries/)]);
    expect(await kept(5, headOf(LOG, [keyOf(2)], 5))).toEqual([expect.stringMatching(/^unknown_key: .*of 5 entries/)]);
    const other = signCheckpoint({ origin: 'example.com/other', size: 5, root: new Uint8Array(32) }, [KEY]);
    expect(await kept(5, other)).toEqual([expect.stringMatching(/^origin: .*that of 5 entries/)]);
  });

  test('another size than it is filed under, the newest one as well', async () => {
    expect(await kept(6, headOf(LOG, [KEY], 5))).toEqual([expect.stringMatching(/^checkpoint: .*that of 6 entries covers 5/)]);
    expect(await storedFindings([{ ...head, size: 10 }])).toEqual([expect.stringMatching(/^checkpoint: .*that of 10 entries covers 9/)]);
    expect(await storedFindings([{ ...head, size: 2 ** 60 }])).toHaveLength(1);
    expect(await storedFindings([{ ...head, size: -4 }])).toHaveLength(1);
  });

  test('another history, though the head is right; where the entries are others, that is said instead', async () => {
    const other = withEntry(2, bytesOf(2, { actor: 'nobody' }));
    expect(await kept(5, headOf(other, [KEY], 5))).toEqual([expect.stringMatching(/^checkpoint: .*of 5 entries .* another root/)]);
    const stored = [2, 5, 9].map((size) => ({ size, note: headOf(LOG, [KEY], size) }));
    expect((await storedFindings(stored, {}, other)).map((text) => text.split(':')[0])).toEqual(['root', 'changed']);
  });

  test('but not what was believed, nor what is filed beyond a log that goes on', async () => {
    const start = await frontierAt(5, (level, index) => readerOf([], LOG).node(level, index));
    expect(await storedFindings([{ size: 4, note: 'broken' }, head], { start })).toEqual([]);
    const later = [...LOG, bytesOf(9)];
    const stored = [head, { size: 10, note: headOf(later) }];
    expect(await storedFindings(stored, { unsignedSinceMs: 0 }, later)).toEqual([]);
  });
});

/** The same with an entry that says that the first three are dropped. */
const ANNOUNCED = [
  ...LOG,
  bytesOf(9, { action: 'audit.payloads_dropped', resource: 'audit/log', subsystem: 'audit', payload: { before: 3, from: 0 } }),
];
const droppedFrom = (from: number, to: number): readonly StoredEntry[] =>
  ANNOUNCED.map((entry, i) => (i >= from && i < to ? { leafHash: leafHash(entry) } : entry));

describe('contents that are gone without a word of it are tampering:', () => {
  const findings = (entries: readonly StoredEntry[], depth: 'whole' | 'hashes') => findingsOf(entries, { head: headOf(ANNOUNCED), depth });

  test.each(['whole', 'hashes'] as const)('no entry tells of them, or of fewer (%s)', async (depth) => {
    expect(await findingsOf(LOG.map((entry, i) => (i === 4 ? { leafHash: leafHash(entry) } : entry)))).toEqual(['dropped 4']);
    expect(await findings(droppedFrom(0, 4), depth)).toEqual(['dropped 3']);
    expect(await findings(droppedFrom(6, 9), depth)).toEqual(['dropped 6']);
    // The one that announced it among them.
    expect(await findings(droppedFrom(0, 10), depth)).toEqual(['dropped 0']);
  });

  test('those that the announcement says keep theirs', async () => {
    for (const kept of [[2, 4], ['2', 4, 4.5, null, 2], '2']) {
      const log = LOG.map((_, i) => bytesOf(i, i === 7 ? { action: 'audit.payloads_dropped', payload: { from: 0, before: 6, kept } } : {}));
      const dropped = log.map((entry, i) => (i < 6 ? { leafHash: leafHash(entry) } : entry));
      const found = await findingsOf(dropped, { head: headOf(log) });
      expect(found).toEqual(kept === '2' ? [] : kept[0] === 2 ? ['dropped 2', 'dropped 4'] : ['dropped 4']);
    }
  });

  test('it is told of beyond the signed head, where anybody may have written it', async () => {
    for (const unsignedSinceMs of [undefined, 0]) {
      const options = unsignedSinceMs === undefined ? {} : { unsignedSinceMs };
      expect(await findingsOf(droppedFrom(0, 3), options)).toEqual(unsignedSinceMs === 0 ? ['dropped 0'] : ['unsigned 9', 'dropped 0']);
    }
  });

  test('an announcement tells of what is before it alone, and one without a shape of nothing', async () => {
    for (const payload of [{ from: 0, before: 9 }, { from: 0 }, { from: '0', before: '9' }, {}]) {
      const log = LOG.map((_, i) => bytesOf(i, i === 4 ? { action: 'audit.payloads_dropped', payload } : {}));
      const dropped = log.map((entry, i) => (i === 3 || i === 6 ? { leafHash: leafHash(entry) } : entry));
      const found = await findingsOf(dropped, { head: headOf(log) });
      expect(found).toEqual('before' in payload && payload.before === 9 ? ['dropped 6'] : ['dropped 3', 'dropped 6']);
    }
  });
});

const BROAD = logOf(300);

function tableOf(entries: readonly Uint8Array[]): NodeTable {
  const table = new NodeTable();
  for (const entry of entries) table.append(leafHash(entry));
  return table;
}

/** Of a log that keeps every fourth level of this tree, some nodes of which may be others. */
async function keptFindings(
  entries: readonly Uint8Array[],
  table: NodeTable,
  options: Partial<VerifyOptions> = {},
  other: Readonly<Record<string, Uint8Array>> = {},
) {
  const nodeAt = (level: number, index: number): Uint8Array | null => other[`${level} ${index}`] ?? table.node(level, index);
  const reader: AuditReader = {
    ...readerOf(entries),
    node: async (level, index) => nodeAt(level, index),
    keptLeaf: async (index) => nodeAt(0, index),
    kept: {
      holds: (level) => level % 4 === 0,
      hashes: async (level, first, count) =>
        Buffer.concat(Array.from({ length: count }, (_, i) => nodeAt(level, first + i) ?? new Uint8Array(0))),
    },
  };
  const { findings } = await verifyLog(reader, { key: KEY.verifier, head: headOf(BROAD), ...options });
  return findings.map(({ kind, from, to }) => `${kind} ${from}${to === null ? '' : ` to ${to}`}`);
}

describe('a hash that is kept and was changed alone is named, though the root agrees:', () => {
  const wrong = new Uint8Array(32).fill(5);

  test.each(['whole', 'hashes'] as const)('of an entry, and of nodes above some (%s)', async (depth) => {
    const table = tableOf(BROAD);
    expect(await keptFindings(BROAD, table, { depth }, { '0 17': wrong })).toEqual(['node 17']);
    expect(await keptFindings(BROAD, table, { depth }, { '4 3': wrong, '8 0': wrong })).toEqual(['node 48 to 63', 'node 0 to 255']);
  });

  test('one that is missing as well, and of many the first ones', async () => {
    const table = tableOf(BROAD.slice(0, 256));
    expect(await keptFindings(BROAD, table)).toEqual([...Array.from({ length: 10 }, (_, i) => `node ${256 + i}`), 'node null']);
  });

  test('where an entry was changed, the nodes above it are not named, too', async () => {
    const changed = BROAD.map((entry, i) => (i === 40 ? bytesOf(40, { actor: 'nobody' }) : entry));
    expect(await keptFindings(changed, tableOf(BROAD))).toEqual(['root 0 to 299', 'changed 40']);
  });

  test('an entry that was changed with its hash shows in the node above it', async () => {
    const changed = BROAD.map((entry, i) => (i === 40 ? bytesOf(40, { actor: 'nobody' }) : entry));
    expect(await keptFindings(changed, tableOf(BROAD), {}, { '0 40': leafHash(changed[40] as Uint8Array) })).toEqual([
      'root 0 to 299',
      'node 32 to 47',
    ]);
  });
});

describe('tampering is named, with its place:', () => {
  test.each<[string, readonly StoredEntry[], readonly string[]]>([
    ['an entry that was changed', withEntry(4, bytesOf(4, { result: 'failed' })), ['root 0', 'changed 4']],
    ['an entry that was removed', moved([0, 1, 2, 4, 5, 6, 7, 8]), ['removed 3']],
    ['several in a row', moved([0, 1, 5, 6, 7, 8]), ['removed 2']],
    ['the last ones', moved([0, 1, 2, 3, 4, 5]), ['removed 6']],
    ['one in between, and the last ones', moved([0, 1, 3, 4, 5]), ['removed 2', 'removed 5']],
    ['two that changed places', moved([0, 1, 3, 2, 4, 5, 6, 7, 8]), ['reordered 3', 'root 0', 'changed 2', 'changed 3']],
    ['two far from each other', moved([0, 7, 2, 3, 4, 5, 6, 1, 8]), ['reordered 7', 'reordered 1', 'root 0', 'changed 1', 'changed 7']],
    ['one that was moved to the front', moved([0, 7, 1, 2, 3, 4, 5, 6, 8]), ['reordered 7', 'root 0', 'changed 1']],
    ['some that were moved to the end', moved([0, 1, 4, 5, 6, 7, 8, 2, 3]), ['reordered 2', 'reordered 3', 'root 0', 'changed 2']],
    [
      'two neighbours with two others',
      moved([0, 5, 6, 3, 4, 1, 2, 7, 8]),
      ['reordered 5', 'reordered 1', 'reordered 2', 'root 0', 'changed 1'],
    ],
    ['two with the two after them', moved([0, 1, 4, 5, 2, 3, 6, 7, 8]), ['reordered 4', 'root 0', 'changed 2']],
    ['some in front, and one missing', moved([0, 5, 6, 1, 2, 3, 4, 8]), ['reordered 5', 'removed 7']],
    [
      'a copy in the place of another',
      moved([0, 7, 2, 3, 4, 5, 6, 7, 8]),
      ['reordered 7', 'duplicate 7', 'removed 1', 'root 0', 'changed 1'],
    ],
    ['a copy further in front', moved([0, 7, 1, 2, 3, 4, 5, 6, 7, 8]), ['reordered 7', 'duplicate 7', 'root 0', 'unsigned 9']],
    ['the last one in front', moved([8, 0, 1, 2, 3, 4, 5, 6, 7]), ['reordered 8', 'root 0', 'changed 0']],
    ['one that stands there twice', moved([0, 1, 1, 2, 3, 4, 5, 6, 7, 8]), ['duplicate 1', 'root 0', 'unsigned 9']],
    [
      'a time that is none',
      withEntry(
        4,
        Buffer.from(
          Buffer.from(LOG[4] ?? [])
            .toString()
            .replace('.004Z', 'Z'),
        ),
      ),
      ['timestamp 4', 'root 0', 'changed 4'],
    ],
    [
      'spaces',
      withEntry(
        4,
        Buffer.from(
          Buffer.from(LOG[4] ?? [])
            .toString()
            .replace(':', ': '),
        ),
      ),
      ['not_canonical 4', 'root 0', 'changed 4'],
    ],
    [
      'a member that is missing',
      withEntry(
        4,
        Buffer.from(
          Buffer.from(LOG[4] ?? [])
            .toString()
            .replace('"actor":"grace",', ''),
        ),
      ),
      ['shape 4', 'root 0', 'changed 4'],
    ],
    ['bytes that are no text', withEntry(4, Uint8Array.of(0xff, 0xfe)), ['not_canonical 4', 'root 0', 'changed 4']],
  ])('%s', async (_, entries, expected) => {
    const found = await findingsOf(entries, {}, LOG);
    expect(found.slice(0, expected.length)).toEqual(expected);
    const left = new Set(found.slice(expected.length).map((finding) => finding.split(' ')[0]));
    // Where everything has moved, each is another than it was.
    expect([...left].filter((kind) => kind !== 'changed')).toEqual([]);
  });

  test('what follows the head and can not be read', async () => {
    const reader = { ...readerOf(LOG), size: async () => 12 };
    for (const options of [{}, { unsignedSinceMs: 0 }]) {
      const { findings } = await verifyLog(reader, { key: KEY.verifier, head: headOf(LOG), ...options });
      expect(findings).toMatchObject([{ kind: 'torn', from: 9, to: 11 }]);
    }
  });

  test('a place at which reading ends, though it would go on if it began there', async () => {
    const whole = readerOf(LOG);
    const reader = { ...whole, entries: (from: number, to: number) => whole.entries(from, from < 6 ? Math.min(to, 6) : to) };
    const { findings } = await verifyLog(reader, { key: KEY.verifier, head: headOf(LOG) });
    expect(findings).toMatchObject([{ kind: 'torn', from: 6, to: 8 }]);
  });

  test('one that was put in between', async () => {
    const forged = [...LOG.slice(0, 4), bytesOf(4, { actor: 'nobody' }), ...LOG.slice(4)];
    expect(await findingsOf(forged)).toEqual(expect.arrayContaining(['inserted 4', 'unsigned 9']));
  });

  test('a change that even renumbers what follows, between two heads, where no hashes are kept', async () => {
    const forged = [...LOG.slice(0, 6), bytesOf(6, { actor: 'nobody' }), ...LOG.slice(7)];
    expect(await findingsOf(forged, { anchors: [headOf(LOG, [KEY], 5)] })).toEqual(['root 0', 'changed 5']);
  });

  test('a changed entry without reading the entries themselves', async () => {
    expect(await findingsOf(withEntry(4, bytesOf(4, { actor: 'nobody' })), { depth: 'hashes' }, LOG)).toEqual(['root 0', 'changed 4']);
  });

  test('a signature that is wrong, a key that nobody knows, another log, and no head', async () => {
    const head = headOf(LOG);
    // One bit of the signature, which the key id before it does not see.
    const [text = '', line = ''] = head.split('\n\n');
    const bytes = Buffer.from(line.trimEnd().split(' ')[2] ?? '', 'base64');
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    expect(await findingsOf(LOG, { head: `${text}\n\n— example.com/log ${bytes.toString('base64')}\n` })).toEqual(['signature']);
    expect(await findingsOf(LOG, { key: keyOf(2).verifier })).toEqual(['unknown_key']);
    expect(await findingsOf(LOG, { key: signerKeyOf('example.com/other', KEY.seed).verifier })).toEqual(['origin', 'unknown_key']);
    expect(await findingsOf(LOG, { head: null })).toEqual(['checkpoint']);
    expect(await findingsOf(LOG, { head: head.slice(0, -1) })).toEqual(['checkpoint']);
  });
});

describe('whoever has the key and writes another history is found by a head kept elsewhere:', () => {
  test('one that is shorter', async () => {
    const shorter = LOG.slice(0, 6);
    expect(await findingsOf(shorter, { head: headOf(shorter) })).toEqual([]);
    expect(await findingsOf(shorter, { head: headOf(shorter), anchors: [headOf(LOG)] })).toEqual(['truncated 6']);
    expect(await findingsOf(LOG, { head: headOf(shorter), anchors: [headOf(LOG)] })).toEqual(['unsigned 6', 'truncated 6']);
  });

  test('one that is another', async () => {
    const other = withEntry(2, bytesOf(2, { actor: 'nobody' }));
    expect(await findingsOf(other, { head: headOf(other) })).toEqual([]);
    expect(await findingsOf(other, { head: headOf(other), anchors: [headOf(LOG, [KEY], 4)] })).toEqual(['forked 0', 'changed 0']);
  });

  test('one that lies beside it, too', async () => {
    const shorter = LOG.slice(0, 6);
    expect(await findingsOf(shorter, { head: headOf(shorter), keptHead: headOf(LOG) })).toEqual(['truncated 6']);
    const other = withEntry(7, bytesOf(7, { actor: 'nobody' }));
    expect(await findingsOf(other, { head: headOf(other, [KEY], 5), keptHead: headOf(LOG) })).toEqual(
      expect.arrayContaining(['forked 0', 'unsigned 5']),
    );
    expect(await findingsOf(LOG, { keptHead: headOf(LOG, [KEY], 5) })).toEqual([]);
  });

  test('but only when that head is of this log and signed by its key', async () => {
    expect(await findingsOf(LOG, { anchors: [headOf(LOG, [keyOf(2)])] })).toEqual(['unknown_key']);
  });
});

describe('after the key was changed', () => {
  const NEXT = keyOf(2);
  const root = frontierRoot(LOG.reduce((f, entry) => appendLeaf(f, leafHash(entry)).frontier, EMPTY_FRONTIER));
  const handover = canonicalEntry({
    ...keyRotationEntry(KEY, NEXT, 9, root, 'operator:ann'),
    sequence: 9,
    timestamp: entryOf(9).timestamp,
  });
  const rotated = [...LOG, handover, bytesOf(10)];

  test('the old key leads to the new one, and the new one vouches for the old', async () => {
    for (const key of [KEY.verifier, NEXT.verifier])
      for (const depth of ['whole', 'hashes'] as const)
        expect(
          await findingsOf(rotated, {
            key,
            depth,
            head: headOf(rotated, [NEXT]),
            anchors: [headOf(LOG), headOf(rotated, [KEY, NEXT], 10)],
          }),
        ).toEqual([]);
  });

  test('the old one signs no more, and a stranger never did', async () => {
    expect(await findingsOf(rotated, { head: headOf(rotated, [KEY]) })).toEqual(['unknown_key']);
    expect(await findingsOf(rotated, { key: keyOf(3).verifier, head: headOf(rotated, [NEXT]) })).toEqual(['unknown_key']);
  });

  test('whoever hands over to the key of somebody else does not become one of its keys', async () => {
    // All that a forger needs of the victim is its public key.
    const forger = keyOf(7);
    const note = (text: string) => signNote(text, [forger]);
    const rootText = Buffer.from(root).toString('base64');
    const [from, to] = [forger.verifier, KEY.verifier].map(formatVerifierKey);
    const stolen = keyRotationEntry(NEXT, KEY, 9, root, 'grace').payload['handover'] as string;
    for (const handover of [
      note(`grace-audit-key-handover/v1\n${KEY.verifier.name}\n9\n${rootText}\n${to}\n`),
      note(`grace-audit-key-handover/v2\n${KEY.verifier.name}\n9\n${rootText}\n${from}\n${to}\n`),
      stolen,
    ]) {
      const entry = { ...keyRotationEntry(forger, KEY, 9, root, 'grace'), payload: { from: from ?? '', to: to ?? '', handover } };
      const forged = [...LOG, canonicalEntry(entryOf(9, entry))];
      expect(await findingsOf(forged, { head: headOf(forged, [forger]) })).toContain('unknown_key');
      expect(await findingsOf(forged, { head: headOf(LOG, [forger]) })).toContain('unknown_key');
    }
  });

  test('handovers between keys of somebody else are named, and the real ones before and after them still lead on', async () => {
    const log = [...LOG];
    const append = (draft: AuditDraft): void => void log.push(canonicalEntry(entryOf(log.length, draft)));
    const handOver = (from: SignerKey, to: SignerKey): void =>
      append(keyRotationEntry(from, to, log.length, rootOf(log.map(leafHash)), 'grace'));
    const [third, stranger, other] = [keyOf(3), keyOf(7), keyOf(8)];
    handOver(stranger, other); // 9
    handOver(KEY, NEXT); // 10
    handOver(other, stranger); // 11
    handOver(NEXT, third); // 12
    handOver(KEY, other); // 13: it hands over no more
    for (const { verifier } of [KEY, NEXT, third]) {
      const found = await findingsOf(log, { key: verifier, head: headOf(log, [third]), anchors: [headOf(LOG), headOf(log, [NEXT], 12)] });
      expect(found).toEqual(['key_rotation 9', 'key_rotation 11', 'key_rotation 13']);
    }
    expect(await findingsOf(log, { head: headOf(log, [other]) })).toContain('unknown_key');
    expect(await findingsOf(log, { key: keyOf(5).verifier, head: headOf(log, [third]) })).toEqual(['unknown_key']);
  });

  test('a handover that the old key did not sign is none', async () => {
    const entry = entryOf(9, { ...keyRotationEntry(KEY, NEXT, 8, root, 'operator:ann') });
    const forged = [...LOG, canonicalEntry(entry), bytesOf(10)];
    expect(await findingsOf(forged, { head: headOf(forged, [NEXT]) })).toEqual(['key_rotation 9', 'unknown_key']);
    expect(formatVerifierKey(NEXT.verifier)).toBe(entry.payload['to']);
  });
});

test('any damage to any log is found', async () => {
  // Prints its seed and the smallest failing case when it does not hold.
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      fc.nat(),
      fc.constantFrom('flip', 'drop', 'double', 'swap', 'cut'),
      async (size, a, b, how) => {
        const log = [...logOf(size)];
        const head = headOf(log);
        const [at, to] = [a % size, b % size];
        const damaged: Uint8Array[] = log.map((entry) => Uint8Array.from(entry));
        const entry = damaged[at] as Uint8Array;
        if (how === 'flip') entry[b % entry.length] = (entry[b % entry.length] ?? 0) ^ 1;
        if (how === 'drop') damaged.splice(at, 1);
        if (how === 'double') damaged.splice(to, 0, entry);
        if (how === 'swap') [damaged[at], damaged[to]] = [damaged[to] as Uint8Array, entry];
        if (how === 'cut') damaged.length = at;
        for (const depth of ['whole', 'hashes'] as const) {
          const { isIntact } = await verifyLog(readerOf(damaged), { key: KEY.verifier, head, depth });
          expect(isIntact).toBe(how === 'swap' && at === to);
        }
      },
    ),
    { numRuns: 150 },
  );
});
