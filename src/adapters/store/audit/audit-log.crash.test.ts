import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../index.ts';
import { openAuditLog, openAuditReader } from './index.ts';

/** `GRACE_AUDIT_LONG=1`: 250 kills, and one at every system call of 20 appends. */
const IS_LONG = process.env['GRACE_AUDIT_LONG'] === '1';
const KILLS = IS_LONG ? 250 : 6;
/** Of the system calls that can change a file, each n-th is killed. */
const CALL_STEP = IS_LONG ? 1 : 25;
const APPENDER = join(import.meta.dirname, 'testing', 'appender.ts');
const HAS_STRACE = spawnSync('strace', ['-V']).status === 0;
const CALLS = ['write', 'pwrite64', 'fdatasync', 'fsync', 'ftruncate', 'unlink', 'link', 'rename'];
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'grace-audit-'));
  path = join(dir, 'grace.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** All entries, once the log was opened as after any crash: its end is checked, and it takes entries. */
async function history(): Promise<Buffer> {
  (await openStore(path)).close();
  const log = await openAuditLog({ path, service: 'orders', clock, redact: (text) => text });
  expect(log.damage).toBeNull();
  await log.close();
  const reader = openAuditReader(path);
  const lines: Uint8Array[] = [];
  for await (const page of reader.entries(0, await reader.size()))
    for (const entry of page) if (entry instanceof Uint8Array) lines.push(entry, Buffer.from('\n'));
  reader.close();
  return Buffer.concat(lines);
}

function acknowledgedIn(output: string): readonly number[] {
  return output.split('\n').slice(0, -1).map(Number);
}

function expectPrefix(before: Buffer, after: Buffer): void {
  expect(after.subarray(0, before.length).equals(before)).toBe(true);
}

function entriesIn(text: Buffer): readonly { sequence: number; payload: { pid: number; left: number } }[] {
  return text
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { sequence: number; payload: { pid: number; left: number } });
}

describe('a killed writer', () => {
  it(
    `loses no acknowledged entry and leaves no torn one, ${KILLS} times`,
    async () => {
      let before: Buffer = Buffer.alloc(0);
      for (let kill = 0; kill < KILLS; kill++) {
        const child = spawn(process.execPath, [APPENDER, path, kill % 2 === 0 ? '16' : '1', '1000000'], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let output = '';
        const ended = new Promise((resolve) => child.once('close', resolve));
        child.stdout.on('data', (chunk: Buffer) => {
          if (output === '') setTimeout(() => child.kill('SIGKILL'), Math.random() * 60);
          output += chunk.toString();
        });
        await ended;
        const acknowledged = acknowledgedIn(output);
        const after = await history();
        expectPrefix(before, after);
        const entries = entriesIn(after);
        expect(acknowledged.length).toBeGreaterThan(0);
        expect(acknowledged.filter((sequence) => entries[sequence]?.payload.pid !== child.pid)).toEqual([]);
        expect(entries.every(({ sequence }, i) => sequence === i)).toBe(true);
        before = after;
      }
    },
    IS_LONG ? 900_000 : 60_000,
  );

  it.skipIf(!HAS_STRACE)(
    'loses nothing wherever between two system calls it dies (needs strace)',
    async () => {
      writeFileSync(join(dir, 'none'), '');
      let kills = 0;
      for (const call of CALLS)
        for (let n = 1; ; n += CALL_STEP) {
          for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
          rmSync(join(dir, 'audit.key'), { force: true });
          const inject = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${n}`];
          const run = spawnSync('strace', [...inject, process.execPath, APPENDER, path, '1', '20'], { encoding: 'utf8' });
          if (run.status === 0) break;
          kills++;
          const acknowledged = acknowledgedIn(run.stdout);
          const entries = entriesIn(await history());
          expect(acknowledged.filter((sequence) => entries[sequence]?.sequence !== sequence)).toEqual([]);
          expect(entries.length).toBeLessThanOrEqual(20);
        }
      expect(kills).toBeGreaterThan(3);
      if (IS_LONG) console.log(`${kills} kills at system calls`);
    },
    IS_LONG ? 900_000 : 120_000,
  );

  it('takes turns with another process without a gap', async () => {
    const run = (): Promise<string> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [APPENDER, path, '4', '200'], { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.once('close', () => resolve(output));
      });
    (await openStore(path)).close();
    const outputs = await Promise.all([run(), run()]);
    const acknowledged = outputs.flatMap(acknowledgedIn).toSorted((a, b) => a - b);
    expect(acknowledged).toEqual(Array.from({ length: 400 }, (_, i) => i));
    expect(entriesIn(await history()).length).toBe(400);
  });
});
