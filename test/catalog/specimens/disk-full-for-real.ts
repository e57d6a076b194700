import { spawnSync } from 'node:child_process';
import type { Specimen, World } from '../specimen.ts';

/** A disk of its own, full: only root may mount one. */
function fill(world: World): void {
  if (spawnSync('mountpoint', ['-q', world.path('data')]).status !== 0)
    world.run(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'none', world.path('data')]);
  world.run(['mkdir', '-p', 'data/cache']);
  // It ends with an error when the disk is full, as is meant here.
  spawnSync('dd', ['if=/dev/zero', 'of=data/cache/old', 'bs=4k'], { cwd: world.dir });
  // What was written a moment ago may still be in use.
  world.run(['touch', '-d', '2 days ago', 'data/cache/old']);
}

const forReal: readonly Specimen[] = [
  {
    family: 'disk_full',
    title: 'removes what was declared expendable from a disk that is full',
    origin: 'Python 3 writing to a tmpfs of 4 MB that its cache has filled',
    recording: null,
    command: ['python3', 'server.py'],
    component: { expendable: ['data/cache/**'] },
    files: {
      'server.py': "with open('data/orders.json', 'w') as orders:\n    orders.write('[]' * 5000)\n",
      data: { directory: true },
    },
    breaks: fill,
    cleans: (world) => void spawnSync('umount', [world.path('data')]),
    expects: { cause: 'disk full (ENOSPC) at', playbook: 'free_disk_space_data', risk: 'medium', tier: 'tier_2' },
  },
];

/** Who may make a mount namespace may mount. */
const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

export const specimens: readonly Specimen[] = mayMount ? forReal : [];
