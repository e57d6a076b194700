import { PERHAPS } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Nobody but a person can tell how far it came. The history is never repaired by a tool. */
export const migrationFailed = familyForPeople({
  name: 'migration_failed',
  title: 'a migration failed half way',
  kinds: ['migration_failed'],
  confidence: PERHAPS,
  causeOf: (fact) =>
    `the migration ${fact.subject === '' ? '' : `${fact.subject} `}failed, and the database may be half way between two versions`,
  adviceOf: () => [
    'read why it failed, bring the schema to where it was before, or finish it by hand',
    'only then tell the tool (repair, force, resolve): it believes whatever it is told',
  ],
});
