// Says how many lines a second the template miner sorts. See README.md, "Log templates".
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/kernel/index.ts';
import { TemplateMiner } from '../src/domains/incidents/index.ts';

const HELP = `use: npm run -s bench:miner -- [FILE]

Sorts the lines of FILE, or of standard input, into templates, and prints lines a second of CPU time of the whole process
meanwhile. Reading the file does not count. Each run has a new miner; the first one also pays for compiling the code.

  --runs N   how often (default 5)
`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: { type: 'string', default: '5' }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    const runs = Number(values.runs);
    if (!Number.isInteger(runs) || runs < 1 || positionals.length > 1) throw new Error('bad use; see --help');
    const lines = readFileSync(positionals[0] ?? 0, 'utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (lines.length === 0) throw new Error('there are no lines');
    const rates = Array.from({ length: runs }, () => linesPerSecond(lines));
    const sorted = rates.toSorted((a, b) => a - b);
    const shown = [sorted[runs >> 1], sorted[0], sorted.at(-1), rates[0]].map((rate) => Math.round(rate ?? 0).toLocaleString('en'));
    console.log(
      `${lines.length.toLocaleString('en')} lines, ${runs} runs: ${shown[0]} lines/s of CPU time (${shown[1]} to ${shown[2]}; first run ${shown[3]})`,
    );
  }
} catch (error) {
  console.error(`bench:miner: ${messageOf(error)}`);
  process.exitCode = 2;
}

function linesPerSecond(lines: readonly string[]): number {
  const miner = new TemplateMiner();
  const before = process.cpuUsage();
  for (const line of lines) miner.add(line);
  const { user, system } = process.cpuUsage(before);
  return (lines.length / (user + system)) * 1_000_000;
}
