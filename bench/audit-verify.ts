// Says how fast a log is verified, in how much memory, and what a proof costs. See README.md, "Audit log".
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openExport, writeExport } from '../src/adapters/audit-export/index.ts';
import {
  canonicalEntry,
  formatVerifierKey,
  frontierRoot,
  inclusionProof,
  leafHash,
  NodeTable,
  parseCheckpoint,
  parseNote,
  frontierAt,
  signCheckpoint,
  signerKeyOf,
  verifyInclusion,
  verifyLog,
  type AuditEntry,
} from '../src/domains/audit/index.ts';
import { messageOf, seededRandom } from '../src/kernel/index.ts';
import { median } from './report.ts';

const HELP = `use: npm run -s bench:audit-verify

Writes a log of made-up entries to the temporary folder and prints: entries verified for each second of CPU time, hashes only and with
the canonical form checked; the memory of the process meanwhile (the most resident, in MB of 1,000,000 bytes); how long one inclusion
proof takes, read from files, and how many hashes it has.

  --entries N   how many (default 1000000)
  --runs N      how often each (default 5)
`;

const SIGNER = signerKeyOf('grace.example/bench', new Uint8Array(32).fill(7));
/** So many in one run. */
const PROOFS = 200;
const ACTIONS = ['heal.plan', 'heal.detect', 'mode.change', 'approval.grant', 'mesh.deliver'];

try {
  const { values } = parseArgs({
    options: {
      entries: { type: 'string', default: '1000000' },
      runs: { type: 'string', default: '5' },
      // The parts run in processes of their own, so that memory is that of the part.
      part: { type: 'string' },
      dir: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [entries, runs] = [Number(values.entries), Number(values.runs)];
  if (!Number.isInteger(entries) || entries < 1000 || !Number.isInteger(runs) || runs < 1) throw new Error('bad use; see --help');
  if (values.help) process.stdout.write(HELP);
  else if (values.part === 'hashes' || values.part === 'whole') await verifyOnce(values.dir ?? '', values.part);
  else if (values.part === 'proof') await prove(values.dir ?? '', entries);
  else await measure(entries, runs);
} catch (error) {
  console.error(`bench:audit-verify: ${messageOf(error)}`);
  process.exitCode = 2;
}

async function measure(entries: number, runs: number): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'grace-audit-bench-'));
  try {
    const made = await make(join(work, 'made'), entries);
    const tiles = join(work, 'tiles');
    const reader = await openExport(made);
    const checkpoint = (await reader.latestCheckpoint()) ?? '';
    const head = { checkpoint, size: entries };
    const vkey = formatVerifierKey(SIGNER.verifier);
    await writeExport(reader, { dir: tiles, ...head, newest: async () => head, vkey, withTiles: true });
    for (const part of ['hashes', 'whole'] as const) {
      const samples = [];
      for (let run = 0; run < runs; run++) samples.push(await inProcess(['--part', part, '--dir', made]));
      const rates = samples.map((sample) => entries / (sample.cpuMs / 1000));
      const rate = (value: number): string => Math.round(value).toLocaleString('en');
      const memory = samples.map((sample) => sample.memoryMb);
      console.log(
        `verify ${entries} entries, ${part === 'hashes' ? 'hashes only' : 'with canonical form'}: ${rate(median(rates))} a second of CPU time (${rate(Math.min(...rates))} to ${rate(Math.max(...rates))}), at most ${Math.max(...memory).toFixed(0)} MB`,
      );
    }
    const proofs = [];
    for (let run = 0; run < runs; run++) proofs.push(await inProcess(['--part', 'proof', '--dir', tiles, '--entries', String(entries)]));
    const ms = proofs.map((proof) => proof.ms);
    console.log(
      `inclusion proof at ${entries}, from tiles: ${median(ms).toFixed(2)} ms (the slowest hundredth of one run ${Math.max(...proofs.map((p) => p.highMs)).toFixed(2)}), at most ${Math.max(...proofs.map((p) => p.hashes))} hashes`,
    );
  } finally {
    await rm(work, { recursive: true });
  }
}

