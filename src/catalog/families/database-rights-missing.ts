import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** The user is let in and may not do what it wants. Rights are for the owner of the database to give. */
export const databaseRightsMissing = familyForPeople({
  name: 'database_rights_missing',
  title: 'its user may not do this in the database',
  kinds: ['rights_missing'],
  causeOf: (fact, c) =>
    `the user of ${c.component.name} may not use ${`${text(fact, 'object')} ${fact.subject}`.trim() || 'what it needs'} in ${text(fact, 'engine') || 'the database'}`,
  adviceOf: () => [
    'have its owner grant exactly that right; Grace never widens rights',
    'see whether it connects as the user that owns its tables: migrations and service often differ',
  ],
});
