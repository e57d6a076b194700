// What a whole pre-flight of a real service with over a thousand modules takes, cold and warm: see README.md, "Pre-flight".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { untilServing } from './asking.ts';
import { Grace } from './grace.ts';
import { median } from './report.ts';
import { exitOf, Workspace } from './workspace.ts';

const USAGE = `usage: node bench/preflight.ts [--runs N]

Needs the build (npm run -s build) and the registry, for Node-RED. Prints medians, with the least and the most, of N rounds (default: 7).`;

/** A real service: some 1,500 modules are loaded before it listens. */
const SERVICE = { package: 'node-red', version: '4.1.1', entry: 'node_modules/node-red/red.js' };
/** What issue 6 allows. */
const COLD_MS = 1500;
const WARM_MS = 300;
const INSTALL_MS_MAX = 300_000;

const { values } = parseArgs({ options: { runs: { type: 'string', default: '7' }, help: { type: 'boolean', short: 'h' } } });
if (values.help === true) console.log(USAGE);
else await main(Number(values.runs));

interface Check {
  readonly ms: number;
  readonly go: boolean;
  readonly preflight: readonly { readonly name: string; readonly duration_ms: number; readonly remembered: boolean }[];
}

async function main(runs: number): Promise<void> {
  const workspace = new Workspace();
  process.on('exit', () => workspace.close());
  const dir = project(workspace);
  const port = await workspace.freePort();
  const command = ['node', SERVICE.entry, '--userDir', 'data', '--port', String(port)];
  const grace = new Grace(workspace);
  grace.writeConfig(dir, { web: { command, port, readiness: { http: `http://127.0.0.1:${port}/` } } });
  const check = async (): Promise<Check> => {
    const { ms, output } = await workspace.run(grace.argv('check', '--json'), { cwd: dir });
    return { ms, ...(JSON.parse(output.slice(output.indexOf('{'))) as Omit<Check, 'ms'>) };
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
  console.log(`${SERVICE.package} ${SERVICE.version}, ${runs} rounds; ms: median (least–most)`);
  line('bare start, until it answers', bare);
  line(
    `grace check, cold (must ${COLD_MS})`,
    cold.map((c) => c.ms),
  );
  line(
    `grace check, warm (must ${WARM_MS})`,
    warm.map((c) => c.ms),
  );
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
  if (![...cold, ...warm].every((c) => c.go)) console.log('FALSE ALARM: it was not always GO');
}

/** Installed once, outside this repository; each run has a folder of its own beside the installed packages. */
function project(workspace: Workspace): string {
  const cache = join(process.env['GRACE_BENCH_CACHE'] ?? join(tmpdir(), 'grace-bench'), `${SERVICE.package}-${SERVICE.version}`);
  if (!existsSync(join(cache, SERVICE.entry))) {
    mkdirSync(cache, { recursive: true });
    writeFileSync(
      join(cache, 'package.json'),
      JSON.stringify({ name: 'flows', private: true, dependencies: { [SERVICE.package]: SERVICE.version } }),
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
  const dir = workspace.folder('flows');
  // Hard links: as fast as a link to the folder, and the paths are those of a usual project.
  const { status } = spawnSync('cp', ['-al', `${cache}/.`, dir]);
  if (status !== 0) throw new Error(`${cache} cannot be linked into ${dir}`);
  return dir;
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
