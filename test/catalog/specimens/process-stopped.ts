import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import type { Specimen } from '../specimen.ts';

/** Below the ports that outgoing connections take, and no two test processes share it. */
const PORT = 24_000 + (process.pid % 2000);

async function listening(port: number): Promise<void> {
  for (;;) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isUp) return;
  }
}

export const specimens: readonly Specimen[] = [
  {
    family: 'process_stopped',
    title: 'lets a dependency go on that somebody stopped',
    origin: 'Python 3: SIGSTOP to a process that still accepts connections through the queue of the kernel',
    recording: null,
    command: ['true'],
    files: { 'README.md': '' },
    config: { components: { web: { command: ['true'] } }, dependencies: { app: { port: PORT, start: 'sh start.sh', data: ['.'] } } },
    symptom: 'dependency',
    message: 'does not answer in time',
    async prepares(world) {
      const process = spawn('python3', ['-m', 'http.server', String(PORT), '--bind', '127.0.0.1'], { cwd: world.dir, stdio: 'ignore' });
      world.kept.set('process', process);
      await listening(PORT);
    },
    breaks: (world) => void (world.kept.get('process') as ChildProcess).kill('SIGSTOP'),
    cleans: (world) => void (world.kept.get('process') as ChildProcess | undefined)?.kill('SIGKILL'),
    expects: {
      cause: 'was stopped by a signal and does nothing',
      playbook: 'resume_stopped_process',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
