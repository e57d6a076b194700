import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'port_forbidden',
    title: 'gives nobody the right to a low port',
    origin: 'Go 1.19 as user nobody on port 80',
    recording: 'go-port-forbidden',
    command: ['shop'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'may not listen on port 80', person: 'use a port above 1023' },
  },
];
