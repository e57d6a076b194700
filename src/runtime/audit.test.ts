import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, randomBytes, verify as verifySignature } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeIds } from '../adapters/node/ids.ts';
import { openStore } from '../adapters/store/index.ts';
import { openAuditSource } from '../apps/cli/audit-source.ts';
import { exportAudit, proveEntry } from '../apps/cli/audit-prove.ts';
import { verifyAudit } from '../apps/cli/audit-verify.ts';
import { parseCheckpoint, parseInclusionProof, parseNote, verifyInclusion } from '../domains/audit/index.ts';
import { recordedDecisions, type DecisionRequest } from '../domains/governance/index.ts';
import { Redactor } from '../domains/incidents/index.ts';
import type { JournalEntry } from '../domains/playbooks/index.ts';
import { anchorHead } from './audit-anchors.ts';
import { Audit, actorOf, type AuditNote } from './audit.ts';
import { repositories } from './repositories.ts';

async function aLog(service = 'shop', redactor = new Redactor()) {
  const dir = mkdtempSync(join(tmpdir(), 'grace-audit-'));
  const path = join(dir, 'grace.db');
  const store = await openStore(path);
  const troubles: unknown[] = [];
  const open = (): Audit => new Audit({ path, service, clock: nodeClock, redactor, onTrouble: (error) => troubles.push(error) });
  const audit = open();
  onTestFinished(async () => {
    await audit.close().catch(() => undefined);
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return { dir, path, store, audit, open, troubles, repos: repositories(store, audit) };
}

const note = (n: number, payload: AuditNote['payload'] = { n }): AuditNote => ({
  actor: 'grace',
  action: 'restart.begun',
  resource: 'component/web',
  subsystem: 'supervision',
  result: 'ok',
  payload,
});

const REQUEST: DecisionRequest = {
  action: 'restart_component',
  actor: { kind: 'person', name: 'ann' },
  component: 'web',
  isCritical: true,
  mode: 'normal',
  environment: '',
  approvals: 0,
};
const STEP: JournalEntry = {
  runId: 'run_1',
  index: 0,
  step: 'make the file',
  primitive: 'write_file',
  params: { path: '.env' },
  targets: ['/srv/.env'],
  before: null,
  undo: null,
  state: 'planned',
  summary: 'it would be made',
};

async function entriesIn(dir: string): Promise<readonly Record<string, unknown>[]> {
  const source = await openAuditSource({ dataDir: dir });
  const found: Record<string, unknown>[] = [];
  for await (const batch of source.reader.entries(0, Infinity))
    for (const one of batch)
      found.push(one instanceof Uint8Array ? (JSON.parse(Buffer.from(one).toString()) as Record<string, unknown>) : {});
  source.close();
  return found;
}

async function verified(dir: string, anchor: readonly string[] = []) {
  const source = await openAuditSource({ dataDir: dir });
  try {
    const { exitCode, data } = await verifyAudit(source, { anchor });
    return { exitCode, kinds: (data as { findings: readonly { kind: string }[] }).findings.map(({ kind }) => kind) };
  } finally {
    source.close();
  }
}

test('a decision is in the log before it counts, by whom it was asked', async () => {
  const { dir, audit, repos } = await aLog();
  const point = recordedDecisions(
    { decide: async () => ({ verdict: 'allow', reason: 'why not', policies: ['p'] }) },
    { record: repos.decisions, clock: nodeClock, ids: nodeIds },
  );
  expect(await point.decide(REQUEST)).toMatchObject({ verdict: 'allow' });
  await audit.head();
  expect(await entriesIn(dir)).toEqual([
    expect.objectContaining({
      action: 'decision.made',
      actor: 'ann',
      resource: 'component/web',
      result: 'ok',
      payload: expect.objectContaining({ verdict: 'allow', policies: ['p'] }) as unknown,
    }),
  ]);
  expect(await repos.decisions.list({ limit: 9 })).toHaveLength(1);
});

test('a log whose key others can read takes nothing: decisions are denied, steps do not act, and what has happened is kept', async () => {
  const { dir, audit, repos, troubles } = await aLog();
  await audit.append(note(1));
  await audit.close();
  chmodSync(join(dir, 'audit.key'), 0o644);
  const store = await openStore(join(dir, 'grace.db'));
  onTestFinished(() => store.close());
  const told: unknown[] = [];
  const shut = new Audit({
    path: join(dir, 'grace.db'),
    service: 'shop',
    clock: nodeClock,
    redactor: new Redactor(),
    onTrouble: (e) => told.push(e),
  });
  const closed = repositories(store, shut);
  const point = recordedDecisions(
    { decide: async () => ({ verdict: 'allow', reason: 'why not', policies: [] }) },
    { record: closed.decisions, clock: nodeClock, ids: nodeIds },
  );
  expect(await point.decide(REQUEST)).toMatchObject({ verdict: 'deny', reason: expect.stringContaining('cannot be recorded') as unknown });
  expect(await closed.decisions.list({ limit: 9 })).toEqual([]);
  await expect(closed.journal.write(STEP)).rejects.toMatchObject({ code: 'GRACE_AUDIT_KEY_UNUSABLE' });
  expect(await closed.journal.entries('run_1')).toEqual([]);
  await closed.journal.write({ ...STEP, state: 'done' });
  expect(await closed.journal.entries('run_1')).toHaveLength(1);
  expect(told).toHaveLength(1);
  expect(shut.trouble).toContain('audit.key');
  // A person puts it right: the next one is taken, without a new start.
  chmodSync(join(dir, 'audit.key'), 0o600);
  await closed.journal.write(STEP);
  expect(shut.trouble).toBeNull();
  await shut.close();
  expect(await verified(dir)).toEqual({ exitCode: 0, kinds: [] });
  expect(troubles).toEqual([]);
  expect(await repos.journal.entries('run_1')).toHaveLength(1);
});

test('how many entries were missed, and since when, is told even when telling it fails at first', async () => {
  const { dir, path, audit } = await aLog();
  await audit.append(note(0));
  const sql = (statement: string): void => {
    const database = new DatabaseSync(path);
    database.exec(statement);
    database.close();
  };
  const refuse = `create trigger no_entries before insert on audit_entries begin select raise(abort, 'no entry'); end`;
  let nowMs = Date.parse('2026-01-01T00:00:00.000Z');
  const options = { path, service: 'shop', redactor: new Redactor(), onTrouble: () => undefined };
  const one = new Audit({ ...options, clock: { nowMs: () => nowMs, monotonicMs: () => nowMs } });
  onTestFinished(() => one.close());
  const missOne = async (n: number): Promise<void> => {
    sql(refuse);
    await expect(one.append(note(n))).rejects.toMatchObject({ code: 'GRACE_AUDIT_APPEND_FAILED' });
    sql('drop trigger no_entries');
  };
  await missOne(1);
  nowMs += 60_000;
  await missOne(2);
  // It takes this one, and not the one that tells.
  sql(refuse.replace('begin', `when instr(new.bodies, cast('audit.entries_missed' as blob)) > 0 begin`));
  await one.append(note(3));
  await one.head();
  sql('drop trigger no_entries');
  nowMs += 60_000;
  await one.append(note(4));
  await one.head();
  const told = (await entriesIn(dir)).filter(({ action }) => action === 'audit.entries_missed');
  expect(told.map(({ payload }) => payload)).toEqual([
    { since: '2026-01-01T00:00:00.000Z', entries: 2, why: expect.stringContaining('no entry') as unknown },
  ]);
});

test('secrets are gone before an entry is hashed, wherever they stand in it', async () => {
  const secret = `canary-${randomBytes(12).toString('hex')}`;
  const redactor = new Redactor();
  redactor.learn([secret]);
  const { path, audit } = await aLog('shop', redactor);
  await audit.append({
    ...note(1),
    resource: `component/${secret}`,
    payload: { text: `a ${secret} b`, deep: [{ password: 'short' }], [secret]: 1 },
  });
  await audit.append(note(2, { long: `${'x'.repeat(3990)}${secret}` }));
  await audit.close();
  for (const file of [path, `${path}-wal`])
    try {
      const bytes = readFileSync(file).toString('latin1');
      expect(bytes).not.toContain(secret.slice(0, 20));
      expect(bytes).not.toContain('"short"');
    } catch (error) {
      expect((error as { code?: string }).code).toBe('ENOENT'); // the log's end is in one file
    }
});

test('a payload that is too large, or that no JSON can hold, is written as what can be', async () => {
  const { dir, audit } = await aLog();
  await audit.append(note(1, { big: Array.from({ length: 500 }, () => 'x'.repeat(100)), small: 'stays' }));
  await audit.append(note(2, { none: undefined, half: '\ud800', much: 2 ** 60, no: Number.NaN }));
  await audit.head();
  const [large, odd] = await entriesIn(dir);
  expect(large?.['payload']).toEqual({
    small: 'stays',
    too_large: { chars: expect.any(Number) as unknown, sha256: expect.any(String) as unknown },
  });
  expect(odd?.['payload']).toEqual({ half: '\ufffd', much: String(2 ** 60), no: 'NaN' });
});

test('two that write at once share the log, and it is whole', async () => {
  const { dir, audit, open } = await aLog();
  const other = open();
  await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? audit : other).append(note(i))));
  await other.close();
  await audit.close();
  const numbers = (await entriesIn(dir)).map(({ payload }) => (payload as { n: number }).n);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  expect(await verified(dir)).toEqual({ exitCode: 0, kinds: [] });
});

