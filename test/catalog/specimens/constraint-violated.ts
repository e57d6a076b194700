import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'constraint_violated',
    title: 'drops no constraint',
    origin: 'PostgreSQL 15.20, PostgreSQL JDBC 42.5: first data inserted twice',
    recording: 'java-jdbc-unique',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'orders_pkey', person: 'do not drop the constraint' },
  },
];
