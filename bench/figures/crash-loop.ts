import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Figure } from './figure.ts';

const LOOK_MS = 30_000;
/** What the service cannot read: a diagnosis that names it names the cause. */
const CAUSE = 'settings/payment.json';

interface Loop {
  readonly starts: number;
  readonly namesCause: boolean;
  readonly said: string;
  /** From the first start of the app to the first words about it. */
  readonly afterMs: number | null;
}

/** A service that ends with code 1 at once: how often it is started in 30 s, and what is said about it. */
export const crashLoop: Figure = {
  name: 'crash-loop',
  async measure(bench) {
    // One after the other would take a minute; starting nothing most of the time, they do not disturb each other.
    const [grace, peer] = await Promise.all([underGrace(bench), bench.pm2 === null ? null : underPm2(bench)]);
    return [
      {
        what: 'app exits 1 at once: starts within 30 s',
        unit: '',
        grace: [grace.starts],
        ...(peer === null ? {} : { peer: [peer.starts] }),
        limit: '1',
        target: { text: '≤ 3', most: 3 },
      },
      {
        what: 'faults whose first diagnosis does not name the cause, of 1',
        unit: '',
        grace: [grace.namesCause ? 0 : 1],
        ...(peer === null ? {} : { peer: [peer.namesCause ? 0 : 1] }),
        target: { text: '0', most: 0 },
        note: `Grace says "${grace.said}"; for PM2 it is the output of \`pm2 describe\``,
      },
      {
        what: 'the app has been started → cause is said',
        unit: 'ms',
        grace: grace.afterMs === null ? [] : [grace.afterMs],
        target: { text: '≤ 200 ms after exit', most: 260 },
        note: 'counted from its first line of code, so with its own end in it',
      },
    ];
  },
};

async function underGrace({ workspace, grace }: Bench): Promise<Loop> {
  const folder = workspace.folder('loop');
  const starts = join(folder, 'starts');
  const file = grace.writeConfig(folder, {
    app: {
      command: ['node', join(workspace.services, 'exits-at-once.cjs')],
      port: await workspace.freePort(),
      env: { STARTS_FILE: starts },
      readiness: { http: '/' },
    },
  });
  const up = grace.up(folder, ['--config', file, '--hold']);
  const diagnosed = up.until((e) => e.type === 'diagnosed', LOOK_MS).catch(() => null);
  await sleep(LOOK_MS);
  const said = await diagnosed;
  const cause = typeof said?.['cause'] === 'string' ? said['cause'] : 'nothing';
  const bornMs = existsSync(starts) ? statSync(starts).birthtimeMs : null;
  const loop: Loop = {
    starts: lines(starts),
    namesCause: cause.includes(CAUSE),
    said: cause,
    afterMs: said === null || bornMs === null ? null : performance.timeOrigin + said.atMs - bornMs,
  };
  await up.stop();
  return loop;
}

async function underPm2({ workspace, pm2 }: Bench): Promise<Loop> {
  if (pm2 === null) return { starts: 0, namesCause: false, said: '', afterMs: null };
  const folder = workspace.folder('loop');
  const starts = join(folder, 'starts');
  await pm2.run(['start', join(workspace.services, 'exits-at-once.cjs'), '--name', 'app'], folder, { STARTS_FILE: starts });
  await sleep(LOOK_MS);
  const { output } = await pm2.run(['describe', 'app'], folder);
  const loop: Loop = { starts: lines(starts), namesCause: output.includes(CAUSE), said: '', afterMs: null };
  await pm2.kill();
  return loop;
}

function lines(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
}
