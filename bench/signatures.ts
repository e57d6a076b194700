// Signs recorded failures, one signature a line: see README.md, "Signatures and hostile text".
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readFacts } from '../src/catalog/readers/index.ts';
import {
  cleanLines,
  compareSignatures,
  computeSignature,
  READ_LINES_MAX,
  windowOf,
  type SignatureResult,
} from '../src/domains/incidents/index.ts';

const USAGE = `usage: node bench/signatures.ts [options] FILE

Prints one signature for each line of FILE, a recorded failure: {"exitCode": 1, "signal": null, "output": "..."}.

  --parts          the parts of each signature instead, for people
  --compare N,M    in which parts the failures on lines N and M differ
  --timing         also milliseconds for each signature, on stderr: cold, and the mean once warm
  --help`;

/** A run of the file is short; the mean of several says more. */
const TIMED_RUNS = 20;

interface RecordedFailure {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly output: string;
}

class BadInput extends Error {}

function main(): void {
  const { values: options, positionals } = readArguments();
  const [file, ...rest] = positionals;
  if (options.help) return console.log(USAGE);
  if (file === undefined || rest.length > 0) throw new BadInput(USAGE);
  const failures = readFailures(file);
  const startMs = performance.now();
  const signed = failures.map(sign);
  const coldMs = performance.now() - startMs;
  for (const line of shown(signed, options)) process.stdout.write(`${line}\n`);
  if (options.timing && failures.length > 0) timeAgain(failures, coldMs);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        parts: { type: 'boolean', default: false },
        compare: { type: 'string' },
        timing: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new BadInput(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

function readFailures(file: string): readonly RecordedFailure[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadInput(error instanceof Error ? error.message : String(error));
  }
  return text.split('\n').flatMap((line, at) => (line.trim() === '' ? [] : [recordedFailure(line, `${file}:${at + 1}`)]));
}

function recordedFailure(line: string, where: string): RecordedFailure {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new BadInput(`${where}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null) throw new BadInput(`${where}: not an object`);
  const { exitCode = null, signal = null, output } = value as Record<string, unknown>;
  if (exitCode !== null && typeof exitCode !== 'number') throw new BadInput(`${where}: exitCode is neither a number nor null`);
  if (signal !== null && typeof signal !== 'string') throw new BadInput(`${where}: signal is neither a string nor null`);
  if (typeof output !== 'string') throw new BadInput(`${where}: output is not a string`);
  return { exitCode, signal, output };
}

/** As `observe` in domains/learning/capture.ts does, which also redacts and stores. */
function sign({ exitCode, signal, output }: RecordedFailure): SignatureResult {
  return computeSignature({
    component: 'recorded',
    output: readFacts(windowOf(cleanLines(output), READ_LINES_MAX)),
    exitCode,
    signal,
    symptom: 'exit',
    // Nobody recorded where the programs lay.
    directory: '',
  });
}

function shown(signed: readonly SignatureResult[], options: { parts: boolean; compare?: string | undefined }): readonly string[] {
  if (options.compare !== undefined) {
    const [a, b] = options.compare.split(',').map((number) => signed[Number(number) - 1]);
    if (!a || !b) throw new BadInput(`--compare ${options.compare}: expected two line numbers from 1 to ${signed.length}, such as 1,4`);
    return compareSignatures(a.parts, b.parts).map((difference) => difference.words);
  }
  if (!options.parts) return signed.map((one) => one.signature);
  return signed.map((one) => {
    const parts = one.parts.filter((part) => part.value !== '' && part.name !== 'version' && part.name !== 'component');
    return `${one.signature}  ${parts.map((part) => `${part.name}=${part.value}`).join('  ')}`;
  });
}

function timeAgain(failures: readonly RecordedFailure[], coldMs: number): void {
  const startMs = performance.now();
  const before = process.cpuUsage();
  for (let run = 0; run < TIMED_RUNS; run++) failures.forEach(sign);
  const warmMs = (performance.now() - startMs) / TIMED_RUNS;
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000 / TIMED_RUNS;
  const each = (ms: number): string => (ms / failures.length).toFixed(3);
  console.error(
    `${failures.length} failures: ${each(coldMs)} ms each the first time, ${each(warmMs)} ms each over ${TIMED_RUNS} more runs (${each(cpuMs)} ms of CPU time)`,
  );
}

try {
  main();
} catch (error) {
  if (!(error instanceof BadInput)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
