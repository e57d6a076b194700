import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'runtime_version_mismatch',
    title: 'installs no runtime',
    origin: 'OpenJDK 17 with a class of Java 25',
    recording: 'java-class-version',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'java 25', person: 'start it with the version it was built for' },
  },
];
