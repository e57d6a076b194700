import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'memory_growth',
    title: 'starts it again before it reaches its limit',
    origin: 'what the watch says of a process whose memory has grown to 90 % of its limit',
    recording: null,
    command: ['node', 'server.js'],
    symptom: 'memory',
    stage: 'runtime',
    message: '1843 MB of 2048 MB',
    files: { 'server.js': 'setInterval(() => undefined, 1000);\n' },
    breaks: () => undefined,
    expects: {
      cause: 'app grows towards its limit',
      playbook: 'restart_memory_growth',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
