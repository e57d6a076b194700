import type { Specimen } from '../specimen.ts';

export const specimens: readonly Specimen[] = [
  {
    family: 'migration_changed',
    title: 'puts the migration back, and repairs no history',
    origin: 'Flyway 10 with Spring Boot 3: form as in public issues, not run here; V2 was edited after it was applied',
    recording: 'springboot-flyway-checksum',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'db/migration/V1__shop.sql': 'create table shop(id int);\n', 'db/migration/V2__orders.sql': 'create table orders(id int);\n' },
    breaks: (world) => world.write('db/migration/V2__orders.sql', 'create table orders(id bigint);\n'),
    isWell: "grep -q 'id int' db/migration/V2__orders.sql",
    expects: {
      cause: 'the migration 2 was edited after it was applied: db/migration/V2__orders.sql',
      playbook: 'restore_db_migration_v2_orders_sql',
      risk: 'medium',
      tier: 'tier_2',
    },
  },
  {
    family: 'migration_changed',
    title: 'leaves a history that nobody kept to a person',
    origin: 'Flyway 10 with Spring Boot 3: form as in public issues, not run here',
    recording: 'springboot-flyway-checksum',
    command: ['java', '-jar', 'shop.jar'],
    files: { 'README.md': '' },
    isFirstBoot: true,
    breaks: () => undefined,
    isWell: 'false',
    expects: { cause: 'the migration 2 was edited', person: 'do not repair the history' },
  },
];
