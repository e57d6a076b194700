import { familyForPeople } from './for-people.ts';

/** Somebody else declares it, and has not yet, or it was deleted. */
export const queueMissing = familyForPeople({
  name: 'queue_missing',
  title: 'a queue or exchange does not exist',
  kinds: ['queue_missing'],
  causeOf: (fact) => `${fact.subject || 'a queue'} does not exist on the broker`,
  adviceOf: (fact, c) => [
    `start whoever declares ${fact.subject || 'it'} first, or have ${c.component.name} declare it`,
    'check name and virtual host',
  ],
});
