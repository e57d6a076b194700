import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'wrong_password',
    title: 'puts back the password that was edited on this side',
    origin: 'PostgreSQL 15, psql: DB_PASSWORD in .env was edited',
    recording: 'psql-auth',
    command: ['psql'],
    exitCode: 2,
    files: { '.env': 'DB_PASSWORD=first-of-all\n' },
    breaks: (world) => world.write('.env', 'DB_PASSWORD=mistyped\n'),
    isWell: 'test "$DB_PASSWORD" = first-of-all',
    expects: {
      cause: 'DB_PASSWORD in .env changed',
      playbook: 'restore_db_password',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a value that changed may be the new right one, and only the server can tell',
    },
  },
  {
    family: 'wrong_password',
    title: 'resets no password',
    origin: 'RabbitMQ 3.10, pika 1.2: a wrong password',
    recording: 'py-rabbitmq-login',
    command: ['python3', 'worker.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'rabbitmq does not accept the credentials', person: 'Grace never resets a password' },
  },
];
