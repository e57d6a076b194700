import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { untilServing } from '../asking.ts';
import type { Row } from '../report.ts';
import { exitOf } from '../workspace.ts';
import type { Bench, Figure } from './figure.ts';

const TARGET = { text: '≤ 130 ms', most: 130 };
const MUST = { text: '< 600 ms', most: 600 };
const LIMIT = '~105 ms (two Node starts)';

/** From the command to the first answer, with no supervisor running before. */
export const coldStart: Figure = {
  name: 'cold-start',
  async measure(bench) {
    const bare: number[] = [];
    const peer: number[] = [];
    const taken = {
      configFirst: [] as number[],
      configSecond: [] as number[],
      configSaysUp: [] as number[],
      commandFirst: [] as number[],
      commandSecond: [] as number[],
    };
    for (let run = 0; run < bench.runs; run++) {
      bare.push(await bareStart(bench));
      if (bench.pm2) peer.push(await pm2Start(bench));
      const config = projectWith(bench);
      const port = await bench.workspace.freePort();
      const file = bench.grace.writeConfig(config, {
        app: { command: ['node', 'app.mjs'], port, env: { PORT: String(port) }, readiness: { http: '/' }, liveness: { http: '/' } },
      });
      const first = await graceStart(bench, config, ['--config', file], port);
      taken.configFirst.push(first.servesMs);
      taken.configSaysUp.push(first.saysUpMs);
      taken.configSecond.push((await graceStart(bench, config, ['--config', file], port)).servesMs);
      const command = projectWith(bench);
      for (const into of [taken.commandFirst, taken.commandSecond])
        into.push((await graceStart(bench, command, ['--', 'node', 'app.mjs'], await bench.workspace.freePort())).servesMs);
      for (const dir of [config, command]) rmSync(dir, { recursive: true, force: true });
    }
    const row = (what: string, grace: readonly number[]): Row => ({
      what,
      unit: 'ms',
      grace,
      bare,
      peer,
      limit: LIMIT,
      target: TARGET,
      must: MUST,
    });
    return [
      row('cold start, `grace up --config`, first boot', taken.configFirst),
      row('cold start, `grace up --config`, second boot', taken.configSecond),
      row('cold start, `grace up -- node app.mjs`, first boot', taken.commandFirst),
      row('cold start, `grace up -- node app.mjs`, second boot', taken.commandSecond),
      { what: 'cold start until Grace itself says up (all eight stages, first boot)', unit: 'ms', grace: taken.configSaysUp, bare },
    ];
  },
};

function projectWith(bench: Bench): string {
  const dir = bench.workspace.folder('project');
  copyFileSync(join(bench.workspace.services, 'answers.mjs'), join(dir, 'app.mjs'));
  return dir;
}

/** The service alone, started as a shell would. */
export async function bareStart({ workspace }: Bench): Promise<number> {
  const port = await workspace.freePort();
  const startedMs = performance.now();
  const child = workspace.start(['node', join(workspace.services, 'answers.mjs')], { cwd: workspace.dir, env: { PORT: String(port) } });
  const { atMs } = await untilServing(port);
  child.kill('SIGKILL');
  await exitOf(child);
  return atMs - startedMs;
}

async function pm2Start({ workspace, pm2 }: Bench): Promise<number> {
  if (pm2 === null) return Number.NaN;
  const port = await workspace.freePort();
  const startedMs = performance.now();
  const command = pm2.run(['start', join(workspace.services, 'answers.mjs'), '--name', 'app'], workspace.dir, { PORT: String(port) });
  const { atMs } = await untilServing(port);
  await command;
  await pm2.kill();
  return atMs - startedMs;
}

async function graceStart(
  { grace }: Bench,
  folder: string,
  args: readonly string[],
  port: number,
): Promise<{ servesMs: number; saysUpMs: number }> {
  const startedMs = performance.now();
  const up = grace.up(folder, args, { PORT: String(port) });
  const { atMs } = await untilServing(port);
  const said = await up.until((e) => e.type === 'boot_ended');
  await up.stop();
  return { servesMs: atMs - startedMs, saysUpMs: said.atMs - startedMs };
}
