import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  canonicalEntry,
  ENTRY_BYTES_MAX,
  formatSignerKey,
  inclusionProof,
  keyRotationEntry,
  leafHash,
  parseCheckpoint,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  signCheckpoint,
  signerKeyOf,
  verifyInclusion,
  verifyLog,
  type AuditDraft,
  type SignerKey,
  type Verification,
} from '../../../domains/audit/index.ts';
import { openStore } from '../index.ts';
import { openAuditLog, openAuditReader, whyClosed, type AuditLog } from './index.ts';
import type { AuditLogOptions } from './open-audit-log.ts';
import type { WalSync } from './wal-sync.ts';

const AT_MS = Date.parse('2026-03-01T00:00:00.000Z');
let nowMs = AT_MS;
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
let dir: string;
let path: string;
let logs: AuditLog[] = [];

beforeEach(async () => {
  nowMs = AT_MS;
  dir = mkdtempSync(join(tmpdir(), 'grace-audit-'));
  path = join(dir, 'grace.db');
  (await openStore(path)).close();
});
afterEach(async () => {
  const left = logs;
  logs = [];
  await Promise.all(left.map((log) => log.close()));
  rmSync(dir, { recursive: true, force: true });
});

async function open(options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const log = await openAuditLog({ path, service: 'orders', clock, redact: (text) => text, ...options });
  logs.push(log);
  return log;
}

/** Closed once only. */
async function close(log: AuditLog): Promise<void> {
  logs = logs.filter((one) => one !== log);
  await log.close();
}

function draft(payload: AuditDraft['payload'] = {}, parts: Partial<AuditDraft> = {}): AuditDraft {
  return { actor: 'grace', action: 'heal.plan', resource: 'svc/checkout', subsystem: 'healing', result: 'ok', payload, ...parts };
}

/** As somebody else with the file open would. */
function sql<T = Record<string, unknown>>(statement: string, ...values: (string | number | Uint8Array)[]): T[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare(statement).all(...values) as T[];
  } finally {
    database.close();
  }
}

async function verified(vkey?: string): Promise<Verification> {
  const reader = openAuditReader(path);
  try {
    const key = parseVerifierKey(vkey ?? (await reader.keys()).at(-1) ?? '');
    return await verifyLog(reader, { key, head: await reader.latestCheckpoint() });
  } finally {
    reader.close();
  }
}

async function storedTexts(): Promise<readonly string[]> {
  const reader = openAuditReader(path);
  const texts: string[] = [];
  for await (const page of reader.entries(0, Infinity))
    texts.push(...page.map((entry) => (entry instanceof Uint8Array ? Buffer.from(entry).toString() : 'dropped')));
  reader.close();
  return texts;
}

