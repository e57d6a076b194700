import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'address_unavailable',
    title: 'says that the address is not one of this machine',
    origin: 'PostgreSQL 15.20 with listen_addresses = 203.0.113.9',
    recording: 'pg-listen',
    command: ['postgres', '-D', 'data'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'this machine has no address 203.0.113.9', person: 'listen at an address of this machine' },
  },
];
