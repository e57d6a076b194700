import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'shared_library_missing',
    title: 'puts back a library of its own that was deleted',
    origin: 'a C program linked against libanswer.so.1, gcc 12, Debian 12; the library was not found',
    recording: 'os-library-missing',
    command: ['shop-server'],
    exitCode: 127,
    component: { keep: ['lib/libanswer.so.1'] },
    files: { 'lib/libanswer.so.1': '\u007fELF library' },
    breaks: (world) => world.remove('lib/libanswer.so.1'),
    isWell: 'test -s lib/libanswer.so.1',
    expects: { cause: 'lib/libanswer.so.1 is gone', playbook: 'restore_lib_libanswer_so_1', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'shared_library_missing',
    title: 'leaves a library of the system to a person',
    origin: 'Python 3.11 with ctypes: libGL was not installed',
    recording: 'py-library-missing',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'libGL.so.9 is not installed', person: 'install the package that has libGL.so.9' },
  },
];