/** A sync that waits until it is let go, or fails; the ones after that do not wait. */
function heldSync(): WalSync & { release(error?: Error): void } {
  const held = Promise.withResolvers<void>();
  held.promise.catch(() => undefined);
  let isHeld = true;
  return {
    sync: () => (isHeld ? held.promise : Promise.resolve()),
    close: async () => undefined,
    release: (error) => {
      isHeld = false;
      if (error === undefined) held.resolve();
      else held.reject(error);
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const codeOf = (code: string) => expect.objectContaining({ code }) as unknown;

describe('what is stored', () => {
  it('proves each entry, whatever transactions it was written in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
        rmSync(dir, { recursive: true });
        dir = mkdtempSync(join(tmpdir(), 'grace-audit-'));
        path = join(dir, 'grace.db');
        (await openStore(path)).close();
        const log = await open();
        for (const size of sizes)
          await Promise.all(Array.from({ length: size }, (_, i) => log.append(draft({ i, size, text: 'é€😀"\n' }))));
        const head = parseCheckpoint(parseNote(await log.checkpoint()).text);
        await close(log);
        expect(head.size).toBe(sizes.reduce((sum, size) => sum + size, 0));
        expect(await verified()).toMatchObject({ isIntact: true, entriesRead: head.size, entriesDropped: 0 });
        const reader = openAuditReader(path);
        let index = 0;
        for await (const page of reader.entries(0, head.size))
          for (const entry of page) {
            const proof = await inclusionProof(index, head.size, (level, at) => reader.node(level, at));
            expect(verifyInclusion(leafHash(entry as Uint8Array), index++, head.size, proof, head.root)).toBe(true);
          }
        expect(index).toBe(head.size);
        reader.close();
      }),
      { numRuns: 8 },
    );
  });

  it('proves entries of a tree that has several stored levels', async () => {
    const log = await open();
    for (let row = 0; row < 42; row++) await log.record({ changes: [], entries: Array.from({ length: 100 }, (_, i) => draft({ i })) });
    const { size, root } = parseCheckpoint(parseNote(await log.checkpoint()).text);
    // As in a store of before, where level 4 had rows: nobody reads these.
    sql('insert into audit_nodes values (4, 0, zeroblob(32)), (4, 1, zeroblob(32))');
    await close(log);
    expect(sql('select level, count(*) as nodes from audit_nodes where level <> 4 group by level')).toEqual([
      { level: 8, nodes: 16 },
      { level: 12, nodes: 1 },
    ]);
    const reader = openAuditReader(path);
    for (let index = 0; index < size; index += 137) {
      const proof = await inclusionProof(index, size, (level, at) => reader.node(level, at));
      expect(verifyInclusion((await reader.node(0, index)) as Uint8Array, index, size, proof, root)).toBe(true);
    }
    // Incomplete, or not there at all.
    for (const [level, at] of [
      [1, 2100],
      [3, 525],
      [8, 16],
      [9, 8],
      [11, 2],
      [12, 1],
      [13, 0],
      [20, 0],
    ] as const)
      expect(await reader.node(level, at)).toBeNull();
    reader.close();
    expect(await verified()).toMatchObject({ isIntact: true, size: 4200 });
    sql('update audit_nodes set hash = zeroblob(32) where level = 12');
    expect((await verified()).findings.map(({ kind, from, to }) => [kind, from, to])).toEqual([['node', 0, 4095]]);
  });

  it('is read from any place to any other', async () => {
    const log = await open();
    await Promise.all(Array.from({ length: 700 }, (_, i) => log.append(draft({ i }))));
    const reader = openAuditReader(path);
    for (const [from, to] of [
      [0, 700],
      [5, 6],
      [31, 33],
      [300, 690],
      [690, 9999],
    ] as const) {
      const read: number[] = [];
      for await (const page of reader.entries(from, to))
        for (const entry of page) read.push((JSON.parse(Buffer.from(entry as Uint8Array).toString()) as { sequence: number }).sequence);
      expect(read).toEqual(Array.from({ length: Math.min(to, 700) - from }, (_, i) => from + i));
    }
    reader.close();
  });

  it('is the same bytes that the canonical form has', async () => {
    const log = await open();
    await log.append(draft({ b: [1, -0, 1.5e-9], a: { z: null, é: true } }));
    expect(await storedTexts()).toEqual([
      Buffer.from(
        canonicalEntry({
          ...draft({ b: [1, -0, 1.5e-9], a: { z: null, é: true } }),
          sequence: 0,
          timestamp: '2026-03-01T00:00:00.000Z',
        }),
      ).toString(),
    ]);
  });

  it('may be as large as an entry can be, and a byte more is refused and leaves nothing', async () => {
    const log = await open();
    const room = ENTRY_BYTES_MAX - canonicalEntry({ ...draft({ a: '' }), sequence: 0, timestamp: new Date(AT_MS).toISOString() }).length;
    const large = (bytes: number): AuditDraft => draft({ a: 'é'.repeat((bytes - (bytes % 2)) / 2) + 'x'.repeat(bytes % 2) });
    const results = await Promise.allSettled([
      log.append(large(room + 1)),
      ...Array.from({ length: 9 }, () => log.append(large(room))),
      log.append(large(room + 1)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', ...Array.from({ length: 9 }, () => 'fulfilled'), 'rejected']);
    expect((await storedTexts()).map((text) => Buffer.byteLength(text))).toEqual(Array.from({ length: 9 }, () => ENTRY_BYTES_MAX));
    // Rows stay of a size that a reader can hold.
    expect(sql('select first from audit_entries').length).toBeGreaterThan(1);
    await close(log);
    expect((await verified()).isIntact).toBe(true);
  });

  it('is refused where it would make a row that no reader takes, and so is all that came with it', async () => {
    const log = await open();
    const large = draft({ a: 'x'.repeat(65_000) });
    const many = (length: number) => log.record({ changes: [], entries: Array.from({ length }, () => large) });
    await log.append(draft());
    await expect(many(259)).rejects.toEqual(codeOf('GRACE_AUDIT_ENTRY_REFUSED'));
    await many(240);
    await log.checkpoint();
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 241 });
  });

  it('has no secret in it, neither in a text nor in a name', async () => {
    const log = await open({ redact: (text) => text.replaceAll('hunter2', '…') });
    await log.append(draft({ list: ['key hunter2'], hunter2: { deep: 'hunter2' } }, { actor: 'operator:hunter2', resource: 'db/hunter2' }));
    await close(log);
    expect((await storedTexts())[0]).toContain('"list":["key …"],"…":{"deep":"…"}');
    for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) expect(readFileSync(path + suffix).includes('hunter2')).toBe(false);
  });
});

