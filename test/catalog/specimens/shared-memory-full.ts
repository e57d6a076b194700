import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'shared_memory_full',
    title: 'does not call it a full disk',
    origin: 'PostgreSQL 15.20 where /dev/shm has 64 kB',
    recording: 'pg-shm',
    command: ['postgres', '-D', 'data'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: '/dev/shm is too small', person: '--shm-size' },
  },
];
