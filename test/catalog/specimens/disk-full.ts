import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'disk_full',
    title: 'makes no room where nothing was declared expendable',
    origin: 'Python 3.11 writing to /dev/full',
    recording: 'py-disk-full',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'disk full (ENOSPC)', person: 'see what filled the disk', waitFor: 'disk_room' },
  },
];
