import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'no_quorum',
    title: 'forces nobody to lead',
    origin: 'Redis 7.0 in cluster mode without slots',
    recording: 'redis-clusterdown',
    command: ['worker'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'redis has no majority', person: 'do not force a single member to lead' },
  },
  {
    family: 'no_quorum',
    title: 'understands MongoDB',
    origin: 'pymongo 3.11: form of its message for a replica set without a primary, not run against one here',
    recording: 'py-mongo-no-primary',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'mongodb has no primary', person: 'start the members that are missing' },
  },
];
