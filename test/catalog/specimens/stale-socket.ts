import { spawnSync } from 'node:child_process';
import type { Specimen, World } from '../specimen.ts';

/** A process that listens and is killed leaves its socket file. */
function leaveSocket(world: World): void {
  const script = "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";
  spawnSync(process.execPath, ['-e', script, world.path('app.sock')], { timeout: 10_000 });
}

export const specimens: readonly Specimen[] = [
  {
    family: 'stale_socket',
    title: 'moves a socket aside that a killed process left',
    origin: 'Node 26, listen() at a socket file that is there',
    recording: 'node26-socket-in-use',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    breaks: leaveSocket,
    isWell: 'test ! -e app.sock',
    expects: { cause: 'the socket app.sock was left over', playbook: 'remove_stale_app_sock', risk: 'low', tier: 'tier_1' },
  },
];
