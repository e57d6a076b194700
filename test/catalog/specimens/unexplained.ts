import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'unexplained',
    title: 'says what is known, and proposes nothing',
    origin: 'a shell that ends with 3 and says nothing',
    recording: null,
    command: ['sh', 'server.sh'],
    files: { 'server.sh': 'exit 3\n' },
    isFirstBoot: true,
    breaks: () => undefined,
    expects: { cause: 'app failed (exit code 3) and said nothing that explains it', person: 'read the whole output' },
  },
];
