import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'declaration_conflict',
    title: 'deletes no queue',
    origin: 'RabbitMQ 3.10, pika 1.2: a durable queue declared as not durable',
    recording: 'py-rabbitmq-arguments',
    command: ['python3', 'worker.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the queue jobs exists with another durable', person: 'drain it first' },
  },
];
