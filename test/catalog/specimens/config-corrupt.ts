import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'config_corrupt',
    title: 'puts back a configuration that was cut off, by running the service itself',
    origin: 'Node: the file was truncated',
    recording: null,
    command: ['node', 'server.js'],
    files: {
      'server.js':
        "const c = JSON.parse(require('fs').readFileSync('config.json', 'utf8')); if (c.port !== 3000) throw new Error('port');\n",
      'config.json': '{\n  "port": 3000,\n  "name": "shop"\n}\n',
    },
    breaks: (world) => world.write('config.json', '{\n  "port": 30'),
    expects: { cause: 'config.json', playbook: 'restore_config_json', risk: 'medium', tier: 'tier_2' },
  },
];
