import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'writes_refused',
    title: 'opens connections afresh when a server refuses writes',
    origin: 'Redis 7.0 with min-replicas-to-write and no replica',
    recording: 'redis-noreplicas',
    command: ['node', 'server.js'],
    stage: 'runtime',
    files: { 'server.js': '' },
    breaks: () => undefined,
    expects: {
      cause: 'redis refuses writes',
      playbook: 'restart_writes_refused',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
  {
    family: 'writes_refused',
    title: 'understands PostgreSQL',
    origin: 'PostgreSQL 15 in a read-only transaction',
    recording: 'pg-read-only',
    command: ['node', 'server.js'],
    stage: 'runtime',
    files: { 'server.js': '' },
    breaks: () => undefined,
    expects: {
      cause: 'postgres refuses writes',
      playbook: 'restart_writes_refused',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
