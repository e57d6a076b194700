import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'data_version_mismatch',
    title: 'never makes a data directory anew',
    origin: 'PostgreSQL 15 over a directory of PostgreSQL 14',
    recording: 'pg-version',
    command: ['postgres', '-D', 'data'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'written by another version: postgres 14', person: 'do not initialise the directory anew' },
  },
  {
    family: 'data_version_mismatch',
    title: 'understands mongod',
    origin: 'mongod 6: form as in docker-library/mongo issue 557, not run here',
    recording: 'mongod-version',
    command: ['mongod', '--dbpath', 'data'],
    exitCode: 62,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'written by another version: mongodb 4.4', person: 'run the version that wrote them' },
  },
];
