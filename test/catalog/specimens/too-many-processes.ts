import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'too_many_processes',
    title: 'names the program that cannot be started',
    origin: 'Node 20 as a user with a limit of 7 processes, spawn() of sleep',
    recording: 'node20-spawn-eagain',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'sleep cannot be started: the limit of processes is reached', person: 'ulimit -u' },
  },
];
