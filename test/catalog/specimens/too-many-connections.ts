import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'too_many_connections',
    title: 'starts nothing more against a full server',
    origin: 'PostgreSQL 15 with max_connections = 12, 12 clients',
    recording: 'pg-too-many',
    command: ['psql'],
    exitCode: 2,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'postgres has no connection left', person: 'pg_stat_activity' },
  },
];