interface Sample {
  readonly cpuMs: number;
  readonly memoryMb: number;
  readonly ms: number;
  readonly highMs: number;
  readonly hashes: number;
}

async function inProcess(args: readonly string[]): Promise<Sample> {
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [import.meta.filename, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`a part failed with code ${code}`);
  return JSON.parse(out) as Sample;
}

async function verifyOnce(dir: string, depth: 'hashes' | 'whole'): Promise<void> {
  const reader = await openExport(dir);
  const head = await reader.latestCheckpoint();
  const before = process.cpuUsage();
  const { isIntact, findings } = await verifyLog(reader, { key: SIGNER.verifier, head, depth });
  const { user, system } = process.cpuUsage(before);
  if (!isIntact) throw new Error(findings[0]?.message);
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, memoryMb: (process.resourceUsage().maxRSS * 1024) / 1e6 }));
}

async function prove(dir: string, entries: number): Promise<void> {
  const head = parseCheckpoint(parseNote((await (await openExport(dir)).latestCheckpoint()) ?? '').text);
  const random = seededRandom(1);
  const took: number[] = [];
  let most = 0;
  for (let i = 0; i < PROOFS; i++) {
    const reader = await openExport(dir); // nothing kept from the proof before
    const index = Math.floor(random.next() * entries);
    const startMs = performance.now();
    const hashes = await inclusionProof(index, head.size, (level, at) => reader.node(level, at));
    took.push(performance.now() - startMs);
    most = Math.max(most, hashes.length);
    const leaf = await reader.node(0, index);
    if (leaf === null || !verifyInclusion(leaf, index, head.size, hashes, head.root)) throw new Error('a proof does not hold');
  }
  took.sort((a, b) => a - b);
  console.log(JSON.stringify({ ms: median(took), highMs: took[Math.floor(PROOFS * 0.99)] ?? 0, hashes: most }));
}

/** Entries of some 330 bytes, like those of a Grace at work. */
async function make(dir: string, entries: number): Promise<string> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(dir);
  const random = seededRandom(1);
  const pick = (list: readonly string[]): string => list[Math.floor(random.next() * list.length)] ?? '';
  const file = createWriteStream(join(dir, 'entries.jsonl'));
  const table = new NodeTable();
  for (let sequence = 0; sequence < entries; sequence++) {
    const entry: AuditEntry = {
      sequence,
      timestamp: new Date(1_767_225_600_000 + sequence * 120).toISOString(),
      actor: pick(['grace', 'scheduler', 'operator:amara', 'operator:jules']),
      action: pick(ACTIONS),
      resource: pick(['svc/checkout', 'runtime', 'topic/health.degraded', 'playbook/failover-db@1']),
      subsystem: pick(['planner', 'immune', 'governance', 'kernel']),
      result: pick(['ok', 'failed', 'partial', 'denied']),
      payload: {
        attempt: sequence % 4,
        cycle: `c-${String(sequence >> 3).padStart(6, '0')}`,
        latency_ms: Math.round(random.next() * 1e6) / 1000,
        reason: 'p99 > 250 ms for 3 windows \u2014 d\u00e9grad\u00e9',
        steps: [
          { id: 'drain', ok: true },
          { exit: sequence % 3, id: 'restart', ok: sequence % 2 === 0 },
        ],
      },
    };
    const bytes = canonicalEntry(entry);
    table.append(leafHash(bytes));
    if (!file.write(Buffer.concat([bytes, Uint8Array.of(10)]))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
  const root = frontierRoot(await frontierAt(entries, (level, index) => table.node(level, index)));
  await writeFile(join(dir, 'checkpoint'), signCheckpoint({ origin: SIGNER.verifier.name, size: entries, root }, [SIGNER]));
  await writeFile(join(dir, 'vkey'), `${formatVerifierKey(SIGNER.verifier)}\n`);
  return dir;
}
