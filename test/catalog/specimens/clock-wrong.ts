import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'clock_wrong',
    title: 'suspects the clock before the certificate',
    origin: 'Python 3.11, TLS to a server whose certificate is of today, with the clock at 2020',
    recording: 'py-clock',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'dated in the future', person: 'compare the clock with a time server' },
  },
  {
    family: 'clock_wrong',
    title: 'understands Node',
    origin: 'Node 26 with the clock at 2020',
    recording: 'node26-clock',
    command: ['node', 'server.js'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'dated in the future', person: 'timedatectl' },
  },
];
