import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lockInstance } from '../../adapters/node/instance-lock.ts';
import { openAuditLog } from '../../adapters/store/audit/index.ts';
import { openStore } from '../../adapters/store/index.ts';
import { canonicalEntry, formatVerifierKey, leafHash, parseVerifierKey, signerKeyOf } from '../../domains/audit/index.ts';
import { auditBeside } from '../../runtime/audit-beside.ts';
import { listKeys, rotateKey } from './audit-keys.ts';
import { proveConsistency } from './audit-prove.ts';
import { reopenAudit } from './audit-reopen.ts';
import { withAudit, withOwnAudit } from './audit-source.ts';
import { verifyAudit } from './audit-verify.ts';

const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
const draft = (n: number) => ({
  actor: 'grace',
  action: 'restart.begun' as const,
  resource: 'component/web',
  subsystem: 'supervision',
  result: 'ok',
  payload: { n },
});

/** A store with a log of some entries, the last ones in a row that no signed head covers. @param isSigned   one does */
async function aLog(isSigned = false) {
  const dataDir = mkdtempSync(join(tmpdir(), 'grace-audit-'));
  const path = join(dataDir, 'grace.db');
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  (await openStore(path)).close();
  const log = await openAuditLog({ path, service: 'shop', clock, redact: (text) => text });
  for (let n = 0; n < 4; n++) await log.append(draft(n));
  const head = await log.checkpoint();
  await log.record({ changes: [], entries: [draft(4), draft(5)] });
  await log.close();
  const sql = (statement: string): void => {
    const database = new DatabaseSync(path);
    database.exec(statement);
    database.close();
  };
  // As if it had been killed before it signed them.
  if (!isSigned) {
    sql('delete from audit_checkpoints where size > 4');
    writeFileSync(join(dataDir, 'audit.head'), head);
  }
  return { dataDir, path, sql };
}

const verified = (dataDir: string, vkey?: string) =>
  withAudit({ dataDir }, (source) => verifyAudit(source, vkey === undefined ? {} : { vkey }));

/** The command as a person runs it. @param uid  as another user than this one */
function grace(args: readonly string[], uid?: number) {
  const main = join(import.meta.dirname, 'main.ts');
  return spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `(await import('${main}')).main(process.argv.slice(1))`, '--', ...args],
    {
      encoding: 'utf8',
      cwd: tmpdir(),
      ...(uid === undefined ? {} : { uid, gid: uid }),
    },
  );
}

describe('grace audit rotate-key', () => {
  test('signs with a new key that nobody else can read; each key that was noted once still verifies, and all are listed', async () => {
    const { dataDir } = await aLog();
    const first = await withOwnAudit({ dataDir }, (own) => rotateKey(own, 'ann'));
    const second = await withOwnAudit({ dataDir }, (own) => rotateKey(own, 'bo'));
    const keys = [first, second].map(({ data }) => data as { before: { vkey: string }; after: { vkey: string; key_id: string } });
    expect(keys[1]?.before).toEqual(keys[0]?.after);
    expect(statSync(join(dataDir, 'audit.key')).mode & 0o777).toBe(0o600);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('audit.key'))).toEqual(['audit.key']);
    const all = [keys[0]?.before.vkey ?? '', keys[0]?.after.vkey ?? '', keys[1]?.after.vkey ?? ''];
    for (const vkey of all) expect(await verified(dataDir, vkey)).toMatchObject({ exitCode: 0, data: { key_given: true, size: 8 } });
    // Also from a head on that came after a handover, the one that both keys signed among them.
    const notes = await withAudit({ dataDir }, async ({ reader }) => Array.fromAsync(reader.checkpoints()));
    for (const { note } of notes) {
      writeFileSync(join(dataDir, 'from'), note);
      for (const vkey of all)
        expect(await withAudit({ dataDir }, (source) => verifyAudit(source, { vkey, from: join(dataDir, 'from') }))).toMatchObject({
          exitCode: 0,
        });
    }
    const listed = await withAudit({ dataDir }, listKeys);
    expect((listed.data as { vkey: string; signs_now: boolean }[]).map(({ vkey, signs_now }) => [vkey, signs_now])).toEqual(
      all.map((vkey, i) => [vkey, i === 2]),
    );
    // A key that nobody handed over to is no key of this log.
    const { name } = parseVerifierKey(all[2] ?? '');
    const stranger = formatVerifierKey(signerKeyOf(name, new Uint8Array(32).fill(1)).verifier);
    expect(await verified(dataDir, stranger)).toMatchObject({ exitCode: 1 });
  });

  test('changes nothing where the entry can not be written', async () => {
    const { dataDir, sql } = await aLog();
    const before = readFileSync(join(dataDir, 'audit.key'), 'utf8');
    sql(`update audit_entries set bodies = x'' where first = 4`);
    await expect(withOwnAudit({ dataDir }, (own) => rotateKey(own, 'ann'))).rejects.toMatchObject({ code: 'GRACE_AUDIT_CLOSED' });
    expect(readFileSync(join(dataDir, 'audit.key'), 'utf8')).toBe(before);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('audit.key'))).toEqual(['audit.key']);
    expect((await withAudit({ dataDir }, listKeys)).data).toHaveLength(1);
  });
});