test('whoever has the database and the key can rewrite and sign again: a head that was kept elsewhere finds it', async () => {
  const { dir, path, audit, open } = await aLog();
  for (let i = 0; i < 3; i++) await audit.append(note(i));
  const anchors = join(dir, 'elsewhere', 'heads.txt');
  const settings = { anchorFile: anchors, anchorGit: false, keepPayloadsMs: null };
  // What it lies on may not be mounted: nothing is made in its place.
  expect(await anchorHead((await audit.head()) ?? '', settings, dir)).toEqual([expect.stringContaining('its directory is not there')]);
  expect(existsSync(join(dir, 'elsewhere'))).toBe(false);
  mkdirSync(join(dir, 'elsewhere'));
  expect(await anchorHead((await audit.head()) ?? '', settings, dir)).toEqual([]);
  for (let i = 3; i < 6; i++) await audit.append(note(i));
  expect(await anchorHead((await audit.head()) ?? '', settings, dir)).toEqual([]);
  await audit.close();
  expect(await verified(dir, [anchors])).toEqual({ exitCode: 0, kinds: [] });

  const forget = (): void => {
    const database = new DatabaseSync(path);
    for (const table of ['audit_entries', 'audit_nodes', 'audit_checkpoints']) database.exec(`delete from ${table}`);
    database.close();
  };
  // Another history, as long, signed by the very key: not unasked by a Grace, as long as the head beside the key is there.
  forget();
  const honest = open();
  await expect(honest.append(note(0))).rejects.toMatchObject({ code: 'GRACE_AUDIT_CLOSED' });
  await honest.close();
  rmSync(join(dir, 'audit.head'));
  const forger = open();
  for (let i = 0; i < 6; i++) await forger.append(note(i === 1 ? 99 : i));
  await forger.close();
  expect(await verified(dir)).toEqual({ exitCode: 0, kinds: [] });
  expect((await verified(dir, [anchors])).kinds).toContain('forked');
  // A shorter one.
  forget();
  rmSync(join(dir, 'audit.head'));
  const cutter = open();
  for (let i = 0; i < 2; i++) await cutter.append(note(i));
  await cutter.close();
  expect(await verified(dir)).toEqual({ exitCode: 0, kinds: [] });
  expect((await verified(dir, [anchors])).kinds).toContain('truncated');
});

