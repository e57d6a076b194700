import { join } from 'node:path';
import { untilAllServing } from '../asking.ts';
import { exitOf } from '../workspace.ts';
import type { Bench, Figure } from './figure.ts';

const SERVICES_COUNT = 10;

/** One config with ten services, from the command until the last one answers. */
export const tenServices: Figure = {
  name: 'ten-services',
  async measure(bench) {
    const bare: number[] = [];
    const peer: number[] = [];
    const grace: number[] = [];
    for (let run = 0; run < bench.runs; run++) {
      bare.push(await bareTen(bench));
      if (bench.pm2) {
        const ports = await bench.workspace.freePorts(SERVICES_COUNT);
        const startedMs = performance.now();
        const command = startUnderPm2(bench, ports);
        peer.push((await untilAllServing(ports)) - startedMs);
        await command;
        await bench.pm2.kill();
      }
      const ports = await bench.workspace.freePorts(SERVICES_COUNT);
      const startedMs = performance.now();
      const up = startUnderGrace(bench, ports);
      grace.push((await untilAllServing(ports)) - startedMs);
      await up.until((e) => e.type === 'boot_ended');
      await up.stop();
    }
    return [
      {
        what: 'ten services ready, cold',
        unit: 'ms',
        grace,
        bare,
        peer,
        limit: 'ten bare starts at once',
        target: { text: '≤ 420 ms', most: 420 },
        must: { text: '≤ 800 ms', most: 800 },
        note: 'bare: ten at once',
      },
    ];
  },
};

/** Each with an HTTP probe for readiness and liveness. */
export function startUnderGrace({ workspace, grace }: Bench, ports: readonly number[]): ReturnType<Bench['grace']['up']> {
  const folder = workspace.folder('many');
  const components = ports.map((port, i) => [
    `app${i + 1}`,
    {
      command: ['node', join(workspace.services, 'answers.mjs')],
      port,
      env: { PORT: String(port) },
      readiness: { http: '/' },
      liveness: { http: '/' },
    },
  ]);
  return grace.up(folder, ['--config', grace.writeConfig(folder, Object.fromEntries(components))]);
}

export async function startUnderPm2({ workspace, pm2 }: Bench, ports: readonly number[]): Promise<void> {
  if (pm2 === null) return;
  const folder = workspace.folder('many');
  const apps = ports.map((port, i) => ({
    name: `app${i + 1}`,
    script: join(workspace.services, 'answers.mjs'),
    env: { PORT: String(port) },
  }));
  await pm2.run(['start', pm2.writeEcosystem(folder, apps)], folder);
}

async function bareTen({ workspace }: Bench): Promise<number> {
  const ports = await workspace.freePorts(SERVICES_COUNT);
  const startedMs = performance.now();
  const children = ports.map((port) =>
    workspace.start(['node', join(workspace.services, 'answers.mjs')], { cwd: workspace.dir, env: { PORT: String(port) } }),
  );
  const atMs = await untilAllServing(ports);
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(children.map(exitOf));
  return atMs - startedMs;
}