describe('grace audit verify looks to the end of the log, and', () => {
  const found = async (dataDir: string): Promise<readonly string[]> => {
    const { exitCode, data } = await verified(dataDir);
    const kinds = (data as { findings: { kind: string }[] }).findings.map(({ kind }) => kind);
    expect(exitCode).toBe(kinds.length === 0 ? 0 : 1);
    return kinds;
  };

  test('names entries that no head covers, unless a Grace is about to sign them', async () => {
    const { dataDir, sql } = await aLog();
    expect(await found(dataDir)).toEqual(['unsigned']);
    expect((await verified(dataDir)).lines.join('\n')).toMatch(/intact, but not signed to its end.*\n.*\n.*start it, and verify again/);
    const release = lockInstance(dataDir);
    onTestFinished(release);
    expect(await found(dataDir)).toEqual([]);
    // Nobody may have written into them, either.
    sql(`update audit_entries set bodies = replace(cast(bodies as text), '2026', '2025') where first = 4`);
    expect(await found(dataDir)).toEqual(['torn']);
  });

  test.each([-60_000, 86_400_000])('names those that are not signed while a Grace runs, and are not of now but by %i ms', async (byMs) => {
    const { dataDir, path } = await aLog(true);
    const log = await openAuditLog({
      path,
      service: 'shop',
      clock: { nowMs: () => Date.now() + byMs, monotonicMs: () => 0 },
      redact: (text) => text,
    });
    await log.append(draft(6));
    onTestFinished(lockInstance(dataDir));
    expect(await found(dataDir)).toEqual(['unsigned']);
    await log.close();
    expect(await found(dataDir)).toEqual([]);
  });

  test('names what was put back to an older state, by the head beside the key', async () => {
    const { dataDir, sql } = await aLog(true);
    sql('delete from audit_checkpoints where size > 4');
    sql('delete from audit_entries where first >= 4');
    expect(await found(dataDir)).toEqual(['truncated']);
    expect((await verified(dataDir)).lines.join('\n')).toContain('grace audit reopen --reason');
  });

  test('names an announcement that no head covers, and what it was to hide', async () => {
    const { dataDir, path } = await aLog(true);
    const database = new DatabaseSync(path);
    database.exec(`update audit_entries set bodies = x'00' where first = 2`);
    const body = canonicalEntry({
      ...draft(0),
      action: 'audit.payloads_dropped',
      payload: { from: 0, before: 6 },
      sequence: 6,
      timestamp: new Date().toISOString(),
    });
    const bodies = Buffer.concat([Uint8Array.of(0), body]);
    database.prepare('insert into audit_entries (first, leaves, bodies) values (6, ?, ?)').run(leafHash(body), bodies);
    database.close();
    expect(await found(dataDir)).toEqual(['unsigned', 'dropped']);
    onTestFinished(lockInstance(dataDir));
    expect(await found(dataDir)).toEqual(['dropped']);
  });

  test('names a checkpoint of old that was changed, and does not print it', async () => {
    const { dataDir, sql } = await aLog(true);
    sql(`update audit_checkpoints set note = 'broken' where size = 1`);
    expect(await found(dataDir)).toContain('checkpoint');
    await expect(withAudit({ dataDir }, (source) => proveConsistency(source, 1, 1))).rejects.toMatchObject({
      code: 'GRACE_CLI_AUDIT_PROOF_REFUSED',
    });
    sql('delete from audit_checkpoints where size = 1');
    expect(await found(dataDir)).toEqual([]);
    sql('update audit_checkpoints set size = size + 1 where size = (select max(size) from audit_checkpoints)');
    expect(await found(dataDir)).toEqual(['checkpoint']);
    sql('update audit_checkpoints set size = 1 << 60 where size = (select max(size) from audit_checkpoints)');
    expect(await found(dataDir)).toEqual(['checkpoint']);
  });
});

