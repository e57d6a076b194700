import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'pool_exhausted',
    title: 'says that no connection came out of the pool',
    origin: 'Knex 3 with pg on Node 26, a server that accepts connections and says nothing',
    recording: 'node26-knex-pool',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'knex got no connection to the database in time', person: 'the database accepts connections' },
  },
];
