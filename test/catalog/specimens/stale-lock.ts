import { spawn, type ChildProcess } from 'node:child_process';
import type { Specimen } from '../specimen.ts';

/** Above what Linux gives to any process by default. */
const NOBODY = 4_000_000;

export const specimens: readonly Specimen[] = [
  {
    family: 'stale_lock',
    title: 'moves the server.pid aside that a killed Rails left',
    origin: 'Rails 6.1 (rails server) with tmp/pids/server.pid of a process that is gone',
    recording: 'ruby-rails-server-pid',
    command: ['rails', 'server'],
    files: { 'config.ru': '' },
    breaks: (world) => world.write('tmp/pids/server.pid', `${NOBODY}\n`),
    isWell: 'test ! -e tmp/pids/server.pid',
    expects: {
      cause: `names process ${NOBODY}, which is gone`,
      playbook: 'remove_stale_tmp_pids_server_pid',
      risk: 'low',
      tier: 'tier_1',
    },
  },
  {
    family: 'stale_lock',
    title: 'moves the pid file aside that gunicorn takes for another copy of itself',
    origin: 'gunicorn 20.1 (gunicorn -p gunicorn.pid) with the pid of another program in the file',
    recording: 'py-gunicorn-pidfile',
    command: ['gunicorn', '-p', 'gunicorn.pid', 'good:app'],
    files: { 'good.py': '' },
    breaks: (world) => world.write('gunicorn.pid', `${NOBODY}\n`),
    isWell: 'test ! -e gunicorn.pid',
    expects: { cause: 'the lock gunicorn.pid was left over', playbook: 'remove_stale_gunicorn_pid', risk: 'low', tier: 'tier_1' },
  },
  {
    family: 'stale_lock',
    title: 'leaves the pid file of a process of this project that runs',
    origin: 'Celery 5.2 (celery beat --pidfile celeryd.pid) while another copy runs',
    recording: 'py-celery-pidfile',
    exitCode: 73,
    command: ['celery', 'beat', '--pidfile', 'celeryd.pid'],
    files: { 'tasks.py': '' },
    isFirstBoot: true,
    breaks: (world) => {
      const child = spawn('sleep', ['60'], { cwd: world.dir });
      world.kept.set('child', child);
      world.write('celeryd.pid', `${child.pid ?? ''}\n`);
    },
    cleans: (world) => void (world.kept.get('child') as ChildProcess | undefined)?.kill(),
    isWell: 'test ! -e celeryd.pid',
    expects: { cause: 'another copy uses it', person: 'where it was started', waitFor: 'file_change' },
  },
];
