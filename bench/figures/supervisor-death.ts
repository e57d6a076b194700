import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, keepAsking, untilServing } from '../asking.ts';
import type { Bench, Figure } from './figure.ts';

const ASK_EVERY_MS = 5;
/** How long the service is alone. */
const ALONE_MS = 1000;

interface Death {
  /** Requests without an answer. */
  readonly failed: number[];
  /** From the new command until the service is watched again. */
  readonly backMs: number[];
  readonly extraStarts: number[];
}

/** kill -9 of the supervisor itself while a client asks steadily, and a new one a second later. */
export const supervisorDeath: Figure = {
  name: 'supervisor-death',
  async measure(bench) {
    const grace: Death = { failed: [], backMs: [], extraStarts: [] };
    const peerFailed: number[] = [];
    for (let run = 0; run < bench.runs; run++) {
      if (bench.pm2) peerFailed.push(await underPm2(bench));
      await underGrace(bench, grace);
    }
    const peer = bench.pm2 === null ? {} : { peer: peerFailed };
    return [
      {
        what: 'supervisor killed -9: failed requests of about 250 asked until it is back',
        unit: '',
        grace: grace.failed,
        ...peer,
        limit: '0',
        target: { text: '0', most: 0 },
        note: 'PM2 is not started again',
      },
      {
        what: 'supervisor killed -9: new `grace up` → app adopted',
        unit: 'ms',
        grace: grace.backMs,
        target: { text: '≤ 300 ms', most: 300 },
      },
      {
        what: 'supervisor killed -9: extra starts of the app',
        unit: '',
        grace: grace.extraStarts,
        limit: '0',
        target: { text: '0', most: 0 },
      },
    ];
  },
};

async function underGrace({ workspace, grace }: Bench, into: Death): Promise<void> {
  const folder = workspace.folder('death');
  const port = await workspace.freePort();
  const starts = join(folder, 'starts');
  const file = grace.writeConfig(folder, {
    app: {
      command: ['node', join(workspace.services, 'answers.mjs')],
      port,
      env: { PORT: String(port), STARTS_FILE: starts },
      readiness: { http: '/' },
      liveness: { http: '/' },
    },
  });
  const first = grace.up(folder, ['--config', file]);
  await first.until((e) => e.type === 'boot_ended');
  await untilServing(port);
  await sleep(2500);
  const client = keepAsking(port, ASK_EVERY_MS);
  await sleep(100);
  await first.kill();
  await sleep(ALONE_MS);
  const startedMs = performance.now();
  const second = grace.up(folder, ['--config', file]);
  const adopted = await second.until((e) => e.type === 'component_ready');
  await second.until((e) => e.type === 'boot_ended');
  into.backMs.push(adopted['adopted'] === true ? adopted.atMs - startedMs : Number.POSITIVE_INFINITY);
  into.failed.push((await client.stop()).failed);
  into.extraStarts.push(readFileSync(starts, 'utf8').trim().split('\n').length - 1);
  await second.stop();
}

async function underPm2({ workspace, pm2 }: Bench): Promise<number> {
  if (pm2 === null) return Number.NaN;
  const port = await workspace.freePort();
  const label = `pm2-death-${port}`;
  await pm2.run(['start', join(workspace.services, 'answers.mjs'), '--name', 'app'], workspace.dir, {
    PORT: String(port),
    CHILD_OF: label,
  });
  await untilServing(port);
  await sleep(500);
  const client = keepAsking(port, ASK_EVERY_MS);
  await sleep(100);
  workspace.signal(pm2.daemonPid, 'SIGKILL');
  await sleep(ALONE_MS + 300);
  const { failed } = await client.stop();
  if ((await ask(port)).state === 'ok') workspace.endAll({ CHILD_OF: label });
  await pm2.kill();
  return failed;
}