describe('grace audit reopen', () => {
  const asked = { by: 'ann', reason: 'the disk was full', isAgreed: true, ask: null };

  test('says what would be lost, and leaves all as it is until a person agrees', async () => {
    const { dataDir, path, sql } = await aLog();
    sql(`update audit_entries set bodies = substr(bodies, 1, length(bodies) - 3) where first = 4`);
    const before = readFileSync(path);
    const answers: string[] = [];
    const no = await withOwnAudit({ dataDir }, (own) =>
      reopenAudit(own, { ...asked, isAgreed: false, ask: async (question) => answers.push(question) === 0 }),
    );
    expect(no).toMatchObject({ exitCode: 1, data: { reopened: false, would_set_aside: 1 } });
    expect(answers.join()).toContain('entry 5 is not what its hash says');
    expect(await withOwnAudit({ dataDir }, (own) => reopenAudit(own, { ...asked, isAgreed: false }))).toMatchObject({
      exitCode: 1,
      lines: expect.arrayContaining([expect.stringContaining('--yes')]) as unknown,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(await withOwnAudit({ dataDir }, (own) => reopenAudit(own, asked))).toMatchObject({
      exitCode: 0,
      data: { reopened: true, set_aside: 1 },
    });
    expect(await verified(dataDir)).toMatchObject({ exitCode: 0, data: { size: 6 } });
    expect(await withOwnAudit({ dataDir }, (own) => reopenAudit(own, asked))).toMatchObject({ exitCode: 0, data: { reopened: false } });
  });

  test('does not go on without what a signed head covers', async () => {
    const { dataDir, sql } = await aLog();
    sql('delete from audit_entries where first >= 2');
    expect(await withOwnAudit({ dataDir }, (own) => reopenAudit(own, asked))).toMatchObject({
      exitCode: 1,
      data: { reopened: false, damage: { kind: 'signed' } },
      lines: expect.arrayContaining([expect.stringContaining('backup')]) as unknown,
    });
    expect(await verified(dataDir)).toMatchObject({ exitCode: 1 });
  });

  test('is seen by a Grace that runs, without a new start', async () => {
    const { dataDir, sql } = await aLog();
    sql(`update audit_entries set bodies = x'' where first = 4`);
    let nowMs = 0;
    const running = auditBeside(dataDir, 'shop', { nowMs: () => Date.now(), monotonicMs: () => nowMs });
    onTestFinished(() => running.close());
    await expect(running.append(draft(9))).rejects.toMatchObject({ code: 'GRACE_AUDIT_CLOSED' });
    await withOwnAudit({ dataDir }, (own) => reopenAudit(own, asked));
    nowMs += 60_000;
    await running.append(draft(9));
    expect(running.trouble).toBeNull();
    await running.close();
    expect(await verified(dataDir)).toMatchObject({ exitCode: 0, data: { size: 7 } }); // with audit.entries_missed
  });
});

describe.skipIf(process.geteuid?.() !== 0)(
  'a user who may only read the store (needs root, to become another one)',
  { timeout: 120_000 },
  () => {
    const NOBODY = 65_534;
    async function readable(isOpen: boolean) {
      const made = await aLog(true);
      chmodSync(made.dataDir, 0o755);
      // Somebody has it open: then there is a WAL, with what is not in the file yet.
      const log = isOpen ? await openAuditLog({ path: made.path, service: 'shop', clock, redact: (text) => text }) : null;
      await log?.append(draft(6));
      await log?.checkpoint();
      onTestFinished(async () => log?.close());
      for (const name of readdirSync(made.dataDir)) if (name.startsWith('grace.db')) chmodSync(join(made.dataDir, name), 0o644);
      const out = mkdtempSync(join(tmpdir(), 'grace-out-'));
      chmodSync(out, 0o777);
      onTestFinished(() => rmSync(out, { recursive: true, force: true }));
      return { ...made, out: join(out, 'export') };
    }

    test.each([
      ['that nobody has open', false],
      ['that a Grace has open', true],
    ])('lists, verifies, exports and proves in one %s, is told so, and writes nothing', async (_, isOpen) => {
      const { dataDir, out } = await readable(isOpen);
      const before = readdirSync(dataDir).toSorted();
      for (const args of [['list'], ['verify'], ['prove', '2'], ['checkpoint'], ['keys'], ['export', '--out', out]]) {
        const { status, stderr, stdout } = grace(['audit', ...args, '--data-dir', dataDir], NOBODY);
        expect([args, status, stderr]).toEqual([args, 0, expect.stringContaining('may only read')]);
        expect(stdout).not.toBe('');
      }
      expect(JSON.parse(grace(['audit', 'list', '--json', '--data-dir', dataDir], NOBODY).stdout)).toMatchObject({ size: isOpen ? 7 : 6 });
      expect(readdirSync(dataDir).toSorted()).toEqual(before);
      expect(grace(['audit', 'verify', '--dir', out]).status).toBe(0);
      for (const args of [['rotate-key'], ['reopen', '--reason', 'so', '--yes']]) {
        const { status, stderr } = grace(['audit', ...args, '--data-dir', dataDir], NOBODY);
        expect([status, stderr]).toEqual([1, expect.stringContaining('may not write')]);
      }
    });

    test('is told what is missing when the store has an older layout, or may not be read', async () => {
      const { dataDir, path, sql } = await readable(false);
      sql('pragma user_version = 3');
      expect(grace(['audit', 'list', '--data-dir', dataDir], NOBODY)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('it has layout 3') as unknown,
      });
      chmodSync(path, 0o600);
      expect(grace(['audit', 'list', '--data-dir', dataDir], NOBODY)).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('EACCES') as unknown,
      });
      chmodSync(dataDir, 0o700);
      expect(grace(['audit', 'list', '--data-dir', dataDir], NOBODY)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(
          /^grace: the audit log in .*grace\.db can not be read: EACCES.*\n.*run it as the user.*\n$/,
        ) as unknown,
      });
    });

    test('is told which exported log it may not read', async () => {
      const { dataDir, out } = await readable(false);
      expect(grace(['audit', 'export', '--out', out, '--data-dir', dataDir]).status).toBe(0);
      chmodSync(join(out, 'entries.jsonl'), 0o600);
      for (const args of [['list'], ['verify'], ['show', '1']])
        expect(grace(['audit', ...args, '--dir', out], NOBODY)).toMatchObject({
          status: 1,
          stderr: expect.stringMatching(/^grace: the audit log in .*export can not be read: EACCES.*\n.*\n$/) as unknown,
        });
    });
  },
);

