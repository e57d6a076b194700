import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../index.ts';
import { openAuditLog, openAuditReader } from './index.ts';

/** `GRACE_AUDIT_LONG=1`: 250 kills, and one at every system call of 20 appends. */
const IS_LONG = process.env['GRACE_AUDIT_LONG'] === '1';
const KILLS = IS_LONG ? 250 : 6;
/** Of the system calls on the data directory, each n-th is the last one. */
const CALL_STEP = IS_LONG ? 1 : 25;
const APPENDER = join(import.meta.dirname, 'testing', 'appender.ts');
const HAS_COMPILER = process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;
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

/** strace would do, if it did not count the calls of each thread for itself: a sync is on another thread than what it syncs. */
function compiledShim(): string {
  const shim = join(dir, 'kill-at-call.so');
  const source = join(import.meta.dirname, 'testing', 'kill-at-call.c');
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-w', '-o', shim, source, '-ldl'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return shim;
}

/** Twenty appends, one after the other. */
function appendUnder(shim: string, place: string, settings: Readonly<Record<string, string>>): SpawnSyncReturns<string> {
  const env = { ...process.env, ...settings, LD_PRELOAD: shim, KILL_DIR: place };
  return spawnSync(process.execPath, [APPENDER, path, '1', '20'], { encoding: 'utf8', env });
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

  it.skipIf(!HAS_COMPILER)(
    'loses nothing wherever between two system calls it dies (needs gcc)',
    async () => {
      const shim = compiledShim();
      const template = join(dir, 'template.db');
      (await openStore(template)).close();
      let kills = 0;
      for (let call = 1; ; call += CALL_STEP) {
        const place = mkdtempSync(join(dir, 'killed-'));
        path = join(place, 'grace.db');
        copyFileSync(template, path);
        const run = appendUnder(shim, place, { KILL_AT: String(call) });
        if (run.status === 0) break;
        expect(run.signal).toBe('SIGKILL');
        kills++;
        const acknowledged = acknowledgedIn(run.stdout);
        const entries = entriesIn(await history());
        expect(acknowledged.filter((sequence) => entries[sequence]?.sequence !== sequence)).toEqual([]);
        expect(entries.length).toBeLessThanOrEqual(20);
        // At most the one that was being written was stored without its writer having been told.
        expect(entries.length - acknowledged.length).toBeLessThanOrEqual(1);
        rmSync(place, { recursive: true });
      }
      expect(kills).toBeGreaterThan(300 / CALL_STEP);
      if (IS_LONG) console.log(`${kills} kills at system calls`);
    },
    IS_LONG ? 1_800_000 : 120_000,
  );

  it.skipIf(!HAS_COMPILER)('says an entry is stored only after the WAL was synced, and that after its last write (needs gcc)', async () => {
    const place = mkdtempSync(join(dir, 'traced-'));
    path = join(place, 'grace.db');
    (await openStore(path)).close();
    const trace = join(dir, 'trace');
    const run = appendUnder(compiledShim(), place, { KILL_TRACE: trace });
    expect(acknowledgedIn(run.stdout)).toHaveLength(20);
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, name = '', what = '']) => /^(?:pwrite64|fdatasync)$/.test(name) || (name === 'write' && what === '1'))
      .map(([, name]) => name);
    const acks = calls.flatMap((name, i) => (name === 'write' ? [i] : []));
    expect(acks).toHaveLength(20);
    for (const at of acks) expect(calls.slice(at - 2, at)).toEqual(['pwrite64', 'fdatasync']);
  });

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
