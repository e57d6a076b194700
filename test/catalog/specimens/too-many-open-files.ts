import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'too_many_open_files',
    title: 'raises the limit that is too low',
    origin: 'Python 3: 100 files under a limit of 64',
    recording: null,
    command: ['python3', 'server.py'],
    component: { limits: { openFiles: 64 } },
    files: { 'server.py': "files = [open('server.py') for _ in range(100)]\nprint(len(files))\n" },
    breaks: () => undefined,
    expects: {
      cause: '64 open files are too few',
      playbook: 'raise_open_files_to_1024',
      risk: 'low',
      tier: 'tier_1',
      noGuard: 'the raised limit holds until somebody takes it away',
    },
  },
];
