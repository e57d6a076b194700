import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'hung',
    title: 'starts it again when it does not answer',
    origin: 'what a liveness probe says of a process that accepts connections and never answers',
    recording: null,
    command: ['node', 'server.js'],
    symptom: 'liveness',
    stage: 'runtime',
    message: 'http://127.0.0.1:3000/health: no answer within 1 s',
    files: { 'server.js': 'setInterval(() => undefined, 1000);\n' },
    breaks: () => undefined,
    expects: {
      cause: 'app runs but does not answer',
      playbook: 'restart_hung',
      risk: 'low',
      tier: 'tier_2',
      provenBy: 'test/process/supervise.test.ts',
    },
  },
];
