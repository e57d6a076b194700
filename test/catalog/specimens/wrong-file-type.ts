import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'wrong_file_type',
    title: 'puts the file back in whose place a mount made a directory',
    origin: 'Python 3.11, open("config.json") where config.json is a directory',
    recording: 'py-is-a-directory',
    command: ['python3', 'isdir.py'],
    files: { 'isdir.py': '', 'config.json': '{"port": 3000}\n' },
    breaks: (world) => {
      world.remove('config.json');
      world.write('config.json', { directory: true });
    },
    isWell: 'test -f config.json',
    expects: {
      cause: 'config.json is a directory; at the last good boot it was a file',
      playbook: 'restore_config_json',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
];
