import { spawnSync } from 'node:child_process';
import type { Specimen, World } from '../specimen.ts';

/** A disk of its own, full: only root may mount one. */
function fill(world: World): void {
  world.run(['sh', '-c', 'mountpoint -q data || mount -t tmpfs -o size=4m none data']);
  // It ends with an error when the disk is full, as is meant here; what was written a moment ago may still be in use.
  world.run(['sh', '-c', 'mkdir -p data/cache; dd if=/dev/zero of=data/cache/old bs=4k; touch -d "2 days ago" data/cache/old']);
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
    cleans: (world) => void spawnSync('sh', ['-c', 'umount data'], { cwd: world.dir }),
    expects: { cause: 'disk full (ENOSPC) at', playbook: 'free_disk_space_data', risk: 'medium', tier: 'tier_2' },
  },
];

/** Who may make a mount namespace may mount. */
const mayMount = process.getuid?.() === 0 && spawnSync('sh', ['-c', 'unshare -m true']).status === 0;

export const specimens: readonly Specimen[] = mayMount ? forReal : [];
