import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'slow',
    title: 'starts it again when it is far slower than it was',
    origin: 'what the watch says of latency far above the usual',
    recording: null,
    command: ['node', 'server.js'],
    symptom: 'latency',
    stage: 'runtime',
    message: 'answers in 2140 ms, usually in 12 ms',
    files: { 'server.js': 'setInterval(() => undefined, 1000);\n' },
    breaks: () => undefined,
    expects: {
      cause: 'app answers far slower than it used to',
      playbook: 'restart_slow',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
