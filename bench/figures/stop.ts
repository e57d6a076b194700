import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilServing } from '../asking.ts';
import { isAlive } from '../workspace.ts';
import type { Bench, Figure } from './figure.ts';

/** The same for both; PM2's own default is 1.6 s, Grace's 5 s. */
const GRACE_MS = 1000;

/** Stop of a service that ignores signals: the time beyond what it was given. */
export const stop: Figure = {
  name: 'stop',
  async measure(bench) {
    const grace = { died: [] as number[], ended: [] as number[] };
    const peer = { died: [] as number[], ended: [] as number[] };
    for (let run = 0; run < bench.runs; run++) {
      await underPm2(bench, peer);
      await underGrace(bench, grace);
    }
    return [
      {
        what: 'stop of an app that ignores SIGTERM: gone, beyond its grace time',
        unit: 'ms',
        grace: grace.died,
        peer: peer.died,
        limit: '0',
        target: { text: '≤ 100 ms', most: 100 },
        note: 'grace time 1 s for both',
      },
      {
        what: 'the stopping command itself is back, beyond the grace time',
        unit: 'ms',
        grace: grace.ended,
        peer: peer.ended,
        limit: '0',
        target: { text: '≤ 100 ms', most: 100 },
      },
    ];
  },
};

async function underGrace({ workspace, grace }: Bench, into: { died: number[]; ended: number[] }): Promise<void> {
  const folder = workspace.folder('stop');
  const port = await workspace.freePort();
  const file = grace.writeConfig(folder, {
    app: {
      command: ['node', join(workspace.services, 'ignores-sigterm.mjs')],
      port,
      env: { PORT: String(port) },
      readiness: { http: '/' },
      stop: { grace: `${GRACE_MS}ms` },
    },
  });
  const up = grace.up(folder, ['--config', file]);
  await up.until((e) => e.type === 'boot_ended');
  const { pid } = await untilServing(port);
  await sleep(3000);
  const gone = untilGone(pid);
  const tookMs = await up.stop();
  into.died.push((await gone) - GRACE_MS);
  into.ended.push(tookMs - GRACE_MS);
}

async function underPm2({ workspace, pm2 }: Bench, into: { died: number[]; ended: number[] }): Promise<void> {
  if (pm2 === null) return;
  const port = await workspace.freePort();
  await pm2.run(
    ['start', join(workspace.services, 'ignores-sigterm.mjs'), '--name', 'app', '--kill-timeout', String(GRACE_MS)],
    workspace.dir,
    {
      PORT: String(port),
    },
  );
  const { pid } = await untilServing(port);
  await sleep(500);
  const gone = untilGone(pid);
  const { ms } = await pm2.run(['stop', 'app'], workspace.dir);
  into.died.push((await gone) - GRACE_MS);
  into.ended.push(ms - GRACE_MS);
  await pm2.kill();
}

async function untilGone(pid: number): Promise<number> {
  const startedMs = performance.now();
  while (isAlive(pid) && performance.now() - startedMs < 60_000) await sleep(2);
  return performance.now() - startedMs;
}
