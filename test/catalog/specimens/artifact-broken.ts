import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'artifact_broken',
    title: 'puts back a small jar that was cut off',
    origin: 'OpenJDK 17: the jar was cut off after 400 bytes',
    recording: 'java-jar-torn',
    command: ['java', '-jar', 'torn.jar'],
    files: { 'torn.jar': 'PK\u0003\u0004 whole PK\u0005\u0006' },
    breaks: (world) => world.write('torn.jar', 'PK'),
    isWell: 'grep -q whole torn.jar',
    expects: { cause: 'torn.jar is damaged', playbook: 'restore_torn_jar', risk: 'medium', tier: 'tier_2' },
  },
  {
    family: 'artifact_broken',
    title: 'leaves a jar that was built without a main class to a person',
    origin: 'OpenJDK 17: a jar whose manifest has no Main-Class',
    recording: 'java-no-main',
    command: ['java', '-jar', 'noman.jar'],
    files: { 'noman.jar': 'PK' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'does not say which class to start', person: 'build noman.jar again' },
  },
];
