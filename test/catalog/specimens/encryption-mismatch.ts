import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'encryption_mismatch',
    title: 'switches no encryption off',
    origin: 'PostgreSQL 15.20 without SSL, psql with sslmode=require',
    recording: 'pg-ssl-unsupported',
    command: ['psql'],
    exitCode: 2,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'wants an encrypted connection, and postgres offers none', person: 'do not switch encryption off' },
  },
  {
    family: 'encryption_mismatch',
    title: 'understands MariaDB',
    origin: 'MariaDB 10.11 without TLS, client with --ssl',
    recording: 'mysql-ssl',
    command: ['mariadb'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'and mysql offers none', person: 'a certificate on the server' },
  },
];
