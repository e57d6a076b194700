// How fast the audit log takes entries, beside what the disk itself allows: see README.md, "Audit writer".
import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore } from '../src/adapters/store/index.ts';
import { openAuditLog, openAuditReader, type AuditLog, type AuditLogOptions } from '../src/adapters/store/audit/index.ts';
import { inclusionProof, type AuditDraft } from '../src/domains/audit/index.ts';
import { runGrace } from './run-grace.ts';

const USAGE = `usage: node bench/audit.ts [--rounds N] [--seconds S] [--large N] [--dir DIR]

Raw appends and the log take turns in N rounds (default: 5) of S seconds each (default: 2); medians. Then the start of a log with
--large entries (default: 1000000; 0 leaves it out), its proofs and its verification by the built grace (npm run -s build), and the memory
a log takes. DIR is on the disk to measure (default: the temporary folder).`;

const ENTRY_BYTES = 500;
const BLOCK_BYTES = 32 * 1024;
const WRITERS = 64;
const PROOFS = 200;
const VERIFICATIONS = 3;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    large: { type: 'string', default: '1000000' },
    dir: { type: 'string', default: tmpdir() },
    // The parts run in processes of their own, so that memory is that of the part.
    part: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

/** About as long as what Grace writes: `ENTRY_BYTES` in canonical form. */
function draft(n: number): AuditDraft {
  return {
    actor: 'grace',
    action: 'heal.step_applied',
    resource: 'svc/checkout',
    subsystem: 'healing',
    result: 'ok',
    payload: { run: `run_${n}`, step: n % 7, primitive: 'restart_component', params: { component: 'api', port: 4610 }, note: NOTE },
  };
}
const NOTE = 'port 4610 was held by an old copy of api that nobody looks after any more; '.repeat(4).slice(0, 205);

/** Appends per second, each with a sync of its own. */
function rawRate(file: string, bytes: number, ms: number): number {
  const out = openSync(file, 'a');
  const block = randomBytes(bytes);
  const startMs = performance.now();
  let n = 0;
  for (; performance.now() - startMs < ms; n++) {
    writeSync(out, block);
    fdatasyncSync(out);
  }
  const perSecond = (n * 1000) / (performance.now() - startMs);
  closeSync(out);
  rmSync(file);
  return perSecond;
}

async function openLog(dir: string, options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
  const path = join(dir, 'grace.db');
  (await openStore(path)).close();
  return openAuditLog({ path, service: 'bench', clock, redact: (text) => text, ...options });
}

/** Entries per second of so many writers, each of which waits for one entry before it writes the next. */
async function logRate(dir: string, writers: number, ms: number, options: Partial<AuditLogOptions> = {}): Promise<number> {
  const log = await openLog(dir, options);
  const write = async (untilMs: number): Promise<number> => {
    let n = 0;
    for (; performance.now() < untilMs; n++) await log.append(draft(n));
    return n;
  };
  await write(performance.now() + 200);
  const startMs = performance.now();
  const counts = await Promise.all(Array.from({ length: writers }, () => write(startMs + ms)));
  const perSecond = (counts.reduce((sum, n) => sum + n, 0) * 1000) / (performance.now() - startMs);
  await log.close();
  return perSecond;
}

const noSync = { sync: async () => undefined, close: async () => undefined };

