import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A queue, stream or index exists with other properties than the code declares. What is in it is never deleted for that. */
export const declarationConflict = familyForPeople({
  name: 'declaration_conflict',
  title: 'it is declared differently from what is there',
  kinds: ['declaration_conflict'],
  causeOf: (fact, c) =>
    `${fact.subject || 'a queue'} exists with another ${text(fact, 'argument') || 'declaration'} than ${c.component.name} declares`,
  adviceOf: () => ['declare it as it is there, or give the new one another name', 'deleting it loses what is in it: drain it first'],
});
