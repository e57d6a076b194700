import { PERHAPS } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** What it writes at the start is there already, or does not fit what is there. Rules and rows are left alone. */
export const constraintViolated = familyForPeople({
  name: 'constraint_violated',
  title: 'the data break a rule of the database',
  kinds: ['constraint_violated'],
  confidence: PERHAPS,
  causeOf: (fact, c) => `what ${c.component.name} writes breaks a rule of the database${fact.subject === '' ? '' : `: ${fact.subject}`}`,
  adviceOf: () => ['see which row it is: first data (seeds) that are written twice need an upsert', 'do not drop the constraint'],
});