async function main(): Promise<void> {
  if (values.help === true) return console.log(USAGE);
  if (values.part === 'memory') return memory(values.dir);
  const ms = Number(values.seconds) * 1000;
  const top = mkdtempSync(join(values.dir, 'grace-bench-audit-'));
  const fresh = (): string => mkdtempSync(join(top, 'd-'));
  const samples: Record<'R' | 'G' | 'C' | 'one' | 'many', number[]> = { R: [], G: [], C: [], one: [], many: [] };
  try {
    // The first round warms up.
    for (let round = 0; round <= Number(values.rounds); round++) {
      const figures = {
        R: rawRate(join(top, 'raw'), ENTRY_BYTES, ms / 2),
        one: await logRate(fresh(), 1, ms),
        G: rawRate(join(top, 'raw'), BLOCK_BYTES, ms / 2),
        many: await logRate(fresh(), WRITERS, ms),
        C: await logRate(fresh(), WRITERS, ms, { sync: noSync }),
      };
      if (round > 0) for (const name of Object.keys(samples) as (keyof typeof samples)[]) samples[name].push(figures[name]);
    }
    report(samples);
    console.log(`memory: ${inProcess('memory', fresh())}`);
    if (Number(values.large) > 0) await large(fresh(), Number(values.large));
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

function report(samples: Readonly<Record<'R' | 'G' | 'C' | 'one' | 'many', readonly number[]>>): void {
  const [R, G, C, one, many] = (['R', 'G', 'C', 'one', 'many'] as const).map((name) => median(samples[name])) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const L = 1 / (1 / (WRITERS * G) + 1 / C);
  console.log(`Node ${process.version}, ${values.rounds} rounds of ${values.seconds} s, entries per second`);
  for (const [name, rates] of Object.entries(samples)) console.log(`  ${name.padEnd(5)} ${shown(rates)}`);
  console.log(`  L     ${L.toFixed(0)}`);
  console.log(`1 writer:   ${(one / R).toFixed(2)} R        (must 0.5, aim 0.65)`);
  console.log(`${WRITERS} writers: ${(many / L).toFixed(2)} L        (must 0.65, aim 0.9)`);
  console.log(`            ${(many / R).toFixed(1)} R        (must 15, aim 30)`);
}

/** How long a log of that many entries takes to be opened, and what it costs in memory. */
async function large(dir: string, entries: number): Promise<void> {
  const filling = await openLog(dir, { sync: noSync, limits: { entries: 1e6, bytes: 1e9, batch: 1000 } });
  for (let n = 0; n < entries; n += 1000) await Promise.all(Array.from({ length: 1000 }, (_, i) => filling.append(draft(n + i))));
  await filling.close();
  const path = join(dir, 'grace.db');
  console.log(`\na log of ${entries} entries, ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);
  await prove(dir, entries);
  for (let run = 0; run < VERIFICATIONS; run++) {
    console.log(`verified, hashes only: ${verify(dir, entries, ['--hashes-only'])}`);
    console.log(`verified, with canonical form: ${verify(dir, entries, [])}`);
  }
  const times = { empty: [] as number[], full: [] as number[] };
  const empty = `${dir}-empty`;
  for (let round = 0; round < 8; round++)
    for (const [name, folder] of [
      ['empty', empty],
      ['full', dir],
    ] as const) {
      (await openStore(join(folder, 'grace.db'))).close();
      const startMs = performance.now();
      const log = await openLogOnly(folder);
      const openedMs = performance.now() - startMs;
      if (round > 0) times[name].push(openedMs);
      await log.append(draft(round));
      await log.close();
    }
  rmSync(empty, { recursive: true });
  console.log(
    `opened in ${median(times.full).toFixed(1)} ms, an empty one in ${median(times.empty).toFixed(1)} ms (must 100, aim 30 more)`,
  );
}

/** An inclusion proof from the store, nothing kept from the one before. */
async function prove(dir: string, entries: number): Promise<void> {
  const took: number[] = [];
  let hashes = 0;
  for (let i = 0; i < PROOFS; i++) {
    const index = Math.floor((i * entries) / PROOFS);
    const startMs = performance.now();
    const reader = openAuditReader(join(dir, 'grace.db'));
    const proof = await inclusionProof(index, entries, (level, at) => reader.node(level, at));
    took.push(performance.now() - startMs);
    hashes = Math.max(hashes, proof.length);
    reader.close();
  }
  const slowest = took.toSorted((a, b) => a - b)[Math.floor(PROOFS * 0.99)] ?? 0;
  console.log(
    `inclusion proof, opening the store included: ${median(took).toFixed(2)} ms, slowest hundredth ${slowest.toFixed(1)} ms (must 5, aim 1), at most ${hashes} hashes`,
  );
}

/** `grace audit verify`, as people run it: its start is part of the figures. */
function verify(dir: string, entries: number, args: readonly string[]): string {
  const { status, stdout, cpuS, mb } = runGrace(['audit', 'verify', '--data-dir', dir, ...args], dir);
  if (status !== 0) throw new Error(`grace audit verify ended with ${status}: ${stdout}`);
  return `${(entries / cpuS).toFixed(0)} a second of CPU time, at most ${mb.toFixed(0)} MB`;
}

/** What the log adds to a process that has the store open. */
async function memory(dir: string): Promise<void> {
  const path = join(dir, 'grace.db');
  const store = await openStore(path);
  const rss = (): number => process.memoryUsage.rss() / 2 ** 20;
  const before = rss();
  const log = await openAuditLog({ path, service: 'bench', clock, redact: (text) => text });
  const opened = rss();
  for (let n = 0; n < 1000; n++) await log.append(draft(n));
  console.log(`opening the log adds ${(opened - before).toFixed(1)} MiB, 1,000 appends ${(rss() - opened).toFixed(1)} MiB more`);
  await log.close();
  store.close();
}

function inProcess(part: string, dir: string): string {
  const args = [import.meta.filename, '--part', part, '--dir', dir];
  return spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout.trim();
}

function openLogOnly(dir: string): Promise<AuditLog> {
  return openAuditLog({ path: join(dir, 'grace.db'), service: 'bench', clock, redact: (text) => text });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function shown(rates: readonly number[]): string {
  return `${median(rates).toFixed(0)} (${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)})`;
}

await main();
