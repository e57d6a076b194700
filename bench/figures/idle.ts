import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilAllServing } from '../asking.ts';
import type { Bound, Row } from '../report.ts';
import type { Figure } from './figure.ts';
import { startUnderGrace, startUnderPm2 } from './ten-services.ts';

const COUNTS = [1, 10, 50] as const;
/** Boot, soak time and the copies of what was good are over. */
const SETTLE_MS = 8000;
const SAMPLE_MS = 20_000;

interface Idle {
  readonly rssMiB: number;
  readonly pssMiB: number;
  readonly privateMiB: number;
  readonly cpuPercent: number;
}

/** What the supervisor alone costs while nothing happens. One sample of 20 s each: the time is the average. */
export const idle: Figure = {
  name: 'idle',
  async measure(bench) {
    const rows: Row[] = [];
    for (const count of COUNTS) {
      let peer: Idle | null = null;
      if (bench.pm2) {
        const ports = await bench.workspace.freePorts(count);
        await startUnderPm2(bench, ports);
        await untilAllServing(ports);
        peer = await costOf(bench.pm2.daemonPid);
        await bench.pm2.kill();
      }
      const ports = await bench.workspace.freePorts(count);
      const up = startUnderGrace(bench, ports);
      await up.until((e) => e.type === 'boot_ended', 60_000);
      const grace = await costOf(up.pid);
      await up.stop();
      rows.push(...rowsFor(count, grace, peer));
    }
    return rows;
  },
};

async function costOf(pid: number): Promise<Idle> {
  await sleep(SETTLE_MS);
  const [beforeMs, beforeCpuMs] = [performance.now(), cpuMsOf(pid)];
  await sleep(SAMPLE_MS);
  const cpuPercent = ((cpuMsOf(pid) - beforeCpuMs) / (performance.now() - beforeMs)) * 100;
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1024;
  return { rssMiB: mib('Rss'), pssMiB: mib('Pss'), privateMiB: mib('Private_Clean') + mib('Private_Dirty'), cpuPercent };
}

/** Of all its threads, in nanoseconds by the scheduler: the usual ticks of 10 ms are too coarse here. */
function cpuMsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6)
    .reduce((sum, ms) => sum + ms, 0);
}

function rowsFor(count: number, grace: Idle, peer: Idle | null): readonly Row[] {
  const what = `with ${count} service${count === 1 ? '' : 's'}`;
  const bound = (most: number, unit: string): Bound => ({ text: `≤ ${most} ${unit}`, most });
  const peerOf = (pick: (of: Idle) => number): { peer?: readonly number[] } => (peer === null ? {} : { peer: [pick(peer)] });
  return [
    {
      what: `idle RSS ${what}`,
      unit: 'MiB',
      grace: [grace.rssMiB],
      ...peerOf((p) => p.rssMiB),
      limit: '40 (Node)',
      ...(count === 10 ? { target: bound(52, 'MiB'), must: bound(90, 'MiB') } : {}),
    },
    { what: `idle PSS ${what}`, unit: 'MiB', grace: [grace.pssMiB], ...peerOf((p) => p.pssMiB) },
    {
      what: `idle private memory ${what}`,
      unit: 'MiB',
      grace: [grace.privateMiB],
      ...peerOf((p) => p.privateMiB),
      limit: '5.8 (Node)',
      ...(count === 10 ? { target: bound(12, 'MiB') } : {}),
    },
    {
      what: `idle CPU ${what}`,
      unit: '%',
      grace: [grace.cpuPercent],
      ...peerOf((p) => p.cpuPercent),
      ...(count === 10 ? { must: bound(0.2, '%') } : count === 50 ? { target: bound(1.5, '%') } : {}),
      ...(count === 1 ? { note: 'Grace asks each service over HTTP every second; PM2 asks none, and reads their memory and CPU' } : {}),
    },
  ];
}