describe('a change and the entry that tells of it', () => {
  const change = (name: string) => ({ sql: 'insert into things (name) values (?)', parameters: [name] });
  const things = (): unknown[] => sql<{ name: string }>('select name from things order by name').map(({ name }) => name);
  beforeEach(() => void sql('create table things (name text primary key)'));

  it('are stored together', async () => {
    const log = await open();
    expect(await log.record({ changes: [change('a'), change('b')], entries: [draft({ n: 1 }), draft({ n: 2 })] })).toEqual([0, 1]);
    expect(things()).toEqual(['a', 'b']);
  });

  it('are both not stored when a change fails, and others of the same transaction are', async () => {
    const log = await open();
    const results = await Promise.allSettled([
      log.append(draft({ n: 0 })),
      log.record({ changes: [change('a'), change('a')], entries: [draft({ n: 1 }), draft({ n: 2 })] }),
      log.record({ changes: [change('b')], entries: [draft({ n: 3 })] }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(things()).toEqual(['b']);
    expect((await storedTexts()).map((text) => (JSON.parse(text) as { payload: { n: number } }).payload.n)).toEqual([0, 3]);
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 2 });
  });

  it('are both not stored when the entry is refused', async () => {
    const log = await open();
    const large = draft({ a: 'x'.repeat(ENTRY_BYTES_MAX) });
    await expect(log.record({ changes: [change('a')], entries: [draft(), large] })).rejects.toEqual(codeOf('GRACE_AUDIT_ENTRY_REFUSED'));
    await expect(log.record({ changes: [change('a')], entries: [draft({ n: NaN })] })).rejects.toEqual(codeOf('GRACE_AUDIT_ENTRY_REFUSED'));
    expect(things()).toEqual([]);
    expect(await log.append(draft())).toEqual({ sequence: 0 });
  });
});

describe('the key', () => {
  it('is readable by its owner alone, and refused when it is readable by others', async () => {
    await close(await open());
    const key = join(dir, 'audit.key');
    chmodSync(key, 0o640);
    await expect(open()).rejects.toEqual(codeOf('GRACE_AUDIT_KEY_UNUSABLE'));
    await expect(open()).rejects.toThrow('0640');
    chmodSync(key, 0o600);
    await open();
  });

  it('is none, nor is the head beside it, where a pipe lies there: nobody waits for it', async () => {
    await close(await open());
    for (const name of ['audit.head', 'audit.key']) {
      rmSync(join(dir, name), { force: true });
      expect(spawnSync('mkfifo', ['-m', '600', join(dir, name)]).status).toBe(0);
    }
    await expect(open()).rejects.toThrow('it is no key file');
    rmSync(join(dir, 'audit.key'));
    expect((await open()).damage).toBeNull();
  });

  it('is not made anew for a log that has entries, nor replaced by another', async () => {
    const log = await open();
    await log.append(draft());
    await close(log);
    rmSync(join(dir, 'audit.key'));
    await expect(open()).rejects.toThrow('it is gone');
    writeFileSync(join(dir, 'audit.key'), `${formatSignerKey(signerKeyOf(log.origin, new Uint8Array(32).fill(1)))}\n`, { mode: 0o600 });
    await expect(open()).rejects.toThrow('not the key that the log recorded last');
  });

  it('hands over to another in an entry, and who knows the first can check what the next one signs', async () => {
    const log = await open();
    await log.append(draft());
    const first = log.verifierKey;
    await log.rotateKey('operator:ann');
    const second = log.verifierKey;
    expect(second).not.toBe(first);
    await log.append(draft());
    await log.rotateKey('operator:ann');
    await close(log);
    expect((await storedTexts()).map((text) => (JSON.parse(text) as { action: string }).action)).toEqual([
      'heal.plan',
      'audit.key_rotated',
      'heal.plan',
      'audit.key_rotated',
    ]);
    for (const vkey of [first, second, log.verifierKey]) expect(await verified(vkey)).toMatchObject({ isIntact: true, entriesRead: 4 });
    expect(existsSync(join(dir, 'audit.key.next'))).toBe(false);
    expect((await open()).damage).toBeNull();
  });

  it('that another process handed over to is followed', async () => {
    const [one, other] = [await open(), await open()];
    await one.append(draft());
    await other.append(draft());
    await one.rotateKey('operator:ann');
    expect(await other.append(draft())).toEqual({ sequence: 3 });
    expect(other.verifierKey).toBe(one.verifierKey);
    await other.rotateKey('operator:bo');
    await one.append(draft());
    const first = sql<{ vkey: string }>('select vkey from audit_keys order by number')[0]?.vkey;
    await close(other);
    await close(one);
    expect(await verified(first)).toMatchObject({ isIntact: true, entriesRead: 6 });
  });

  it('that two processes rotate one after the other, without having seen each other, is handed on twice', async () => {
    const [one, other] = [await open(), await open()];
    await one.append(draft());
    const first = one.verifierKey;
    await Promise.all([one.rotateKey('operator:ann'), other.rotateKey('operator:bo')]);
    await one.append(draft());
    await close(other);
    await close(one);
    expect(sql('select vkey from audit_keys')).toHaveLength(3);
    expect(await verified(first)).toMatchObject({ isIntact: true, entriesRead: 4 });
    expect(existsSync(join(dir, 'audit.key.next'))).toBe(false);
    const next = await open();
    expect(next.damage).toBeNull();
    expect(next.verifierKey).toBe(sql<{ vkey: string }>('select vkey from audit_keys order by number desc')[0]?.vkey);
  });

  it('stays with the user whose key it was, when the administrator rotates it (needs root)', async ({ skip }) => {
    if (process.geteuid?.() !== 0) return skip();
    const log = await open();
    await log.append(draft());
    const key = join(dir, 'audit.key');
    chownSync(key, 4321, 4321);
    await log.rotateKey('operator:root');
    expect(statSync(key)).toMatchObject({ uid: 4321, gid: 4321 });
    expect(statSync(key).mode & 0o777).toBe(0o600);
  });

  it('does not sign over what somebody else put behind its last head: another handover, or an entry that is not what its hash says', async () => {
    const put = (text: Uint8Array, leaf = leafHash(text)): void =>
      void sql('insert into audit_entries values (?, ?, ?)', 3, leaf, Buffer.concat([Uint8Array.of(0), text]));
    const log = await open();
    for (let i = 0; i < 3; i++) await log.append(draft({ i }));
    const { root } = parseCheckpoint(parseNote(await log.checkpoint()).text);
    const [a, b] = [1, 2].map((seed) => signerKeyOf(log.origin, new Uint8Array(32).fill(seed))) as [SignerKey, SignerKey];
    const stamped = { sequence: 3, timestamp: new Date(nowMs).toISOString() };
    const handover = canonicalEntry({ ...keyRotationEntry(a, b, 3, root, 'grace'), ...stamped });
    put(handover);
    await expect(log.append(draft())).rejects.toThrow(/entry 3 hands over to another key/);
    await close(log);
    // The next start says so, and a person may set it aside.
    const second = await open();
    expect(second.damage).toMatchObject({ kind: 'tail', sequence: 3, why: expect.stringContaining('hands over') as string });
    await second.reopen({ actor: 'operator:ann', reason: 'it is not ours' });
    await close(second);
    expect(await verified()).toMatchObject({ isIntact: true, size: 4 });

    const third = await open();
    await third.append(draft());
    sql(
      'insert into audit_entries values (?, ?, ?)',
      5,
      leafHash(handover),
      Buffer.concat([Uint8Array.of(0), canonicalEntry({ ...draft(), ...stamped })]),
    );
    await expect(third.append(draft())).rejects.toThrow(/entry 5 is not what its hash says/);
  });

  it('that was handed over to when Grace was cut off signs after the next start', async () => {
    const sync = heldSync();
    const log = await open({ sync });
    const rotation = log.rotateKey('operator:ann');
    await turn();
    sync.release(new Error('EIO'));
    await expect(rotation).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
    await close(log);
    const next = await open();
    expect(next.damage).toBeNull();
    expect(next.verifierKey).toBe(sql<{ vkey: string }>('select vkey from audit_keys order by number desc')[0]?.vkey);
    expect(next.verifierKey).not.toBe(log.verifierKey);
    await next.append(draft());
    await close(next);
    expect(await verified(log.verifierKey)).toMatchObject({ isIntact: true, entriesRead: 2 });
  });
});

describe('retention', () => {
  it('drops old entries and keeps their proofs, the entries of the log about itself, and what is younger', async () => {
    const log = await open();
    await Promise.all(Array.from({ length: 50 }, (_, i) => log.append(draft({ i }))));
    await log.rotateKey('operator:ann');
    nowMs += 60_000;
    await Promise.all(Array.from({ length: 50 }, (_, i) => log.append(draft({ i }))));
    const head = await log.checkpoint();
    expect(await log.dropPayloads({ olderThanMs: AT_MS + 1000, actor: 'grace', reason: 'so' })).toBe(50);
    expect(await log.dropPayloads({ olderThanMs: AT_MS + 1000, actor: 'grace', reason: 'so' })).toBe(0);
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 102, entriesDropped: 50 });
    const texts = await storedTexts();
    expect(texts.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 'dropped'));
    expect(texts[50]).toContain('audit.key_rotated');
    expect(texts[101]).toContain('"action":"audit.payloads_dropped"');
    expect(texts[101]).toContain('"before":51,"from":0,"kept":[50],');
    expect(readFileSync(path).includes('"i":49')).toBe(true);
    const reader = openAuditReader(path);
    const { size, root } = parseCheckpoint(parseNote(head).text);
    const proof = await inclusionProof(7, size, (level, at) => reader.node(level, at));
    expect(verifyInclusion((await reader.node(0, 7)) as Uint8Array, 7, size, proof, root)).toBe(true);
    reader.close();
    expect((await open()).damage).toBeNull();
    // Nor may anybody else take them out now and call it retention.
    const [row] = sql<{ first: number; leaves: Uint8Array }>(
      'select first, leaves from audit_entries where first <= 50 order by first desc limit 1',
    );
    expect([row?.first, row?.leaves.length]).toEqual([50, 32]);
    sql(`update audit_entries set bodies = x'00' where first = 50`);
    expect((await verified()).findings).toContainEqual(expect.objectContaining({ kind: 'dropped', from: 50 }));
  });

  it('takes no entry for old because of others that a wrong clock wrote, and is not held up by those from the future', async () => {
    const log = await open();
    const write = async (atMs: number, count: number): Promise<void> => {
      nowMs = atMs;
      await Promise.all(Array.from({ length: count }, (_, i) => log.append(draft({ i }))));
    };
    const day = 86_400_000;
    await write(AT_MS, 10);
    await write(AT_MS + 4000 * day, 40);
    await write(AT_MS + 20 * day, 10);
    await write(0, 25);
    await write(AT_MS + 21 * day, 3);
    const drop = () => log.dropPayloads({ olderThanMs: nowMs - 20 * day, actor: 'grace', reason: 'so' });
    expect(await drop()).toBe(50);
    nowMs = AT_MS + 40 * day + 1;
    expect(await drop()).toBe(35);
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesDropped: 85 });
  });

  it('what was dropped is in none of the files of the store', async () => {
    const log = await open();
    // Of its own pages, and among others.
    for (const note of ['short', 'long'.repeat(4000)]) await log.append(draft({ note: `dropped canary ${note}` }));
    nowMs += 60_000;
    await log.append(draft({ note: 'kept canary' }));
    expect(await log.dropPayloads({ olderThanMs: AT_MS + 1000, actor: 'grace', reason: 'so' })).toBe(2);
    await close(log);
    const bytes = Buffer.concat(readdirSync(dir).map((name) => readFileSync(join(dir, name))));
    expect(bytes.includes('kept canary')).toBe(true);
    expect(bytes.includes('dropped canary')).toBe(false);
    expect(bytes.includes('longlonglong')).toBe(false);
  });
});