test('following ends well when nobody reads any more', async () => {
  const { dataDir, path } = await aLog(true);
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `(await import('${main}')).main(process.argv.slice(1))`,
      '--',
      'audit',
      'list',
      '--follow',
      '--data-dir',
      dataDir,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void child.kill());
  const ended = once(child, 'exit');
  let told = '';
  child.stderr.on('data', (piece) => (told += String(piece)));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const log = await openAuditLog({ path, service: 'shop', clock, redact: (text) => text });
  await log.append(draft(6));
  await log.close();
  expect([await ended, told]).toEqual([[0, null], '']);
});

test('what is wrong usage is told as that', async () => {
  const { dataDir } = await aLog();
  writeFileSync(join(dataDir, 'nothing'), '');
  expect(grace(['audit', 'reopen', '--data-dir', dataDir]).status).toBe(2);
  expect(grace(['audit', 'reopen', '--reason', ' ', '--data-dir', dataDir]).status).toBe(2);
  expect(grace(['audit', 'rotate-key', '--dir', dataDir]).status).toBe(2);
  for (const args of [
    ['--vkey', 'shop+12345678+AAAA'],
    ['--vkey', join(dataDir, 'no')],
    ['--from', join(dataDir, 'nothing')],
    ['--from', dataDir],
    ['--anchor', join(dataDir, 'no')],
    ['--anchor', join(dataDir, 'nothing')],
    ['--dir', dataDir],
  ])
    expect([args, grace(['audit', 'verify', '--data-dir', dataDir, ...args]).status]).toEqual([args, 2]);
  for (const sizes of [['a', 'b'], ['-1'], ['5', '3'], ['1', '2', '3']]) {
    const { status, stderr } = grace(['audit', 'prove', '--data-dir', dataDir, '--consistency', ...sizes]);
    expect([sizes, status, stderr]).toEqual([sizes, 2, expect.stringMatching(/^error: /)]);
  }
  expect(grace(['audit', 'show', '1', '--raw', '--json', '--data-dir', dataDir]).status).toBe(2);
  const { status, stdout } = grace(['audit', 'rotate-key', '--json', '--data-dir', dataDir]);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toHaveProperty('after.vkey');
});
