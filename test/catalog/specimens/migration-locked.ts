import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'migration_locked',
    title: 'takes no lock away that somebody may hold',
    origin: 'Liquibase 4: form as in public issues, not run here',
    recording: 'liquibase-lock',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'by shop-7f9c since 11/26/26', person: 'liquibase releaseLocks' },
  },
];
