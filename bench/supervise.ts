// Measures Grace, a bare `node app.mjs` and PM2 side by side. See README.md.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, getPriority, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coldStart } from './figures/cold-start.ts';
import { commands } from './figures/commands.ts';
import { crashLoop } from './figures/crash-loop.ts';
import { crash } from './figures/crash.ts';
import type { Bench, Figure } from './figures/figure.ts';
import { grandchildren } from './figures/grandchildren.ts';
import { hang } from './figures/hang.ts';
import { idle } from './figures/idle.ts';
import { stop } from './figures/stop.ts';
import { supervisorDeath } from './figures/supervisor-death.ts';
import { tenServices } from './figures/ten-services.ts';
import { Grace, GRACE_NODE } from './grace.ts';
import { Pm2 } from './pm2.ts';
import { busyPercent, QUIET_PERCENT, untilQuiet } from './quiet.ts';
import { table, type FigureResult } from './report.ts';
import { Workspace } from './workspace.ts';

const FIGURES: readonly Figure[] = [coldStart, crash, tenServices, idle, hang, stop, grandchildren, supervisorDeath, crashLoop, commands];

const README = join(dirname(fileURLToPath(import.meta.url)), 'README.md');
const RESULTS = /(?<=<!-- results -->\n)[^]*(?=<!-- \/results -->)/;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string', default: '7' },
    json: { type: 'string' },
    readme: { type: 'boolean', default: false },
    'wait-minutes': { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (options.help) {
  console.log(
    `node bench/supervise.ts [--only NAME]… [--runs N] [--json FILE] [--readme] [--wait-minutes N]\n\nNames: ${FIGURES.map((f) => f.name).join(', ')}\n` +
      '--json keeps the figures of an earlier run that are not measured again; --readme puts the table into bench/README.md;\n--wait-minutes waits up to so long in all for others to leave the CPUs alone, and measures again what they disturbed.',
  );
} else await measure();

async function measure(): Promise<void> {
  const runs = Number(options.runs);
  const chosen = options.only === undefined ? FIGURES : FIGURES.filter((f) => options.only?.includes(f.name));
  if (!Number.isInteger(runs) || runs < 1 || chosen.length === 0) {
    console.error(`grace bench: --runs is a whole number from 1, --only one of ${FIGURES.map((f) => f.name).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const workspace = new Workspace();
  process.on('exit', () => workspace.close());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130)); // closes the workspace
  const grace = new Grace(workspace);
  const pm2 = await Pm2.install(workspace, say);
  await workspace.run(grace.argv('--help'), { cwd: workspace.dir });
  const revision = describeRevision();
  const machine = describeMachine(pm2, revision);
  say(machine.join('\n'));
  const results: FigureResult[] = [];
  const patientUntilMs = performance.now() + Number(options['wait-minutes']) * 60_000;
  for (const figure of chosen) {
    try {
      let result = await measureOnce(figure, { workspace, grace, pm2, runs }, revision, patientUntilMs);
      while (isDisturbed(result) && performance.now() < patientUntilMs)
        result = await measureOnce(figure, { workspace, grace, pm2, runs }, revision, patientUntilMs);
      results.push(result);
      if (options.json !== undefined) writeJson(options.json, machine, merge(earlier(options.json), results));
    } catch (error) {
      process.exitCode = 1;
      say(`${figure.name} broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      await pm2?.kill();
      workspace.endAll();
    }
  }
  const peer = pm2 === null ? 'PM2: missing' : `PM2 ${pm2.version}`;
  console.log(`\n${table(results, peer)}`);
  const all = options.json === undefined ? results : merge(earlier(options.json), results);
  if (options.readme) writeReadme([...machine, ...all.map(whenMeasured)], table(all, peer));
}

async function measureOnce(figure: Figure, bench: Bench, revision: string, patientUntilMs: number): Promise<FigureResult> {
  const busyBefore = await untilQuiet(patientUntilMs);
  const at = new Date().toISOString();
  say(`${at.slice(11, 19)} ${figure.name}`);
  const rows = await figure.measure(bench);
  const result = { figure: figure.name, revision, at, runs: bench.runs, busyBefore, busyAfter: await busyPercent(), rows };
  if (isDisturbed(result))
    say(`  disturbed: others used ${busyBefore.toFixed(0)} % of the CPUs before it and ${result.busyAfter.toFixed(0)} % after it`);
  return result;
}

function isDisturbed({ busyBefore, busyAfter }: FigureResult): boolean {
  return Math.max(busyBefore, busyAfter) > QUIET_PERCENT;
}

function writeJson(file: string, machine: readonly string[], results: readonly FigureResult[]): void {
  writeFileSync(file, `${JSON.stringify({ machine, results }, null, 2)}\n`);
}

/** Figures that an earlier run left in the file: one that was disturbed can be measured again alone. */
function earlier(file: string): readonly FigureResult[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { results: readonly FigureResult[] }).results : [];
}

function merge(old: readonly FigureResult[], fresh: readonly FigureResult[]): readonly FigureResult[] {
  return FIGURES.flatMap(({ name }) => fresh.find((r) => r.figure === name) ?? old.find((r) => r.figure === name) ?? []);
}

function whenMeasured({ figure, revision, at, runs, busyBefore, busyAfter }: FigureResult): string {
  const busy = `${busyBefore.toFixed(0)} % of the CPUs in use before it, ${busyAfter.toFixed(0)} % after it`;
  return `\`${figure}\` of ${revision} at ${at.slice(11, 16)}, ${runs} run${runs === 1 ? '' : 's'}: ${busy}`;
}

function writeReadme(about: readonly string[], text: string): void {
  const page = readFileSync(README, 'utf8');
  writeFileSync(
    README,
    page.replace(RESULTS, () => `\n${about.map((line) => `- ${line}`).join('\n')}\n\n${text}\n\n`),
  );
}

/** The commit, with a plus when the sources have changed since. */
function describeRevision(): string {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '../src', '../bin') === '' ? '' : '+'}`;
  } catch {
    return 'an unknown revision';
  }
}

function describeMachine(pm2: Pm2 | null, revision: string): readonly string[] {
  const node = (path: string): string => execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, Grace at ${revision}`,
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `Grace on Node ${node(GRACE_NODE)}, services${pm2 === null ? '' : ` and PM2 ${pm2.version}`} on Node ${node('node')}`,
    `load of the machine before the run ${loadOf()}${getPriority() === 0 ? '' : `; everything measured at nice ${getPriority()}`}`,
  ];
}

function loadOf(): string {
  return loadavg()
    .map((l) => l.toFixed(2))
    .join(' ');
}

function say(text: string): void {
  console.error(text);
}
