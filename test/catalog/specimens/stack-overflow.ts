import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'stack_overflow',
    title: 'says where it calls itself',
    origin: 'OpenJDK 17: a method that calls itself',
    recording: 'java-stack-overflow',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'in Stack.java, line 1', person: 'which functions repeat' },
  },
  {
    family: 'stack_overflow',
    title: 'understands Go',
    origin: 'Go 1.19: a function that calls itself',
    recording: 'go-stack',
    command: ['shop'],
    exitCode: 2,
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'ran out of stack', person: 'which functions repeat' },
  },
];
