import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'address_not_available',
    title: 'names the variable, and opens the service to nobody',
    origin: 'Node 26, listen() at an address of another machine',
    recording: 'node26-address-not-available',
    command: ['node', 'server.js'],
    env: { HOST: '203.0.113.9' },
    files: { 'server.js': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: {
      cause: 'app shall listen at 203.0.113.9, which no interface of this machine has',
      person: 'set HOST to an address of this machine',
    },
  },
];
