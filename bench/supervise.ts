// Measures Grace, a bare `node app.mjs` and PM2 side by side. See README.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coldStart } from './figures/cold-start.ts';
import { commands } from './figures/commands.ts';
import { crashLoop } from './figures/crash-loop.ts';
import { crash } from './figures/crash.ts';
import type { Figure } from './figures/figure.ts';
import { grandchildren } from './figures/grandchildren.ts';
import { hang } from './figures/hang.ts';
import { idle } from './figures/idle.ts';
import { stop } from './figures/stop.ts';
import { supervisorDeath } from './figures/supervisor-death.ts';
import { tenServices } from './figures/ten-services.ts';
import { Grace, GRACE_NODE } from './grace.ts';
import { Pm2 } from './pm2.ts';
import { table, type FigureResult } from './report.ts';
import { Workspace } from './workspace.ts';

const FIGURES: readonly Figure[] = [coldStart, crash, tenServices, idle, hang, stop, grandchildren, supervisorDeath, crashLoop, commands];

/** Above this somebody else uses the machine, and the figures say more about them. */
const QUIET_LOAD = 0.7;
const README = join(dirname(fileURLToPath(import.meta.url)), 'README.md');
const RESULTS = /(?<=<!-- results -->\n)[^]*(?=<!-- \/results -->)/;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string', default: '7' },
    json: { type: 'string' },
    readme: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (options.help) {
  console.log(
    `node bench/supervise.ts [--only NAME]… [--runs N] [--json FILE] [--readme]\n\nNames: ${FIGURES.map((f) => f.name).join(', ')}\n` +
      '--readme puts the table into bench/README.md.',
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
  const machine = describeMachine(pm2);
  say(machine.join('\n'));
  if ((loadavg()[0] ?? 0) > QUIET_LOAD) say(`the machine is busy (load ${loadOf()}): these figures are worth little`);
  const results: FigureResult[] = [];
  for (const figure of chosen) {
    const loadBefore = loadavg()[0] ?? 0;
    say(`${new Date().toISOString().slice(11, 19)} ${figure.name}`);
    try {
      results.push({ figure: figure.name, rows: await figure.measure({ workspace, grace, pm2, runs }), loadBefore });
    } catch (error) {
      process.exitCode = 1;
      say(`${figure.name} broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      await pm2?.kill();
      workspace.endAll();
    }
  }
  const text = table(results, pm2 === null ? 'PM2: missing' : `PM2 ${pm2.version}`);
  console.log(`\n${text}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, runs, results }, null, 2)}\n`);
  if (options.readme) {
    const about = [...machine, `${runs} interleaved runs (one for \`idle\`, \`grandchildren\` and \`crash-loop\`)`];
    const page = readFileSync(README, 'utf8');
    writeFileSync(
      README,
      page.replace(RESULTS, () => `\n${about.map((line) => `- ${line}`).join('\n')}\n\n${text}\n\n`),
    );
  }
}

function describeMachine(pm2: Pm2 | null): readonly string[] {
  const node = (path: string): string => execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  const git = (...args: readonly string[]): string => {
    try {
      return execFileSync('git', args, { cwd: dirname(README), encoding: 'utf8' }).trim();
    } catch {
      return '';
    }
  };
  const isDirty = git('status', '--porcelain', '--', '../src', '../bin') !== '';
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, Grace at ${git('rev-parse', '--short', 'HEAD')}${isDirty ? ' with changes that are not committed' : ''}`,
    `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    `Grace on Node ${node(GRACE_NODE)}, services${pm2 === null ? '' : ` and PM2 ${pm2.version}`} on Node ${node('node')}`,
    `load of the machine before the run ${loadOf()}`,
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
