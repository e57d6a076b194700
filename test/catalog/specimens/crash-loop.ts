import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'crash_loop',
    title: 'starts nothing again that used up its restarts and says nothing',
    origin: 'a shell that ends with 7, again and again',
    recording: null,
    command: ['sh', 'server.sh'],
    symptom: 'crash_loop',
    message: 'it ended 5 times within a minute',
    files: { 'server.sh': 'exit 7\n' },
    breaks: () => undefined,
    isWell: 'true',
    expects: { cause: 'app ends again and again and does not say why', person: 'read its first error' },
  },
];
