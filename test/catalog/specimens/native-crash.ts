import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'native_crash',
    title: 'says that machine code crashed',
    origin: 'a C program that writes to address 0, under bash 5.2',
    recording: 'bash-segfault',
    command: ['bash', 'start.sh'],
    exitCode: 139,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'crashed in machine code (SIGSEGV)', person: 'native extensions' },
  },
  {
    family: 'native_crash',
    title: 'understands what the C library aborts for',
    origin: 'a C program that frees what it did not allocate, glibc 2.36',
    recording: 'bash-aborted',
    command: ['bash', 'start.sh'],
    exitCode: 134,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'crashed in machine code (SIGABRT)', person: 'core dump' },
  },
];
