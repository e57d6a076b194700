import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'heap_too_small',
    title: 'raises a heap limit that is too small, one step',
    origin: 'Node 20 with a limit of 16 MB, memory filled at the start',
    recording: 'node20-heap',
    exitCode: 134,
    command: ['node', 'server.js'],
    component: { limits: { heapMb: 64 } },
    files: { 'server.js': '' },
    breaks: () => undefined,
    isWell: 'echo "$NODE_OPTIONS" | grep -q -e "=256"',
    expects: {
      cause: '64 MB of heap are too little for app',
      playbook: 'raise_heap_to_256',
      risk: 'low',
      tier: 'tier_1',
      noGuard: 'the limit that was learned stays',
    },
  },
];