describe('verify names, though the signed root agrees,', () => {
  /** 40 entries, five a row, all signed. */
  async function filled(rows = 8): Promise<void> {
    const log = await open();
    for (let row = 0; row < rows; row++) await log.record({ changes: [], entries: Array.from({ length: 5 }, (_, i) => draft({ i })) });
    await close(log);
  }
  const places = async () => (await verified()).findings.map(({ kind, from, to }) => [kind, from, to]);

  it('a hash of an entry that was changed in the store', async () => {
    await filled();
    expect(await places()).toEqual([]);
    const { leaves } = sql<{ leaves: Uint8Array }>('select leaves from audit_entries where first = 10')[0] as { leaves: Uint8Array };
    sql('update audit_entries set leaves = ? where first = 10', leaves.fill(7, 64, 96));
    expect(await places()).toEqual([['node', 12, null]]);
  });

  it('a row whose hashes are no bytes any more', async () => {
    await filled();
    sql(`update audit_entries set leaves = printf('%.160c', 'x') where first = 10`);
    expect(await places()).toEqual([['torn', 10, 39]]);
  });

  it('a row that is gone, and what it held', async () => {
    await filled();
    sql('delete from audit_entries where first = 10');
    expect(await places()).toEqual([['removed', 10, 14]]);
  });

  it('a second row for entries that another has, whichever of them a reader would come to', async () => {
    const log = await open();
    const long = 'x'.repeat(20_000);
    for (let row = 0; row < 3; row++) await log.record({ changes: [], entries: Array.from({ length: 5 }, () => draft({ long })) });
    await close(log);
    for (const first of [0, 10]) {
      const [row] = sql<{ leaves: Uint8Array; bodies: Uint8Array }>('select leaves, bodies from audit_entries where first = ?', first);
      const own = Buffer.from(row?.bodies ?? []);
      // Its hashes are right, so that none of them tells.
      const other = Buffer.from(own.subarray(own.indexOf(0, 1)).toString().replaceAll('"grace"', '"nobody"'));
      sql('insert into audit_entries values (?, ?, ?)', first + 1, row?.leaves.subarray(32) ?? own, other);
      expect(await places()).toContainEqual(['torn', first, 14]);
      const reader = openAuditReader(path);
      const read: unknown[] = [];
      for await (const page of reader.entries(first + 2, 15)) read.push(...page);
      reader.close();
      expect(read).toEqual([]);
      sql('delete from audit_entries where first = ?', first + 1);
      expect(await places()).toEqual([]);
    }
  });

  it.each([
    'update audit_nodes set hash = randomblob(32)',
    `update audit_nodes set hash = printf('%.32c', 'x')`,
    'delete from audit_nodes',
  ])('a node above entries after: %s', async (statement) => {
    await filled(64);
    sql(`${statement} where level = 8 and position = 0`);
    expect(await places()).toEqual([['node', 0, 255]]);
  });

  it('contents that somebody else than retention took out', async () => {
    nowMs += 60_000;
    const log = await open();
    for (let i = 0; i < 6; i++) {
      nowMs += 1000;
      await log.append(draft({ i }));
    }
    expect(await log.dropPayloads({ olderThanMs: AT_MS + 63_000, actor: 'grace', reason: 'so' })).toBe(2);
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesDropped: 2 });
    sql('update audit_entries set bodies = zeroblob(1) where first in (3, 4)');
    expect(await places()).toEqual([['dropped', 3, 4]]);
  });
});

