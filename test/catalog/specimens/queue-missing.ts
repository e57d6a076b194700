import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'queue_missing',
    title: 'invents no queue',
    origin: 'RabbitMQ 3.10, pika 1.2: consuming from a queue that nobody declared',
    recording: 'py-rabbitmq-no-queue',
    command: ['python3', 'worker.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the queue jobs does not exist on the broker', person: 'start whoever declares the queue jobs first' },
  },
];
