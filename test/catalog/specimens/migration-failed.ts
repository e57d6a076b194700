import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'migration_failed',
    title: 'never tells a tool that it is repaired',
    origin: 'Flyway 10: form as in public issues, not run here',
    recording: 'springboot-flyway-failed',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the migration 3 failed', person: 'only then tell the tool' },
  },
];
