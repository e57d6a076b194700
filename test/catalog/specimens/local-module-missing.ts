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
    title: 'puts back the loader of a catalog that is gone',
    origin: 'Python 3, the module that loads a catalog was deleted',
    recording: null,
    command: ['python3', 'app.py'],
    files: {
      'app.py': 'from backend.metrics_catalog_loader import load_metrics_catalog\nprint(load_metrics_catalog())\n',
      'backend/__init__.py': '',
      'backend/metrics_catalog_loader.py': 'def load_metrics_catalog():\n    return {"latency": 1}\n',
    },
    breaks: (world) => world.remove('backend/metrics_catalog_loader.py'),
    expects: {
      cause: 'backend/metrics_catalog_loader.py is missing; it was there at the last good boot',
      playbook: 'create_metrics_catalog_loader',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'local_module_missing',
    title: 'asks before it makes the loader of a catalog that was never there, and an empty catalog',
    origin: 'Python 3, a service that was deployed without the module that loads its catalog',
    recording: null,
    command: ['python3', 'app.py'],
    files: {
      'app.py': 'from backend.metrics_catalog_loader import load_metrics_catalog\nprint(load_metrics_catalog())\n',
      'backend/__init__.py': '',
    },
    isFirstBoot: true,
    breaks: (world) => {
      for (const name of ['metrics_catalog_loader.py', 'metrics_catalog.json']) world.remove(`backend/${name}`);
    },
    expects: {
      cause: 'the code asks for backend.metrics_catalog_loader, which is not there',
      playbook: 'create_metrics_catalog_loader',
      risk: 'high',
      tier: 'tier_3',
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
