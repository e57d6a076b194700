import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Not the machine but a number in the configuration of the server says no. */
export const serverLimitReached = familyForPeople({
  name: 'server_limit_reached',
  title: 'a limit in the configuration of the server is too small',
  kinds: ['server_limit'],
  causeOf: (fact) => `a limit of ${text(fact, 'engine') || 'the server'} is too small: ${fact.subject || fact.code}`,
  adviceOf: (fact) => [
    `raise ${fact.subject || 'it'} in the configuration of the server`,
    'or ask for less at a time: smaller packets, fewer tables in a transaction',
  ],
});
