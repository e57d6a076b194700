import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'stack_overflow',
    title: 'names the function that calls itself',
    origin: 'Node 26, a function that calls itself without an end',
    recording: 'node26-stack-overflow',
    command: ['node', 'overflow.js'],
    files: { 'overflow.js': 'resolve({});\n' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'resolve in overflow.js calls itself', person: 'what should end it' },
  },
];
