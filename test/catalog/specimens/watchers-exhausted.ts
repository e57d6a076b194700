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
  {
    family: 'watchers_exhausted',
    title: 'is no limit of open files, whatever the code EMFILE says',
    origin: 'Node 26, fs.watch() as a user who may have no more inotify instances',
    recording: 'node26-watch-instances',
    command: ['node', 'watch1.js'],
    files: { 'watch1.js': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'more files than this machine allows (fs.inotify.max_user_instances)', person: 'fs.inotify.max_user_instances' },
  },
];
