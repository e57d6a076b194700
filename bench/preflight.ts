// What a whole pre-flight of a real service with over a thousand modules takes, cold and warm: see README.md, "Pre-flight".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { untilServing } from './asking.ts';
import { Grace } from './grace.ts';
import { median } from './report.ts';
import { exitOf, Workspace } from './workspace.ts';

const USAGE = `usage: node bench/preflight.ts [--runs N]

Needs the build (npm run -s build) and the registry, for verdaccio. Prints medians, with the least and the most, of N rounds (default: 7).`;

/** A real service with 1,213 modules in its import graph, a package registry. Of Node-RED there are some 670. */
const SERVICE = { package: 'verdaccio', version: '6.8.0', entry: 'node_modules/verdaccio/bin/verdaccio' };
/** It asks for a tag, "cjs", which not every registry has. */
const OVERRIDES = { 'node-fetch': '2.7.0' };
const SETTINGS = `storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
uplinks: {}
packages:
  '**':
    access: $all
    publish: $all
log: { type: stdout, format: pretty, level: warn }
`;
/** What a large service is, at least. */
const MODULES_MIN = 1000;
/** What issue 6 allows. */
const COLD_MS = 1500;
const WARM_MS = 300;
const INSTALL_MS_MAX = 300_000;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' }, help: { type: 'boolean', short: 'h' } } });
if (values.help === true) console.log(USAGE);
else await main(Number(values.runs));

interface Check {
  /** Until it has ended, on the clock. */
  readonly ms: number;
  /** Time on a processor, of Grace and of what it starts: what others on the machine do counts less. */
  readonly cpuMs: number;
  readonly go: boolean;
  readonly preflight: readonly { readonly name: string; readonly duration_ms: number; readonly remembered: boolean }[];
}

async function main(runs: number): Promise<void> {
  const workspace = new Workspace();
  process.on('exit', () => workspace.close());
  const dir = project(workspace);
  const port = await workspace.freePort();
  const command = ['node', SERVICE.entry, '--config', 'config.yaml', '--listen', `127.0.0.1:${port}`];
  const grace = new Grace(workspace);
  grace.writeConfig(dir, { web: { command, port, readiness: { http: `http://127.0.0.1:${port}/` } } });
  const check = async (): Promise<Check> => {
    const timed = ['bash', '-c', 'TIMEFORMAT="CPU %U %S"; time "$0" "$@"', ...grace.argv('check', '--json')];
    const { ms, output } = await workspace.run(timed, { cwd: dir });
    const [, user, system] = /^CPU ([\d.]+) ([\d.]+)$/m.exec(output) ?? [];
    const cpuMs = (Number(user) + Number(system)) * 1000;
    const report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1)) as Omit<Check, 'ms' | 'cpuMs'>;
    return { ms, cpuMs, ...report };
  };
  const bare: number[] = [];
  const cold: Check[] = [];
  for (let n = 0; n < runs; n++) {
    const startMs = performance.now();
    const child = workspace.start(command, { cwd: dir });
    bare.push((await untilServing(port, { timeoutMs: 60_000 })).atMs - startMs);
    child.kill('SIGTERM');
    await exitOf(child);
    rmSync(join(dir, '.grace'), { recursive: true, force: true });
    cold.push(await check());
  }
  await boot(workspace, grace.argv('up', '--json'), dir, port);
  const warm: Check[] = [];
  for (let n = 0; n < runs; n++) warm.push(await check());
  const modules = moduleCount(dir);
  console.log(
    `${SERVICE.package} ${SERVICE.version}, ${modules} modules, ${runs} rounds, load ${loadavg()[0]?.toFixed(1)}; ms: median (least–most)`,
  );
  line('bare start, until it answers', bare);
  for (const [what, checks, must] of [
    ['cold', cold, COLD_MS],
    ['warm', warm, WARM_MS],
  ] as const) {
    line(
      `grace check, ${what} (must ${must})`,
      checks.map((c) => c.ms),
    );
    line(
      `grace check, ${what}, processor time`,
      checks.map((c) => c.cpuMs),
    );
  }
  for (const name of new Set(cold.flatMap((c) => c.preflight.map((p) => p.name)))) {
    const of = (checks: readonly Check[]) => checks.flatMap((c) => c.preflight.filter((p) => p.name === name));
    const isRemembered = of(warm).every((p) => p.remembered);
    line(
      `  ${name}, cold`,
      of(cold).map((p) => p.duration_ms),
    );
    line(
      `  ${name}, warm${isRemembered ? ' (remembered)' : ''}`,
      of(warm).map((p) => p.duration_ms),
    );
  }
  if (modules < MODULES_MIN) console.log(`TOO SMALL: ${modules} modules`);
  if (![...cold, ...warm].every((c) => c.go)) console.log('FALSE ALARM: it was not always GO');
}

/** Installed once, outside this repository; each run has a folder of its own beside the installed packages. */
function project(workspace: Workspace): string {
  const cache = join(process.env['GRACE_BENCH_CACHE'] ?? join(tmpdir(), 'grace-bench'), `${SERVICE.package}-${SERVICE.version}`);
  if (!existsSync(join(cache, SERVICE.entry))) {
    mkdirSync(cache, { recursive: true });
    writeFileSync(
      join(cache, 'package.json'),
      JSON.stringify({ name: 'registry', private: true, dependencies: { [SERVICE.package]: SERVICE.version }, overrides: OVERRIDES }),
    );
    console.error(`installing ${SERVICE.package} in ${cache}`);
    const result = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: cache,
      encoding: 'utf8',
      timeout: INSTALL_MS_MAX,
    });
    if (!existsSync(join(cache, SERVICE.entry)))
      throw new Error(`${SERVICE.package} cannot be installed: ${(result.stderr ?? '').slice(0, 300)}`);
  }
  const dir = workspace.folder('registry');
  // Hard links: as fast as a link to the folder, and the paths are those of a usual project.
  const { status } = spawnSync('cp', ['-al', `${cache}/.`, dir]);
  if (status !== 0) throw new Error(`${cache} cannot be linked into ${dir}`);
  writeFileSync(join(dir, 'config.yaml'), SETTINGS);
  return dir;
}

/** As the check of imports counted them, in what it remembers. */
function moduleCount(dir: string): number {
  const memory = JSON.parse(readFileSync(join(dir, '.grace', 'import-graph.json'), 'utf8')) as {
    readonly services: readonly { readonly graph: { readonly moduleCount: number } }[];
  };
  return memory.services[0]?.graph.moduleCount ?? 0;
}

/** One boot until it is verified, so that what the checks found is remembered. */
async function boot(workspace: Workspace, argv: readonly string[], dir: string, port: number): Promise<void> {
  const child = workspace.start(argv, { cwd: dir });
  await untilServing(port, { timeoutMs: 60_000 });
  await sleep(5000);
  child.kill('SIGTERM');
  await exitOf(child);
}

function line(what: string, samples: readonly number[]): void {
  if (samples.length === 0) return;
  const round = (ms: number): string => ms.toFixed(0);
  console.log(`${what.padEnd(44)} ${round(median(samples)).padStart(6)} (${round(Math.min(...samples))}–${round(Math.max(...samples))})`);
}
