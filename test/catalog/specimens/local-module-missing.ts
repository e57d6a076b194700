import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'local_module_missing',
    title: 'puts back a file of the code that is gone',
    origin: 'Node 26, an imported file was deleted',
    recording: 'node26-esm-file-missing',
    command: ['node', 'missing-local.mjs'],
    files: { 'missing-local.mjs': "import './lib/load.js';\n", 'lib/load.js': 'export {};\n', 'lib/other.js': 'export {};\n' },
    breaks: (world) => world.remove('lib/load.js'),
    isWell: 'test -s lib/load.js',
    expects: {
      cause: 'lib/load.js is missing; it was there at the last good boot',
      playbook: 'restore_lib_load_js',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'local_module_missing',
    title: 'says that it may not have been deployed, where nobody has a copy',
    origin: 'Node 20, the start command names a file that is not there; package.json has no build',
    recording: 'node20-entry-missing',
    command: ['node', 'dist/index.js'],
    files: { 'package.json': '{ "name": "app" }\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'dist/index.js, which is not there', person: 'its build did not run' },
  },
];
