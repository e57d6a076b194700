import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'watchers_exhausted',
    title: 'is no full disk, whatever the code ENOSPC says',
    origin: 'Node 26, fs.watch() of more directories than a limit of 100 allows',
    recording: 'node26-watchers',
    command: ['node', 'watch.js'],
    component: { expendable: ['tmp/**'] },
    files: { 'watch.js': '', 'tmp/old.log': 'old' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'more files than this machine allows', person: 'fs.inotify.max_user_watches' },
  },
];
