import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'arguments_too_long',
    title: 'suspects a variable that holds a file',
    origin: 'bash 5.2: an environment variable of 200 kB',
    recording: 'bash-environment-long',
    command: ['bash', 'start.sh'],
    exitCode: 126,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'too long for the kernel to start /usr/bin/ls', person: 'put its content into a file' },
  },
];