describe('the newest head is kept beside the key, and', () => {
  const kept = (): string => readFileSync(join(dir, 'audit.head'), 'utf8');
  /** Ten entries, of which the store had a head when there were four. */
  async function ten(): Promise<{ readonly four: string; readonly last: string }> {
    const log = await open();
    for (let i = 0; i < 4; i++) await log.append(draft({ i }));
    const four = await log.checkpoint();
    copyFileSync(path, join(dir, 'older.db'));
    copyFileSync(`${path}-wal`, join(dir, 'older.db-wal'));
    await log.record({ changes: [], entries: Array.from({ length: 6 }, (_, i) => draft({ i })) });
    const last = await log.checkpoint();
    await close(log);
    return { four, last };
  }
  /** The last row with another last entry, hashed as it must be, by somebody without the key. */
  function rewrite(): void {
    const [row] = sql<{ first: number; leaves: Uint8Array; bodies: Uint8Array }>(
      'select first, leaves, bodies from audit_entries order by first desc limit 1',
    );
    const at = (row?.bodies.lastIndexOf(0) ?? 0) + 1;
    const other = canonicalEntry({ ...draft({ i: 99 }), sequence: 9, timestamp: new Date(AT_MS).toISOString() });
    const bodies = Buffer.concat([row?.bodies.subarray(0, at) ?? other, other]);
    sql(
      'update audit_entries set leaves = ?, bodies = ? where first = 4',
      Buffer.concat([row?.leaves.subarray(0, -32) ?? other, leafHash(other)]),
      bodies,
    );
  }
  const refused = async (log: AuditLog): Promise<void> => expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));

  it('is no further than the log on the disk', async () => {
    const sync = heldSync();
    const log = await open({ sync });
    const signing = log.append(draft()).then(() => log.checkpoint());
    await new Promise((resolve) => setImmediate(resolve));
    expect(existsSync(join(dir, 'audit.head'))).toBe(false);
    sync.release();
    const signed = await signing;
    expect(kept()).toBe(signed);
    expect(readdirSync(dir).filter((name) => name.startsWith('audit.head'))).toEqual(['audit.head']);
  });

  it.each([
    ['not at once', 0, false],
    ['after a while', 250, true],
  ])('is kept while more is coming %s, and the last one always', async (_, waitedMs, isKept) => {
    const releases: (() => void)[] = [];
    const sync = { sync: () => new Promise<void>((resolve) => releases.push(resolve)), close: async () => undefined };
    const log = await open({ sync, limits: { entries: 10_000 } });
    const release = async (): Promise<void> => {
      while (releases.length === 0) await turn();
      releases.shift()?.();
    };
    // So many that they are signed with them.
    const signed = (): Promise<unknown> => log.record({ changes: [], entries: Array.from({ length: 4096 }, (_, i) => draft({ i })) });
    const heads = (): readonly string[] =>
      sql<{ note: string }>('select note from audit_checkpoints order by size').map(({ note }) => note);
    const one = signed();
    await release();
    await one;
    const [first] = heads();
    expect(kept()).toBe(first);
    const two = signed();
    await turn();
    nowMs += waitedMs;
    const three = signed();
    await turn();
    await release();
    await two;
    const [, second, third] = heads();
    expect(kept()).toBe(isKept ? second : first);
    await release();
    await three;
    expect(third).toBeDefined();
    expect(kept()).toBe(third);
  });

  it('a log that was killed between the two goes on, as one without it or with a torn one', async () => {
    const { four, last } = await ten();
    for (const before of [four, '', last.slice(0, 30), null]) {
      if (before === null) rmSync(join(dir, 'audit.head'));
      else writeFileSync(join(dir, 'audit.head'), before);
      const log = await open();
      expect(log.damage).toBeNull();
      await log.append(draft());
      const head = await log.checkpoint();
      await close(log);
      expect(kept()).toBe(head);
    }
    expect(await verified()).toMatchObject({ isIntact: true, size: 14 });
  });

  it('a head that only the file has left does not hide that the entries are those', async () => {
    await ten();
    sql('delete from audit_checkpoints where size > 4');
    const log = await open();
    expect(log.damage).toBeNull();
  });

  it('a store that was put back to an older state is not signed on, until a person says so', async () => {
    await ten();
    for (const name of ['', '-wal']) copyFileSync(join(dir, `older.db${name}`), `${path}${name}`);
    const log = await open();
    expect(log.damage).toEqual({ kind: 'tail', sequence: 4, why: expect.stringContaining('10 entries') as unknown });
    await refused(log);
    await log.reopen({ actor: 'operator:ann', reason: 'from a backup' });
    await log.append(draft());
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, size: 6 });
    expect((await storedTexts())[4]).toContain('put back to an older state');
    expect((await open()).damage).toBeNull();
  });

  it('a store that is gone is not begun anew unasked', async () => {
    await ten();
    for (const name of ['', '-wal', '-shm']) rmSync(`${path}${name}`, { force: true });
    (await openStore(path)).close();
    const log = await open();
    expect(log.damage).toMatchObject({ kind: 'tail', sequence: 0 });
    await refused(log);
  });

  it('an end that was written anew without the key is not signed, though each entry has its hash', async () => {
    await ten();
    sql('delete from audit_checkpoints where size > 4');
    rewrite();
    const log = await open();
    expect(log.damage).toEqual({ kind: 'tail', sequence: 4, why: expect.stringContaining('written anew') as unknown });
    await refused(log);
    await log.reopen({ actor: 'operator:ann', reason: 'somebody was here' });
    expect(sql('select first from audit_set_aside')).toEqual([{ first: 4 }]);
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, size: 5 });
  });

  it('a history that was signed in its place, or another log, is told apart', async () => {
    const { four } = await ten();
    const key = parseSignerKey(readFileSync(join(dir, 'audit.key'), 'utf8').trim());
    const { origin, size } = parseCheckpoint(parseNote(four).text);
    const other = { origin, size, root: new Uint8Array(32) };
    writeFileSync(join(dir, 'audit.head'), signCheckpoint(other, [key]));
    const log = await open();
    expect(log.damage).toMatchObject({ kind: 'signed', sequence: 4 });
    await close(log);
    writeFileSync(join(dir, 'audit.head'), signCheckpoint({ ...other, size: 99 }, [signerKeyOf(origin, new Uint8Array(32).fill(3))]));
    expect((await open()).damage).toBeNull();
  });
});

