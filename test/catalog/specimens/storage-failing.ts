import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'storage_failing',
    title: 'repairs nothing on a disk that fails',
    origin: 'Python 3.11: read(2) answered EIO (on /proc/self/mem, where no page is mapped)',
    recording: 'py-eio',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'cannot be read or written any more (EIO)', person: 'dmesg' },
  },
];
