import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'read_only_file_system',
    title: 'mounts nothing',
    origin: 'Python 3.11 writing to a tmpfs that is mounted read-only',
    recording: 'py-read-only',
    command: ['python3', 'server.py'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'is read-only (EROFS)', person: 'dmesg' },
  },
];
