import type { Specimen } from '../specimen.ts';
import { installed } from '../tiny-package.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'package_missing',
    title: 'installs the packages of the lock file, by running the service itself',
    origin: 'npm 11 and Node, node_modules was deleted',
    recording: null,
    command: ['node', 'server.js'],
    files: { 'server.js': "require('tiny').connect();\n" },
    prepares: installed,
    breaks: (world) => world.remove('node_modules'),
    expects: { cause: 'the package tiny is not installed', playbook: 'install_packages', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'package_missing',
    title: 'adds no package that nobody has asked for',
    origin: 'Node 26, require() of a package that is no dependency',
    recording: 'node26-module-missing',
    command: ['node', 'missing.js'],
    files: { 'missing.js': "require('express');\n", 'package.json': '{ "name": "app" }\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'express cannot be found, and no lock file of app asks for it', person: 'add express to the dependencies' },
  },
];
