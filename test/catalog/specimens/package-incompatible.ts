import type { Specimen } from '../specimen.ts';
import { installed } from '../tiny-package.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'package_incompatible',
    title: 'installs the version of the lock file in the place of another one, by running the service itself',
    origin: 'npm 11 and Node, an older version of a package was put into node_modules',
    recording: null,
    command: ['node', 'server.js'],
    files: { 'server.js': "require('tiny').connect();\n" },
    isFirstBoot: true,
    prepares: installed,
    breaks(world) {
      world.write('node_modules/tiny/package.json', '{ "name": "tiny", "version": "1.0.0", "main": "index.js" }\n');
      world.write('node_modules/tiny/index.js', 'module.exports = {};\n');
    },
    expects: {
      cause: 'tiny 1.0.0 is installed, and the lock file says 2.0.0',
      playbook: 'install_locked_versions',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'package_incompatible',
    title: 'names what a package does not offer',
    origin: 'Node 26, require() of a path that "exports" of the package does not have',
    recording: 'node26-path-not-exported',
    command: ['node', 'server.js'],
    files: { 'server.js': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'this version of the package nanoid does not offer ./lib/x', person: 'use the version of nanoid' },
  },
];
