import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'service_busy',
    title: 'waits for a service that answers 503',
    origin: 'got 14 on Node 26, a server that answers 503',
    recording: 'node26-got-503',
    command: ['node', 'server.mjs'],
    files: { 'server.mjs': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'http://127.0.0.1:38290 is there and cannot answer app now (503)', person: 'it is waited for', waitFor: 'reachable' },
  },
  {
    family: 'service_busy',
    title: 'says that it asks too often',
    origin: 'axios 1 on Node 26, a server that answers 429',
    recording: 'node26-axios-429',
    command: ['node', 'server.mjs'],
    files: { 'server.mjs': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'is asked too often by app (429)', person: 'ask it less often' },
  },
];
