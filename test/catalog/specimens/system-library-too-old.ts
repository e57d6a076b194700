import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'system_library_too_old',
    title: 'does not touch the C library',
    origin: 'a C program whose library wants the symbol version GLIBC_2.39, run with one that ends before it',
    recording: 'os-library-too-old',
    command: ['vprog'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'GLIBC_2.39 is not in the libraries', person: 'build it on the oldest system' },
  },
];
