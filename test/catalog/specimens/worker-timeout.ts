import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'worker_timeout',
    title: 'gives the workers of gunicorn more time while they start',
    origin: 'gunicorn 20.1 with a module that takes longer to load than a worker may',
    recording: 'py-gunicorn-timeout',
    command: ['gunicorn', 'slow:app'],
    symptom: 'not_ready',
    message: 'it was not ready within 60 s',
    files: { 'slow.py': 'import time\ntime.sleep(40)\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'echo "$GUNICORN_CMD_ARGS" | grep -q -- "--timeout 120"',
    expects: {
      cause: 'a worker of gunicorn does not get ready within its 30 s',
      playbook: 'raise_worker_timeout_to_120',
      risk: 'low',
      tier: 'tier_1',
      noGuard: 'the variable stays set: it cannot get lost again',
    },
  },
  {
    family: 'worker_timeout',
    title: 'leaves a limit of the start command to whoever wrote it',
    origin: 'gunicorn 20.1 (gunicorn -t 2) with a module that takes longer to load',
    recording: 'py-gunicorn-timeout',
    command: ['gunicorn', '-t', '2', 'slow:app'],
    files: { 'slow.py': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'within its 2 s', person: 'start it with --timeout above 2' },
  },
];