it('takes no more once it closes, so that all it took has a head', async () => {
  const log = await open();
  const before = log.append(draft());
  const closing = close(log);
  await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
  await Promise.all([before, closing]);
  expect(await verified()).toMatchObject({ isIntact: true, size: 1 });
});

describe('why the log would take no entries is known without opening it for them:', () => {
  it('nothing keeps it from that', async () => {
    expect(await whyClosed(path)).toBeNull();
    const log = await open();
    await log.append(draft());
    expect(await whyClosed(path)).toBeNull();
    await close(log);
    expect(await whyClosed(path)).toBeNull();
  });

  it.each([
    ['its key is gone', () => rmSync(join(dir, 'audit.key')), /key .* is gone/],
    ['others may read its key', () => chmodSync(join(dir, 'audit.key'), 0o644), /others than its owner/],
    ['it was cut off', () => sql('delete from audit_entries where first = 1'), /covers 2 entries, and there are 1/],
    [
      'its head is of another key',
      () => sql(`update audit_checkpoints set note = replace(note, '— ', '— x')`),
      /not signed|another log|malformed/,
    ],
  ])('%s', async (_, damage, why) => {
    const log = await open();
    await log.append(draft());
    await log.append(draft());
    await close(log);
    damage();
    expect(await whyClosed(path)).toMatch(why);
    const again = await open().catch(() => null);
    await expect(again?.append(draft()) ?? Promise.reject(new Error('it does not even open'))).rejects.toThrow();
  });
});

