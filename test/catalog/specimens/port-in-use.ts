import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Specimen, World } from '../specimen.ts';

const PORT = 38_111;
const SERVER = `require('http').createServer((_, answer) => answer.end('ok')).listen(${PORT});\n`;

/** Waits until somebody listens: a start takes its time. */
async function untilTaken(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(`http://127.0.0.1:${PORT}`).then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error(`nobody listens on port ${PORT}`);
}

/** Another program, looked after by this test, has the port. */
async function takenByAnother(world: World): Promise<void> {
  const child = spawn(process.execPath, ['-e', SERVER], { stdio: 'ignore' });
  world.kept.set('child', child);
  await untilTaken();
}

function endOther(world: World): void {
  (world.kept.get('child') as { kill(signal: string): void } | undefined)?.kill('SIGKILL');
}

export const specimens: readonly Specimen[] = [
  {
    family: 'port_in_use',
    title: 'names who holds the port, ends nobody, and waits',
    origin: 'Node 20, listen() on a port that another program has',
    recording: 'node20-port-in-use',
    command: ['node', 'server.js'],
    component: { port: PORT },
    files: { 'server.js': '' },
    breaks: takenByAnother,
    cleans: endOther,
    isWell: 'false',
    expects: { cause: /^port 38111 is in use by .* which does not belong to app/, person: 'another port', waitFor: 'port_free' },
  },
  {
    family: 'port_in_use',
    title: 'reads it through the words of npm',
    origin: 'Node 20 under npm 11, listen() on a port that another program has',
    recording: 'npm-start-port-in-use',
    command: ['npm', 'start'],
    component: { port: PORT },
    files: { 'package.json': '{}' },
    breaks: takenByAnother,
    cleans: endOther,
    isWell: 'false',
    expects: { cause: /^port 38111 is in use by .* which does not belong to app/, person: 'another port', waitFor: 'port_free' },
  },
  {
    family: 'port_in_use',
    title: 'ends an old copy of its own that nobody looks after',
    origin: 'Node: the service was started before by a shell that has ended',
    recording: null,
    command: ['node', 'server.js'],
    component: { port: PORT },
    files: { 'server.js': SERVER },
    async breaks(world) {
      world.run(['sh', '-c', 'node server.js >/dev/null 2>&1 & echo $! > old.pid']);
      await untilTaken();
    },
    cleans(world) {
      try {
        process.kill(Number(world.read('old.pid')), 'SIGKILL');
      } catch {
        // Grace has ended it
      }
    },
    expects: { cause: `port ${PORT} is in use by pid`, playbook: `free_port_${PORT}`, risk: 'low', tier: 'tier_2' },
  },
];
