import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'database_rights_missing',
    title: 'gives itself no rights',
    origin: 'PostgreSQL 15.20, PostgreSQL JDBC 42.5: a role without rights on the table',
    recording: 'java-jdbc-rights',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'may not use table orders in postgres', person: 'have its owner grant exactly that right' },
  },
  {
    family: 'database_rights_missing',
    title: 'understands MariaDB',
    origin: 'MariaDB 10.11: a user without rights on the table',
    recording: 'mysql-rights',
    command: ['mariadb'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'shop.orders in mysql', person: 'Grace never widens rights' },
  },
  {
    family: 'database_rights_missing',
    title: 'understands Redis',
    origin: 'Redis 7.0: a user whose ACL has only +get',
    recording: 'redis-noperm',
    command: ['worker'],
    files: { 'README.md': '' },
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'command set in redis', person: 'Grace never widens rights' },
  },
];
