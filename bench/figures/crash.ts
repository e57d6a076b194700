import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilServing } from '../asking.ts';
import { timesBare } from '../report.ts';
import { bareStart } from './cold-start.ts';
import type { Bench, Figure } from './figure.ts';

/** After this a service counts as settled: the boot is over and its copies are taken. */
const SETTLE_MS = 1500;
const AGAIN_AFTER_MS = 200;

interface Crashes {
  readonly first: number[];
  readonly again: number[];
  readonly refused: number[];
}

/** kill -9 of the service, and once more 200 ms after it serves again. */
export const crash: Figure = {
  name: 'crash',
  async measure(bench) {
    const bare: number[] = [];
    const grace: Crashes = { first: [], again: [], refused: [] };
    const peer: Crashes = { first: [], again: [], refused: [] };
    for (let run = 0; run < bench.runs; run++) {
      bare.push(await bareStart(bench));
      await underPm2(bench, peer);
      await underGrace(bench, grace);
    }
    return [
      {
        what: 'kill -9 → serving',
        unit: 'ms',
        grace: grace.first,
        bare,
        peer: peer.first,
        limit: 'one bare start',
        target: { text: '≤ 75 ms', most: 75 },
        must: timesBare(bare, 1.3),
      },
      {
        what: 'killed again 200 ms after it serves → serving',
        unit: 'ms',
        grace: grace.again,
        bare,
        peer: peer.again,
        limit: 'one bare start',
        target: { text: '≤ 90 ms', most: 90 },
      },
      {
        what: 'connections refused on the way (one tried every 2 ms)',
        unit: '',
        grace: grace.refused,
        peer: peer.refused,
        limit: '0',
        target: { text: '0', most: 0 },
        note: 'the held socket is not built yet',
      },
      {
        what: 'kill -9 → serving with `standby: true`',
        unit: 'ms',
        grace: [],
        limit: '~10 ms',
        target: { text: '≤ 20 ms', most: 20 },
      },
    ];
  },
};

async function underGrace({ workspace, grace }: Bench, into: Crashes): Promise<void> {
  const folder = workspace.folder('crash');
  const port = await workspace.freePort();
  const file = grace.writeConfig(folder, {
    app: {
      command: ['node', join(workspace.services, 'answers.mjs')],
      port,
      env: { PORT: String(port) },
      readiness: { http: '/' },
      liveness: { http: '/' },
    },
  });
  const up = grace.up(folder, ['--config', file]);
  await up.until((e) => e.type === 'boot_ended');
  await killTwice(workspace, port, into);
  await up.stop();
}

async function underPm2({ workspace, pm2 }: Bench, into: Crashes): Promise<void> {
  if (pm2 === null) return;
  const port = await workspace.freePort();
  await pm2.run(['start', join(workspace.services, 'answers.mjs'), '--name', 'app'], workspace.dir, { PORT: String(port) });
  await killTwice(workspace, port, into);
  await pm2.kill();
}

async function killTwice(workspace: Bench['workspace'], port: number, into: Crashes): Promise<void> {
  let { pid } = await untilServing(port);
  await sleep(SETTLE_MS);
  for (const times of [into.first, into.again]) {
    const killedMs = performance.now();
    workspace.signal(pid, 'SIGKILL');
    const back = await untilServing(port, { except: pid });
    times.push(back.atMs - killedMs);
    if (times === into.first) into.refused.push(back.refused);
    pid = back.pid;
    await sleep(AGAIN_AFTER_MS);
  }
}
