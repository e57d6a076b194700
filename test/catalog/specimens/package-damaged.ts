import type { Specimen } from '../specimen.ts';
import { installed } from '../tiny-package.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'package_damaged',
    title: 'renews a package of which a file was emptied, by running the service itself',
    origin: 'npm 11 and Node, a file in node_modules was truncated',
    recording: null,
    command: ['node', 'server.js'],
    files: { 'server.js': "require('tiny').connect();\n" },
    prepares: installed,
    breaks: (world) => world.write('node_modules/tiny/index.js', ''),
    expects: { cause: 'the installed package tiny is damaged', playbook: 'reinstall_packages', risk: 'medium', tier: 'tier_2' },
  },
];
