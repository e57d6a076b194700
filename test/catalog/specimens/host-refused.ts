import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'host_refused',
    title: 'opens no access rule',
    origin: 'PostgreSQL 15.20: pg_hba.conf with hostssl rules only',
    recording: 'pg-hba',
    command: ['psql'],
    exitCode: 2,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'lets the user postgres from 127.0.0.1 not in', person: 'Grace never opens access rules' },
  },
];