describe('a damaged end', () => {
  /** 40 entries in rows of five, of which a checkpoint covers 12: it ends within a row. */
  async function damaged(statement: string, ...values: (string | number | Uint8Array)[]): Promise<AuditLog> {
    const log = await open();
    const five = Array.from({ length: 5 }, (_, i) => draft({ i }));
    let head = '';
    for (let row = 0; row < 8; row++) {
      await log.record({ changes: [], entries: row === 2 ? five.slice(0, 2) : five });
      if (row === 2) {
        head = await log.checkpoint();
        await log.record({ changes: [], entries: five.slice(2) });
      }
    }
    await close(log);
    // As if it had been killed before it signed the rest.
    sql('delete from audit_checkpoints where size <> 12');
    writeFileSync(join(dir, 'audit.head'), head);
    sql(statement, ...values);
    return open();
  }

  const other = canonicalEntry({ ...draft({ i: 9 }), sequence: 27, timestamp: new Date(AT_MS).toISOString() });
  const liar = Buffer.concat([Uint8Array.of(0), other]);
  it.each<[string, number, string, ...(string | number | Uint8Array)[]]>([
    ['a row that is cut off', 25, 'update audit_entries set bodies = substr(bodies, 1, length(bodies) - 400) where first = 25'],
    ['a row whose hashes are cut off', 25, 'update audit_entries set leaves = substr(leaves, 1, 40) where first = 25'],
    ['an empty row', 25, `update audit_entries set bodies = x'' where first = 25`],
    ['an entry that lost its last byte', 29, 'update audit_entries set bodies = substr(bodies, 1, length(bodies) - 1) where first = 25'],
    ['a changed hash', 25, `update audit_entries set leaves = zeroblob(32) || substr(leaves, 33) where first = 25`],
    ['a row that is not there', 25, 'delete from audit_entries where first = 25'],
    ['a row of another place', 25, 'update audit_entries set first = 26 where first = 25'],
    [
      'an entry that calls itself another',
      40,
      'insert into audit_entries (first, leaves, bodies) values (40, ?, ?)',
      leafHash(other),
      liar,
    ],
    ['a row whose hashes are a number', 25, 'update audit_entries set leaves = 7 where first = 25'],
    ['a row that is longer than any', 25, 'update audit_entries set bodies = zeroblob(17000000) where first = 25'],
    ['a row whose hashes are more than any has', 25, 'update audit_entries set leaves = zeroblob(17000000) where first = 25'],
    ['a row of a place that is no number', 40, `insert into audit_entries values (9007199254740993, zeroblob(32), x'0041')`],
    ['an entry without content', 40, `insert into audit_entries (first, leaves, bodies) values (40, zeroblob(32), x'00')`],
  ])('is found: %s; it takes no entries until a person says so, and verifies then', async (_, sequence, statement, ...values) => {
    const log = await damaged(statement, ...values);
    expect(log.damage).toMatchObject({ kind: 'tail', sequence });
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
    const before = await storedTexts();
    await log.reopen({ actor: 'operator:ann', reason: 'the disk was full' });
    expect(log.damage).toBeNull();
    expect(await log.append(draft({ after: true }))).toEqual({ sequence: sequence + 1 });
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: sequence + 2 });
    const texts = await storedTexts();
    expect(texts.slice(0, sequence)).toEqual(before.slice(0, sequence));
    expect(JSON.parse(texts[sequence] ?? '')).toMatchObject({ action: 'audit.reopened', payload: { reason: 'the disk was full' } });
    expect((await open()).damage).toBeNull();
  });

  it.each([
    ['a node that was not written', 'delete from audit_nodes where level = 8 and position = 1'],
    ['a node that was changed', 'update audit_nodes set hash = zeroblob(32) where level = 8 and position = 1'],
  ])('is found: %s; it takes no entries until a person says so, and verifies then', async (_, statement) => {
    const log = await open();
    await log.append(draft());
    const head = await log.checkpoint();
    await log.record({ changes: [], entries: Array.from({ length: 599 }, (_, i) => draft({ i })) });
    await close(log);
    sql('delete from audit_checkpoints where size > 1');
    writeFileSync(join(dir, 'audit.head'), head);
    sql(statement);
    const next = await open();
    expect(next.damage).toMatchObject({ kind: 'tail', sequence: 511 });
    await next.reopen({ actor: 'operator:ann', reason: 'the disk was full' });
    await close(next);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 512 });
  });

  it('is a node that is no hash, above what a checkpoint covers', async () => {
    const log = await open();
    await Promise.all(Array.from({ length: 600 }, (_, i) => log.append(draft({ i }))));
    await close(log);
    for (const hash of [`x'00'`, '5', `printf('%.32c', 'x')`]) {
      sql(`update audit_nodes set hash = ${hash} where level = 8 and position = 1`);
      expect((await open()).damage).toMatchObject({ kind: 'signed', why: expect.stringContaining('lacks node') as string });
    }
  });

  it('is not a node that lies where the next one comes: it is written over', async () => {
    const log = await open();
    await log.append(draft());
    sql(`insert into audit_nodes values (8, 0, x'00'), (8, 1, zeroblob(32))`);
    await Promise.all(Array.from({ length: 600 }, (_, i) => log.append(draft({ i }))));
    await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, size: 601 });
  });

  it('that another process has mended already is not set aside once more', async () => {
    const log = await damaged(`update audit_entries set bodies = x'' where first = 25`);
    const other = await open();
    await other.reopen({ actor: 'operator:bo', reason: 'first' });
    await expect(log.reopen({ actor: 'operator:ann', reason: 'second' })).rejects.toThrow('somebody else mended it meanwhile');
    await close(other);
    expect((await storedTexts()).filter((text) => text.includes('audit.reopened'))).toHaveLength(1);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 26 });
  });

  it.each([
    ['entries that a checkpoint covers are gone', 'delete from audit_entries where first >= 5'],
    ['a checkpoint is kept for a size that is no number', `insert into audit_checkpoints values (9007199254740993, 0, 'x')`],
    ['a covered hash was changed', 'update audit_entries set leaves = zeroblob(160) where first = 5'],
    ['the checkpoint is not what was signed', 'update audit_checkpoints set note = substr(note, 1, 40) || upper(substr(note, 41))'],
    ['the checkpoint is kept for another size', 'update audit_checkpoints set size = 11'],
  ])('is beyond mending when %s', async (_, statement) => {
    const log = await damaged(statement);
    expect(log.damage).toMatchObject({ kind: 'signed' });
    await expect(log.reopen({ actor: 'operator:ann', reason: 'so' })).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
  });

  it('is beyond mending when the checkpoint is of another key', async () => {
    await damaged('select 1').then(close);
    sql('delete from audit_keys');
    const note = sql<{ note: string }>('select note from audit_checkpoints order by size')[0]?.note ?? '';
    const origin = note.slice(0, note.indexOf('\n'));
    writeFileSync(join(dir, 'audit.key'), `${formatSignerKey(signerKeyOf(origin, new Uint8Array(32).fill(1)))}\n`);
    const log = await open();
    expect(log.damage).toMatchObject({ kind: 'signed', why: expect.stringContaining('not signed by the key of this log') as unknown });
  });

  it('that is made while the log is open closes it', async () => {
    const log = await open();
    await log.append(draft({ i: 0 }));
    await log.append(draft({ i: 1 }));
    sql('update audit_entries set leaves = zeroblob(32) where first = 1');
    await expect(log.append(draft())).rejects.toThrow('somebody changed it');
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
  });
});

