import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'driver_incompatible',
    title: 'asks for a driver that knows the server',
    origin: 'npm mysql 2 against MySQL 8: form as in mysqljs/mysql issues, not run here',
    recording: 'mysql-old-client',
    command: ['node', 'server.js'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'do not understand each other', person: 'upgrade the driver' },
  },
];
