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
  {
    family: 'config_corrupt',
    title: 'takes a new file out of a folder of settings that nginx cannot read, and keeps it',
    origin: 'nginx 1.22: a file with a misspelled directive was put into a folder of included settings',
    recording: 'nginx-directive',
    command: ['nginx', '-c', 'nginx.conf'],
    files: { 'nginx.conf': 'include ng/*.conf;\n', 'ng/site.conf': 'server { listen 8080; }\n' },
    breaks: (world) => world.write('ng/directive.conf', 'server { locaton / { } }\n'),
    isWell: 'test ! -e ng/directive.conf',
    expects: { cause: 'was not there at the last good boot', playbook: 'set_aside_ng_directive_conf', risk: 'medium', tier: 'tier_2' },
  },
];
