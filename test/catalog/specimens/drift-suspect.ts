import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'drift_suspect',
    title: 'puts back the one setting that changed when nothing else explains it',
    origin: 'a shell script that ends with 4 for a value it does not like, and says nothing',
    recording: null,
    command: ['sh', 'server.sh', 'shop.cfg'],
    files: { 'server.sh': 'grep -q "^mode = careful$" "$1" || exit 4\n', 'shop.cfg': 'mode = careful\n' },
    breaks: (world) => world.write('shop.cfg', 'mode = reckless\n'),
    expects: {
      cause: 'nothing else explains it, and shop.cfg changed',
      playbook: 'restore_shop_cfg',
      risk: 'medium',
      tier: 'tier_2',
      noGuard: 'a file that changed and can be read may be right: only a failure speaks against it',
    },
  },
];
