import { join } from 'node:path';
import { GRACE_NODE } from '../grace.ts';
import { untilServing } from '../asking.ts';
import type { Row } from '../report.ts';
import type { Figure } from './figure.ts';

/** How long commands take that only look. */
export const commands: Figure = {
  name: 'commands',
  async measure({ workspace, grace, pm2, runs }) {
    const folder = workspace.folder('commands');
    const port = await workspace.freePort();
    const file = grace.writeConfig(folder, {
      app: { command: ['node', join(workspace.services, 'answers.mjs')], port, env: { PORT: String(port) }, readiness: { http: '/' } },
    });
    const peerPort = await workspace.freePort();
    await pm2?.run(['start', join(workspace.services, 'answers.mjs'), '--name', 'app'], folder, { PORT: String(peerPort) });
    if (pm2) await untilServing(peerPort);
    const up = grace.up(folder, ['--config', file]);
    await up.until((e) => e.type === 'boot_ended');
    const took = { node: [] as number[], help: [] as number[], status: [] as number[], explain: [] as number[] };
    const peer = { help: [] as number[], status: [] as number[] };
    const graceRun = async (...args: readonly string[]): Promise<{ ms: number; isKnown: boolean }> => {
      const { ms, output } = await workspace.run(grace.argv(...args), { cwd: folder });
      return { ms, isKnown: !output.includes('unknown command') };
    };
    for (let run = 0; run < runs; run++) {
      took.node.push((await workspace.run([GRACE_NODE, '-e', '0'], { cwd: folder })).ms);
      took.help.push((await graceRun('--help')).ms);
      const status = await graceRun('status', '--config', file);
      if (status.isKnown) took.status.push(status.ms);
      took.explain.push((await graceRun('explain', '--config', file)).ms);
      if (pm2) {
        peer.help.push((await pm2.run(['--help'], folder)).ms);
        peer.status.push((await pm2.run(['status'], folder)).ms);
      }
    }
    await up.stop();
    await pm2?.kill();
    const row = (what: string, samples: readonly number[], peerSamples?: readonly number[]): Row => ({
      what,
      unit: 'ms',
      grace: samples,
      ...(pm2 === null || peerSamples === undefined ? {} : { peer: peerSamples }),
      limit: 'one Node start',
    });
    return [
      row("`node -e 0` on Grace's Node", took.node),
      row('`grace --help`', took.help, peer.help),
      { ...row('`grace status` beside a running service', took.status, peer.status), target: { text: '≤ 200 ms', most: 200 } },
      row('`grace explain` beside a running service', took.explain),
    ];
  },
};