test('the head goes into the notes of the commit, and counts as an anchor from there', async () => {
  const { dir, audit } = await aLog();
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { encoding: 'utf8' });
  const settings = { anchorFile: null, anchorGit: true, keepPayloadsMs: null };
  await audit.append(note(1));
  const first = (await audit.head()) ?? '';
  expect(await anchorHead(first, settings, dir)).toEqual([expect.stringContaining('no git repository')]);
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '-m', 'one');
  expect(await anchorHead(first, settings, dir)).toEqual([]);
  await audit.append(note(2));
  expect(await anchorHead((await audit.head()) ?? '', settings, dir)).toEqual([]);
  const file = join(dir, 'note.txt');
  writeFileSync(file, git('notes', '--ref=grace', 'show', 'HEAD'));
  expect(readFileSync(file, 'utf8').match(/^\u2014 /gm)).toHaveLength(2);
  expect(git('status', '--porcelain', '--untracked-files=no')).toBe('');
  await audit.close();
  expect(await verified(dir, [file])).toEqual({ exitCode: 0, kinds: [] });
});

test('an export with dropped entries is checked by the published rules alone', async () => {
  const { dir, audit } = await aLog();
  for (let i = 0; i < 5; i++) await audit.append(note(i));
  expect(await audit.dropPayloads(-60_000)).toBeGreaterThanOrEqual(5);
  await audit.append(note(5));
  await audit.close();
  expect(await verified(dir)).toEqual({ exitCode: 0, kinds: [] });
  const out = join(dir, 'export');
  const source = await openAuditSource({ dataDir: dir });
  await exportAudit(source, out, true);
  source.close();

  // RFC 6962 and C2SP, in a few lines of somebody else.
  const sha = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
  const root = (leaves: readonly Buffer[]): Buffer => {
    if (leaves.length === 1) return leaves[0] as Buffer;
    const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
    return sha(Uint8Array.of(1), root(leaves.slice(0, k)), root(leaves.slice(k)));
  };
  const lines = readFileSync(join(out, 'entries.jsonl'), 'utf8').split('\n').slice(0, -1);
  const hashes = readFileSync(join(out, 'leaf-hashes'), 'utf8').split('\n').slice(0, -1);
  expect(lines.filter((line) => line === '')).toHaveLength(5);
  expect(hashes).toHaveLength(lines.length);
  const leaves = lines.map((line, i) => (line === '' ? Buffer.from(hashes[i] ?? '', 'base64') : sha(Uint8Array.of(0), Buffer.from(line))));
  const [text = '', signatures = ''] = readFileSync(join(out, 'checkpoint'), 'utf8').split('\n\n');
  const [origin, size, stated] = text.split('\n');
  expect(Number(size)).toBe(lines.length);
  expect(stated).toBe(root(leaves).toString('base64'));
  const vkey = readFileSync(join(out, 'vkey'), 'utf8').trim();
  const key = Buffer.from(vkey.slice(vkey.indexOf('+', vkey.indexOf('+') + 1) + 1), 'base64').subarray(1);
  const signature = Buffer.from(signatures.trim().split(' ')[2] ?? '', 'base64').subarray(4);
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' });
  expect(signatures.startsWith(`\u2014 ${origin ?? ''} `)).toBe(true);
  expect(verifySignature(null, Buffer.from(`${text}\n`), publicKey, signature)).toBe(true);

  const again = await openAuditSource({ dir: out });
  expect(await verifyAudit(again, {})).toMatchObject({ exitCode: 0, data: { entries_dropped: 5 } });
  // A hash that is another one is found.
  const broken = join(dir, 'broken');
  execFileSync('cp', ['-r', out, broken]);
  writeFileSync(join(broken, 'leaf-hashes'), [sha(Uint8Array.of(7)).toString('base64'), ...hashes.slice(1), ''].join('\n'));
  expect(await verifyAudit(await openAuditSource({ dir: broken }), {})).toMatchObject({ exitCode: 1 });
  // An entry that is another one is named, since its hash is there.
  writeFileSync(join(broken, 'leaf-hashes'), `${hashes.join('\n')}\n`);
  writeFileSync(join(broken, 'entries.jsonl'), `${lines.map((line, i) => (i === 6 ? line.replace('ok', 'no') : line)).join('\n')}\n`);
  expect(await verifyAudit(await openAuditSource({ dir: broken }), {})).toMatchObject({
    exitCode: 1,
    data: { findings: expect.arrayContaining([expect.objectContaining({ kind: 'changed', from: 6 })]) },
  });
  // So is a bundle with contents for those that have none.
  const forged = join(dir, 'forged');
  execFileSync('cp', ['-r', out, forged]);
  mkdirSync(join(forged, 'tile', 'entries', '000.p'), { recursive: true });
  writeFileSync(
    join(forged, 'tile', 'entries', '000.p', String(lines.length)),
    Buffer.concat(lines.map(() => Buffer.from([0, 2, 0x7b, 0x7d]))),
  );
  expect(await verifyAudit(await openAuditSource({ dir: forged }), {})).toMatchObject({
    exitCode: 1,
    data: { findings: [{ kind: 'changed', message: expect.stringContaining('tile/entries/000.p/') as string }] },
  });
  // A directory in the place of a tile is no tile.
  rmSync(join(forged, 'tile'), { recursive: true });
  mkdirSync(join(forged, 'tile', '0', '000.p', String(lines.length)), { recursive: true });
  expect(await verifyAudit(await openAuditSource({ dir: forged }), {})).toMatchObject({
    exitCode: 1,
    data: { findings: [{ kind: 'changed' }] },
  });
});

