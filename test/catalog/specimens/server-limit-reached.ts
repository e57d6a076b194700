import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'server_limit_reached',
    title: 'names the setting',
    origin: 'PostgreSQL 15.20 with max_locks_per_transaction = 10, 5000 tables in one transaction',
    recording: 'pg-locks',
    command: ['psql'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'max_locks_per_transaction', person: 'raise max_locks_per_transaction' },
  },
  {
    family: 'server_limit_reached',
    title: 'understands MariaDB',
    origin: 'MariaDB 10.11 with max_allowed_packet = 1M, a statement of 3 MB',
    recording: 'mysql-packet',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'max_allowed_packet', person: 'raise max_allowed_packet' },
  },
];
