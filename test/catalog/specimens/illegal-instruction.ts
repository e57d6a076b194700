import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'illegal_instruction',
    title: 'says that the processor is too old',
    origin: 'a C program that traps on an undefined instruction, under bash 5.2',
    recording: 'bash-illegal',
    command: ['bash', 'start.sh'],
    exitCode: 132,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'an instruction that this processor does not have', person: 'x86-64-v1' },
  },
];
