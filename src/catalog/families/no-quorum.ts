import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Too many of its members are away. It goes on by itself once they are back; one alone is never forced. */
export const noQuorum = familyForPeople({
  name: 'no_quorum',
  title: 'a cluster has no majority or no primary',
  kinds: ['no_quorum'],
  causeOf: (fact) => `${fact.subject || 'a cluster'} has no ${text(fact, 'lacks') || 'majority'}: too many of its members are away`,
  adviceOf: () => [
    'start the members that are missing, or repair the network between them',
    'do not force a single member to lead: the others may hold newer data',
  ],
});
