import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'errors',
    title: 'starts it again when it answers with errors',
    origin: 'what a liveness probe says of a service that answers 500',
    recording: null,
    command: ['node', 'server.js'],
    symptom: 'liveness',
    stage: 'runtime',
    message: 'http://127.0.0.1:3000/health: HTTP 500',
    files: { 'server.js': 'setInterval(() => undefined, 1000);\n' },
    breaks: () => undefined,
    expects: {
      cause: 'app answers with errors',
      playbook: 'investigate_error_spike',
      risk: 'medium',
      tier: 'tier_2',
      provenBy: 'test/process/shipped-playbooks.test.ts',
    },
  },
];
