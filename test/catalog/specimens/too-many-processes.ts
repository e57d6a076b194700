import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'too_many_processes',
    title: 'raises no limit of processes by itself',
    origin: 'OpenJDK 17 under ulimit -u 60, 100 threads',
    recording: 'java-threads',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'may not start another process or thread', person: 'ulimit -u' },
  },
  {
    family: 'too_many_processes',
    title: 'understands the shell',
    origin: 'bash 5.2 under ulimit -u 3',
    recording: 'bash-fork',
    command: ['bash', 'start.sh'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'may not start another process or thread', person: 'pids of the container' },
  },
];
