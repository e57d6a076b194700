import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Specimen, World } from '../specimen.ts';

/** Below the ports that outgoing connections take, and no two test processes share it. */
const PORT = 22_000 + (process.pid % 2000);

/** What the remedy started is nobody's child; its port is free once it is gone. */
function endPid(world: World): void {
  if (!existsSync(world.path('db.pid'))) return;
  const pid = Number(world.read('db.pid'));
  spawnSync('sh', ['-c', `kill -9 ${pid} && while kill -0 ${pid}; do sleep 0.02; done`], { timeout: 5000, stdio: 'ignore' });
}

export const specimens: readonly Specimen[] = [
  {
    family: 'dependency_down',
    title: 'starts what it needs with its declared command',
    origin: 'Python 3: nothing listens at the port of the database',
    recording: null,
    command: ['python3', 'server.py'],
    component: { dependsOn: ['db'], env: { DB_PORT: String(PORT) } },
    config: { dependencies: { db: { port: PORT, start: 'sh start-db.sh' } } },
    files: {
      'start-db.sh': `python3 -m http.server ${PORT} --bind 127.0.0.1 </dev/null >/dev/null 2>&1 &\necho $! > db.pid\n`,
      'server.py': "import os, socket\nsocket.create_connection(('127.0.0.1', int(os.environ['DB_PORT'])), timeout=1)\n",
    },
    breaks: () => undefined,
    cleans: endPid,
    expects: { cause: 'db does not answer at 127.0.0.1:', playbook: 'start_db', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'dependency_down',
    title: 'waits for what nobody told it how to start',
    origin: 'Go 1.19: nothing listens at the address',
    recording: 'go-dial',
    command: ['shop'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'nothing answers at 127.0.0.1:38119', person: 'start what should listen at 127.0.0.1:38119' },
  },
  {
    family: 'dependency_down',
    title: 'understands MongoDB',
    origin: 'pymongo 3.11 against a port where nothing listens',
    recording: 'py-mongo-selection',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'nothing answers at 127.0.0.1:38119', person: 'start what should listen' },
  },
];
