import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, untilServing } from '../asking.ts';
import type { Row } from '../report.ts';
import type { Bench, Figure } from './figure.ts';

const PM2_LOOK_MS = 15_000;
const BLOCKS_AFTER_MS = 20;

/** How often Grace asks: its default, and a fast profile that a config may choose. */
const PROFILES = [
  { name: 'default probes', liveness: { http: '/' }, intervalMs: 1000, target: { text: '≤ 1.5 s', most: 1500 } },
  {
    name: 'fast probes (200 ms)',
    liveness: { http: '/', every: '200ms', timeout: '200ms' },
    intervalMs: 200,
    target: { text: '≤ 0.6 s', most: 600 },
  },
] as const;

const KINDS = ['stopped', 'blocked'] as const;
const TITLES = { stopped: 'SIGSTOP', blocked: 'blocked event loop' } as const;

/** The process is there and does nothing: stopped by a signal, or caught in a loop. */
export const hang: Figure = {
  name: 'hang',
  async measure(bench) {
    const rows: Row[] = [];
    const peer = bench.pm2 === null ? null : await underPm2(bench);
    for (const profile of PROFILES)
      for (const kind of KINDS) {
        const noticed: number[] = [];
        const serving: number[] = [];
        for (let run = 0; run < bench.runs; run++) {
          const took = await underGrace(bench, kind, profile.liveness, (run / bench.runs) * profile.intervalMs);
          noticed.push(took.noticedMs);
          serving.push(took.servesMs);
        }
        const what = `${TITLES[kind]}, ${profile.name}`;
        rows.push(
          {
            what: `${what}: noticed after`,
            unit: 'intervals',
            grace: noticed.map((ms) => ms / profile.intervalMs),
            ...(peer === null ? {} : { peer: peer[kind] }),
            must: { text: '≤ 3 intervals', most: 3 },
          },
          {
            what: `${what}: serving again`,
            unit: 'ms',
            grace: serving,
            ...(peer === null ? {} : { peer: peer[kind] }),
            limit: 'window + one bare start',
            target: profile.target,
          },
        );
      }
    return rows;
  },
};

async function underGrace(
  { workspace, grace }: Bench,
  kind: (typeof KINDS)[number],
  liveness: object,
  phaseMs: number,
): Promise<{ noticedMs: number; servesMs: number }> {
  const folder = workspace.folder('hang');
  const port = await workspace.freePort();
  const file = grace.writeConfig(folder, {
    app: {
      command: ['node', join(workspace.services, 'answers.mjs')],
      port,
      env: { PORT: String(port) },
      readiness: { http: '/' },
      liveness,
    },
  });
  const up = grace.up(folder, ['--config', file]);
  await up.until((e) => e.type === 'boot_ended');
  const { pid } = await untilServing(port);
  // Begins at another point of the interval in each run: the median is that of a hang at any time.
  await sleep(2500 + phaseMs);
  const hungMs = performance.now();
  await makeHang(workspace, kind, pid, port);
  const noticed = await up.until((e) => e.type === 'component_failed' && e.atMs > hungMs, 60_000);
  const back = await untilServing(port, { timeoutMs: 60_000, ...(kind === 'blocked' ? { except: pid } : {}) });
  await up.stop();
  return { noticedMs: noticed.atMs - hungMs, servesMs: back.atMs - hungMs };
}

/** @returns in words whether it was noticed within 15 s, for each kind */
async function underPm2({ workspace, pm2 }: Bench): Promise<Record<(typeof KINDS)[number], string>> {
  const found = { stopped: '', blocked: '' };
  if (pm2 === null) return found;
  for (const kind of KINDS) {
    const port = await workspace.freePort();
    await pm2.run(['start', join(workspace.services, 'answers.mjs'), '--name', 'app'], workspace.dir, { PORT: String(port) });
    const { pid } = await untilServing(port);
    await makeHang(workspace, kind, pid, port);
    const startedMs = performance.now();
    found[kind] = await untilServing(port, { timeoutMs: PM2_LOOK_MS, everyMs: 50 }).then(
      (back) => `${Math.round(back.atMs - startedMs)} ms`,
      () => 'never (15 s)',
    );
    workspace.signal(pid, 'SIGKILL');
    await pm2.kill();
  }
  return found;
}

async function makeHang(workspace: Bench['workspace'], kind: (typeof KINDS)[number], pid: number, port: number): Promise<void> {
  if (kind === 'stopped') workspace.signal(pid, 'SIGSTOP');
  else {
    await ask(port, '/block');
    await sleep(BLOCKS_AFTER_MS); // it answers, and blocks then
  }
}