describe('when the disk or the lock does not come', () => {
  it('nothing is said to be stored before the sync, and one sync answers all who wait', async () => {
    const sync = heldSync();
    const log = await open({ sync });
    let told = 0;
    const appends = Array.from({ length: 10 }, () => log.append(draft()).then(() => told++));
    for (let i = 0; i < 5; i++) await turn();
    expect(told).toBe(0);
    expect(await storedTexts()).toHaveLength(10);
    sync.release();
    await Promise.all(appends);
    expect(told).toBe(10);
  });

  it('a reader hands out a signed head only after it made sure that it is on the disk', async () => {
    const log = await open();
    await log.append(draft());
    const note = await log.checkpoint();
    let synced = 0;
    const reader = openAuditReader(path, async () => void synced++);
    expect(await reader.latestCheckpoint()).toBe(note);
    expect(synced).toBe(1);
    expect(await Array.fromAsync(reader.checkpoints())).toContainEqual({ size: 1, note });
    expect(synced).toBe(2);
    reader.close();
    const failing = openAuditReader(path, () => Promise.reject(new Error('EIO')));
    await expect(failing.latestCheckpoint()).rejects.toThrow('EIO');
    failing.close();
  });

  it('a failed sync closes the log, and the next start finds out what was stored', async () => {
    const sync = heldSync();
    const log = await open({ sync });
    const append = log.append(draft());
    await turn();
    const later = log.append(draft());
    sync.release(new Error('EIO'));
    for (const one of [append, later, log.append(draft())]) await expect(one).rejects.toEqual(codeOf('GRACE_AUDIT_CLOSED'));
    await close(log);
    const next = await open();
    expect(next.damage).toBeNull();
    await next.append(draft());
    await close(next);
    expect((await verified()).isIntact).toBe(true);
  });

  it('no more is taken than may wait', async () => {
    const sync = heldSync();
    const log = await open({ sync, limits: { entries: 3 } });
    const taken = Array.from({ length: 3 }, () => log.append(draft()));
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_QUEUE_FULL'));
    await turn();
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_QUEUE_FULL'));
    sync.release();
    await Promise.all(taken);
    expect(await log.append(draft())).toEqual({ sequence: 3 });
  });

  it('no more bytes are taken than may wait, though one entry always is', async () => {
    const sync = heldSync();
    const log = await open({ sync, limits: { bytes: 1000 } });
    const taken = log.append(draft({ a: 'x'.repeat(2000) }));
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_QUEUE_FULL'));
    await turn();
    sync.release();
    await taken;
  });

  it('waits while another has the lock, gives up when that lasts, and takes entries again afterwards', async () => {
    const log = await open({ limits: { busyMs: 20 } });
    const holder = new DatabaseSync(path);
    holder.exec('begin immediate');
    const waiting = log.append(draft());
    await turn();
    holder.exec('rollback');
    expect(await waiting).toEqual({ sequence: 0 });
    holder.exec('begin immediate');
    await expect(log.append(draft())).rejects.toEqual(codeOf('GRACE_AUDIT_STORE_BUSY'));
    holder.exec('rollback');
    holder.close();
    expect(await log.append(draft())).toEqual({ sequence: 1 });
  });

  it('two logs on one store take turns, without a gap', async () => {
    const both = [await open(), await open()];
    const all = await Promise.all(
      both.flatMap((log) => Array.from({ length: 100 }, async (_, i) => log.append(draft({ i })).then(({ sequence }) => sequence))),
    );
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    for (const log of both) await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 200 });
  });

  it('entries of another log are not overlooked after the transaction that first saw them failed', async () => {
    sql('create table parents (id integer primary key)');
    sql('create table children (parent integer references parents deferrable initially deferred)');
    const [one, other] = [await open(), await open()];
    await one.append(draft());
    await other.append(draft());
    const orphan = { sql: 'insert into children values (7)', parameters: [] };
    await expect(one.record({ changes: [orphan], entries: [draft()] })).rejects.toEqual(codeOf('GRACE_AUDIT_APPEND_FAILED'));
    expect(await one.append(draft())).toEqual({ sequence: 2 });
    for (const log of [one, other]) await close(log);
    expect(await verified()).toMatchObject({ isIntact: true, entriesRead: 3 });
  });

  it('a full disk refuses entries with their changes, and takes entries again when there is room (needs root)', async ({ skip }) => {
    const disk = join(dir, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]).status !== 0) return skip();
    try {
      path = join(disk, 'grace.db');
      (await openStore(path)).close();
      sql('create table things (name text)');
      const log = await open();
      let stored = 0;
      let refusal: unknown = null;
      while (refusal === null && stored < 500)
        try {
          const changes = [{ sql: 'insert into things (name) values (?)', parameters: ['x'.repeat(9000)] }];
          await log.record({ changes, entries: [draft({ a: 'x'.repeat(9000) })] });
          stored++;
        } catch (error) {
          refusal = error;
        }
      expect(refusal).toEqual(codeOf('GRACE_AUDIT_APPEND_FAILED'));
      expect(await storedTexts()).toHaveLength(stored);
      expect(sql('select name from things')).toHaveLength(stored);
      spawnSync('mount', ['-o', 'remount,size=9m', disk]);
      expect(await log.append(draft())).toEqual({ sequence: stored });
      await close(log);
      expect(await verified()).toMatchObject({ isIntact: true, entriesRead: stored + 1 });
    } finally {
      await Promise.all(logs.map(close));
      spawnSync('umount', [disk]);
    }
  });
});