test('an export while retention drops what it is about to write has the entry that says so', async () => {
  const { dir, audit } = await aLog();
  for (let i = 0; i < 5; i++) await audit.append(note(i));
  await audit.head();
  const source = await openAuditSource({ dataDir: dir });
  const { reader } = source;
  let readings = 0;
  const entries: typeof reader.entries = async function* (from, to) {
    // The first reading only hashes.
    if (from === 0 && ++readings === 2) await audit.dropPayloads(-60_000);
    yield* reader.entries(from, to);
  };
  const out = join(dir, 'export');
  expect(await exportAudit({ ...source, reader: { ...reader, entries } }, out, true)).toMatchObject({ data: { size: 6, dropped: 5 } });
  source.close();
  await audit.close();
  expect(await verifyAudit(await openAuditSource({ dir: out }), {})).toMatchObject({ exitCode: 0, data: { size: 6, entries_dropped: 5 } });
});

test('day by day what is older than the policy says loses its contents, each time with an entry; proofs of it stay good', async () => {
  const DAY_MS = 86_400_000;
  const START_MS = Date.parse('2026-01-01T00:00:00.000Z');
  let nowMs = START_MS;
  const { dir, path } = await aLog();
  const audit = new Audit({
    path,
    service: 'shop',
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    redactor: new Redactor(),
    onTrouble: (error) => expect.unreachable(String(error)),
  });
  onTestFinished(() => audit.close());
  const kept = async (): Promise<unknown> =>
    (await entriesIn(dir))
      .map((entry) => (entry['action'] === undefined ? 'dropped' : (entry['payload'] as { n?: number }).n))
      .filter((n) => n !== undefined);
  const dropped: number[] = [];
  for (let day = 0; day < 6; day++) {
    nowMs = START_MS + day * DAY_MS;
    await audit.append(note(day));
    dropped.push(await audit.dropPayloads(3 * DAY_MS));
  }
  // Of exactly three days it stays: older than that goes.
  expect(dropped).toEqual([0, 0, 0, 0, 1, 1]);
  expect(await kept()).toEqual(['dropped', 'dropped', 2, 3, 4, 5]);
  nowMs += 1;
  expect(await audit.dropPayloads(3 * DAY_MS)).toBe(1);
  await audit.head();
  const told = (await entriesIn(dir)).filter(({ action }) => action === 'audit.payloads_dropped');
  expect(told.map(({ payload }) => payload)).toEqual([
    { from: 0, before: 1, older_than: '2026-01-02T00:00:00.000Z', reason: 'audit.keepPayloads is 3 days' },
    { from: 1, before: 2, older_than: '2026-01-03T00:00:00.000Z', reason: 'audit.keepPayloads is 3 days' },
    { from: 2, before: 3, older_than: '2026-01-03T00:00:00.001Z', reason: 'audit.keepPayloads is 3 days' },
  ]);
  expect(await verified(dir)).toEqual({ exitCode: 0, kinds: [] });
  const source = await openAuditSource({ dataDir: dir });
  onTestFinished(() => source.close());
  for (const index of [0, 1, 2, 3]) expect(await proveEntry(source, index)).toMatchObject({ exitCode: 0, data: { index } });
  const { lines } = await proveEntry(source, 1);
  const leaf = (await source.reader.node(0, 1)) as Uint8Array;
  const { index, hashes, checkpoint } = parseInclusionProof(`${lines.join('\n')}\n`);
  const { size, root } = parseCheckpoint(parseNote(checkpoint).text);
  expect(verifyInclusion(leaf, index, size, hashes, root)).toBe(true);
  expect(verifyInclusion((await source.reader.node(0, 0)) as Uint8Array, index, size, hashes, root)).toBe(false);
});

test('a damaged end is no reason to go on beside it: nothing is taken', async () => {
  const { path, audit, open, troubles } = await aLog();
  for (let i = 0; i < 3; i++) await audit.append(note(i));
  await audit.close();
  const database = new DatabaseSync(path);
  database.exec('delete from audit_entries where first = (select max(first) from audit_entries)');
  database.close();
  const next = open();
  await expect(next.append(note(3))).rejects.toMatchObject({ code: 'GRACE_AUDIT_CLOSED' });
  expect(troubles).toHaveLength(1);
  await next.close();
});

test('nobody writes under the name of Grace', () => {
  expect([actorOf('ann'), actorOf('grace'), actorOf('')]).toEqual(['ann', 'user:grace', 'user:']);
});
