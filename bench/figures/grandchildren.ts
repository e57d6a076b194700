import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, untilServing } from '../asking.ts';
import type { Bench, Figure } from './figure.ts';

/** Left-overs get this long to go. */
const LOOK_AFTER_MS = 1000;

type After = 'stop' | 'crash' | 'restart';

/** How a service may leave processes behind. */
const CASES: readonly { readonly name: string; readonly child: 'plain' | 'session'; readonly inShell: boolean; readonly after: After }[] = [
  { name: 'a plain child, after a stop', child: 'plain', inShell: false, after: 'stop' },
  { name: 'a child in its own session whose parent is gone, after a stop', child: 'session', inShell: false, after: 'stop' },
  { name: 'a service inside a shell wrapper, after a stop', child: 'plain', inShell: true, after: 'stop' },
  { name: 'the child of a service that was killed, after it serves again', child: 'plain', inShell: false, after: 'crash' },
  { name: 'the child of a service that was restarted, after it serves again', child: 'session', inShell: false, after: 'restart' },
];

/** Processes of a service that live on although it was stopped, crashed or was restarted. */
export const grandchildren: Figure = {
  name: 'grandchildren',
  async measure(bench) {
    const left = { grace: [] as string[], peer: [] as string[] };
    for (const [i, one] of CASES.entries()) {
      if (await underGrace(bench, one, `grace${i}`)) left.grace.push(one.name);
      if (bench.pm2 && (await underPm2(bench, one, `pm2-${i}`))) left.peer.push(one.name);
    }
    return [
      {
        what: 'kinds of left-over processes, of 5',
        unit: '',
        grace: [left.grace.length],
        ...(bench.pm2 === null ? {} : { peer: [left.peer.length] }),
        limit: '0',
        target: { text: '0', most: 0 },
        note: `Grace leaves ${left.grace.join('; ') || 'none'}${bench.pm2 === null ? '' : `. PM2 leaves ${left.peer.join('; ') || 'none'}`}`,
      },
    ];
  },
};

async function underGrace(bench: Bench, one: (typeof CASES)[number], label: string): Promise<boolean> {
  const { workspace, grace } = bench;
  const folder = workspace.folder('children');
  const port = await workspace.freePort();
  const env = { PORT: String(port), CHILD_KIND: one.child, CHILD_OF: label };
  const script = join(workspace.services, 'leaves-grandchildren.mjs');
  const file = grace.writeConfig(folder, {
    app: {
      command: one.inShell ? ['sh', '-c', `node ${script}; exit $?`] : ['node', script],
      port,
      env,
      readiness: { http: '/' },
      liveness: { http: '/' },
    },
  });
  const up = grace.up(folder, ['--config', file]);
  await up.until((e) => e.type === 'boot_ended');
  const { pid } = await untilServing(port);
  await sleep(2500);
  // There is no `grace restart` yet: the restart is the one that Grace does by itself because of a hang.
  const provoke: Record<After, () => Promise<unknown>> = {
    stop: () => up.stop(),
    crash: async () => workspace.signal(pid, 'SIGKILL'),
    restart: () => ask(port, '/block'),
  };
  const isLeft = await leavesAny(bench, one.after, label, port, pid, provoke[one.after]);
  await up.stop();
  workspace.endAll({ CHILD_OF: label });
  return isLeft;
}

async function underPm2(bench: Bench, one: (typeof CASES)[number], label: string): Promise<boolean> {
  const { workspace, pm2 } = bench;
  if (pm2 === null) return false;
  const folder = workspace.folder('children');
  const port = await workspace.freePort();
  const env = { PORT: String(port), CHILD_KIND: one.child, CHILD_OF: label };
  const script = join(workspace.services, 'leaves-grandchildren.mjs');
  const app = one.inShell
    ? { name: 'app', script: '/bin/sh', args: ['-c', `node ${script}; exit $?`], interpreter: 'none', env }
    : { name: 'app', script, env };
  await pm2.run(['start', pm2.writeEcosystem(folder, [app])], folder);
  const { pid } = await untilServing(port);
  await sleep(500);
  const provoke: Record<After, () => Promise<unknown>> = {
    stop: () => pm2.run(['stop', 'app'], folder),
    crash: async () => workspace.signal(pid, 'SIGKILL'),
    restart: () => pm2.run(['restart', 'app'], folder),
  };
  const isLeft = await leavesAny(bench, one.after, label, port, pid, provoke[one.after]);
  await pm2.kill();
  workspace.endAll({ CHILD_OF: label });
  return isLeft;
}

async function leavesAny(
  { workspace }: Bench,
  after: After,
  label: string,
  port: number,
  pid: number,
  provoke: () => Promise<unknown>,
): Promise<boolean> {
  const before = workspace.pidsWith({ CHILD_OF: label });
  await provoke();
  if (after !== 'stop') await untilServing(port, { except: pid, timeoutMs: 60_000 });
  await sleep(LOOK_AFTER_MS);
  const living = new Set(workspace.pidsWith({ CHILD_OF: label }));
  return before.some((child) => living.has(child));
}
