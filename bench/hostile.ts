// How long hostile output keeps Grace busy, through the path that every failure takes: see README.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeClock } from '../src/adapters/node/clock.ts';
import { nodeFiles } from '../src/adapters/node/files.ts';
import { nodeIds } from '../src/adapters/node/ids.ts';
import { component } from '../src/catalog/families/testing.ts';
import { HINTS, readFacts } from '../src/catalog/readers/index.ts';
import { Redactor } from '../src/domains/incidents/index.ts';
import { observe } from '../src/domains/learning/index.ts';
import { bootId } from '../src/kernel/index.ts';

const USAGE = `usage: node bench/hostile.ts [--hints] [--runs N]

Prints for each hostile output, from the log file to the failure that is stored, the median of N runs (default 5), after an
ordinary failure: milliseconds of CPU time of all threads, and of wall time, which others on the machine lengthen. --hints also tries every word that a rule waits for, in front of repeated text,
and prints the worst ten.`;

/** What one hostile output may cost; bench/README.md says what was measured. */
const MUST_MS = 50;
const TEXT_BYTES = 40 * 1024;
const LINE_BYTES = 500;
const LONG_LINE_BYTES = 100 * 1024 * 1024;

const ATOMS: Readonly<Record<string, string>> = {
  'a.': 'a.', '(': '(', '/a': '/a', digits: '0123456789', 'at ': 'at ', quotes: '"', apostrophes: "a'", spaces: ' ', colons: 'a: ',
  brackets: '[{', equals: 'a=b ', capitals: 'A_B ', hosts: 'a.b:80 ', escapes: '\u001B[31m', titles: '\u001B]0;x', controls: '\u0000\u0008',
  JSON: '{"a":', causes: 'Caused by: ', errors: 'Error: ', addresses: '1.1.1.1', hex: 'deadbeef', 'bidi marks': 'a\u202E',
}; // prettier-ignore

/** Behind the word that a rule waits for. */
const TAILS = ['a', ' ', '0', '.', '/', ': ', '"', "'", '(', 'a.', 'a ', '-', '[', 'A_', '=', '/a'];

const ORDINARY = `Error: listen EADDRINUSE: address already in use :::3000\n    at main (/srv/app/server.js:1:2)\n`;

const { values: options } = parseArgs({
  options: {
    hints: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) console.log(USAGE);
else await main(Number(options.runs));

interface Timed {
  readonly name: string;
  readonly cpuMs: number;
  readonly wallMs: number;
}

async function main(runs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'grace-hostile-'));
  try {
    const file = join(folder, 'component.log');
    for (let run = 0; run < 20; run++) await capture(file, ORDINARY);
    const results: Timed[] = [];
    for (const [name, output] of outputs()) results.push(await time(name, output, file, runs));
    print(results);
    const hinted = options.hints ? (await timeHints(file)).toSorted((a, b) => b.cpuMs - a.cpuMs) : [];
    print(hinted.slice(0, 10));
    const slow = [...results, ...hinted].filter((one) => one.cpuMs > MUST_MS);
    console.log(slow.length === 0 ? `all within ${MUST_MS} ms` : `${slow.length} above ${MUST_MS} ms`);
    if (slow.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function* outputs(): Generator<readonly [string, string | Buffer]> {
  for (const [name, atom] of Object.entries(ATOMS)) {
    yield [`${name}, one line`, repeated(atom, TEXT_BYTES)];
    yield [`${name}, lines of ${LINE_BYTES}`, lines(repeated(atom, LINE_BYTES))];
    yield [`${name}, short lines`, lines(atom)];
    yield [`${name}, short lines that differ`, numbered(atom)];
  }
  yield ['invalid UTF-8', Buffer.alloc(TEXT_BYTES, 0xff)];
  yield ['invalid UTF-8, lines', Buffer.from(lines('\u00ff\u00c0\u00fe'), 'latin1')];
  yield ['a line of 100 MB', Buffer.alloc(LONG_LINE_BYTES, 'at a.(/1')];
}

function repeated(atom: string, bytes: number): string {
  return atom.repeat(Math.ceil(bytes / atom.length));
}

function numbered(line: string): string {
  return Array.from({ length: Math.ceil(TEXT_BYTES / (line.length + 6)) }, (_, at) => `${line}${at}\n`).join('');
}

function lines(line: string): string {
  return repeated(`${line}\n`, TEXT_BYTES);
}

async function time(name: string, output: string | Buffer, file: string, runs: number): Promise<Timed> {
  writeFileSync(file, output);
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    const startMs = performance.now();
    await observed(file);
    wall.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  return { name, cpuMs: median(cpu), wallMs: median(wall) };
}

async function timeHints(file: string): Promise<readonly Timed[]> {
  const results: Timed[] = [];
  for (const hint of HINTS) {
    for (const tail of TAILS) {
      // Readers do not read the same line again and again.
      const varied = Array.from(
        { length: Math.ceil(TEXT_BYTES / LINE_BYTES) },
        (_, at) => `${hint}${repeated(tail, LINE_BYTES - hint.length)}${at}`,
      );
      const output = varied.join('\n');
      const name = `${JSON.stringify(hint)} before ${JSON.stringify(tail)}`;
      const once = await time(name, output, file, 1);
      // Slow once can be the machine.
      results.push(once.cpuMs > MUST_MS / 2 ? await time(name, output, file, 5) : once);
    }
  }
  return results;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function capture(file: string, output: string): Promise<void> {
  writeFileSync(file, output);
  await observed(file);
}

async function observed(file: string): Promise<void> {
  const redactor = new Redactor();
  redactor.learn(['a secret that is nowhere']);
  await observe(
    {
      bootId: bootId('boot_hostile'),
      stage: 'runtime',
      component: component({ logFile: file }),
      problem: { symptom: 'exit', message: 'it ended', exit: null, spawnCode: null, afterMs: 1, probeDetail: '', vitals: null },
      log: { from: 0, to: null },
      saidElsewhere: '',
      facts: [],
      context: {},
    },
    { clock: nodeClock, ids: nodeIds, files: nodeFiles, redactor, readFacts: async (text) => readFacts(text) },
  );
}

function print(results: readonly Timed[]): void {
  for (const { name, cpuMs, wallMs } of results) console.log(`${shown(cpuMs)} CPU ${shown(wallMs)} wall  ${name}`);
  console.log('');
}

function shown(ms: number): string {
  return ms.toFixed(1).padStart(7);
}
