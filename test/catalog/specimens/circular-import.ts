import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'circular_import',
    title: 'asks before it goes back on the module that lost a name',
    origin: 'Node 20, a name that a module exported was taken out of it',
    recording: 'node20-export-missing',
    command: ['node', 'names.mjs'],
    files: { 'names.mjs': "import { second } from './lib/names.mjs';\n", 'lib/names.mjs': 'export const first = 1, second = 2;\n' },
    breaks: (world) => world.write('lib/names.mjs', 'export const first = 1;\n'),
    isWell: 'grep -q second lib/names.mjs',
    expects: {
      cause: './lib/names.mjs does not offer second; lib/names.mjs changed',
      playbook: 'restore_lib_names_mjs',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'code that changed may be meant',
    },
  },
  {
    family: 'circular_import',
    title: 'asks before it goes back on the loader of a catalog that lost its name',
    origin: 'Python 3, a function that others import was taken out of the loader of a catalog',
    recording: null,
    command: ['python3', 'app.py'],
    files: {
      'app.py': 'from backend.metrics_catalog_loader import load_metrics_catalog\nprint(load_metrics_catalog())\n',
      'backend/metrics_catalog_loader.py': 'def load_metrics_catalog():\n    return {}\n',
    },
    breaks: (world) => world.write('backend/metrics_catalog_loader.py', 'def load_catalog():\n    return {}\n'),
    expects: {
      cause: 'backend.metrics_catalog_loader does not offer load_metrics_catalog; backend/metrics_catalog_loader.py changed',
      playbook: 'create_metrics_catalog_loader',
      risk: 'high',
      tier: 'tier_3',
      noGuard: 'code that changed may be meant',
    },
  },
  {
    family: 'circular_import',
    title: 'leaves a circle that nobody has a better version of to a person',
    origin: 'Python 3, two modules that import each other',
    recording: 'py-circular',
    command: ['python3', 'app.py'],
    files: { 'app.py': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'modules import each other in a circle, through shop.models', person: 'into a module of its own' },
  },
];
