import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'refuses_root',
    title: 'does not use the switch that makes Celery run as root',
    origin: 'Celery 5.2 (celery worker) as root with pickle among the accepted contents',
    recording: 'py-celery-root',
    command: ['celery', '-A', 'tasks', 'worker'],
    files: { 'tasks.py': '', '.env': 'PORT=3000\n', '.env.example': 'C_FORCE_ROOT=1\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'test -n "$C_FORCE_ROOT"',
    expects: { cause: 'is started as root, and celery refuses that', person: 'as a user of its own' },
  },
];
