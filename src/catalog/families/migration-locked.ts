import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** The lock is a row in the database and outlives whoever took it. Only whoever knows that nobody migrates may take it away. */
export const migrationLocked = familyForPeople({
  name: 'migration_locked',
  title: 'a lock keeps migrations from running',
  kinds: ['migration_locked'],
  causeOf: (fact) =>
    `migrations are locked${fact.subject === '' ? '' : ` (${fact.subject})`}${text(fact, 'holder') === '' ? '' : ` by ${text(fact, 'holder')}`}${text(fact, 'since') === '' ? '' : ` since ${text(fact, 'since')}`}`,
  adviceOf: () => [
    'see whether another copy is migrating now: then wait for it',
    'when its holder is gone, release the lock with the tool (liquibase releaseLocks, knex migrate:unlock)',
  ],
});
