import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'crash',
    title: 'starts it again when it ended while it ran',
    origin: 'Node: a process that ends by itself, saying nothing',
    recording: null,
    command: ['node', 'server.js'],
    stage: 'runtime',
    files: { 'server.js': "process.exit(require('fs').existsSync('sick') ? 7 : 0);\n" },
    breaks: (world) => world.write('sick', ''),
    expects: {
      cause: 'app ended while it ran (exit code 7)',
      playbook: 'restart_crash',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
