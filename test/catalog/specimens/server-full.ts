import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'server_full',
    title: 'throws nothing away',
    origin: 'Redis 7.0 at its maxmemory',
    recording: 'redis-oom-command',
    command: ['worker'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'redis takes nothing new: its memory limit is reached', person: 'maxmemory' },
  },
  {
    family: 'server_full',
    title: 'understands a blocked publisher',
    origin: 'RabbitMQ 3.10 with a disk alarm, pika 1.2',
    recording: 'py-rabbitmq-blocked',
    command: ['python3', 'publisher.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'rabbitmq takes nothing new', person: 'disk_free_limit' },
  },
];
