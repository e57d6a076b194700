import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'file_watch_limit',
    title: 'does not call it a full disk',
    origin: 'Node: fs.watch, form as in nodejs/node issues, not run here',
    recording: 'node-inotify',
    command: ['node', 'server.js'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the limit of file watches is reached', person: 'fs.inotify.max_user_watches' },
  },
];
