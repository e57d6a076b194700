import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'database_missing',
    title: 'makes no empty database in the place of a lost one',
    origin: 'PostgreSQL 15, psql',
    recording: 'psql-no-database',
    command: ['psql'],
    exitCode: 2,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'does not exist on the server', person: 'check the name of the database' },
  },
  {
    family: 'database_missing',
    title: 'understands a virtual host of RabbitMQ',
    origin: 'RabbitMQ 3.10, pika 1.2: a virtual host that does not exist',
    recording: 'py-rabbitmq-vhost',
    command: ['python3', 'worker.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the virtual host "/nope" does not exist', person: 'check the name of the virtual host' },
  },
];
