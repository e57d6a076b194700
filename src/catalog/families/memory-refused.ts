import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A server or runtime reserves its memory at the start, and the machine has less. */
export const memoryRefused = familyForPeople({
  name: 'memory_refused',
  title: 'it asks for more memory than there is',
  kinds: ['memory_refused'],
  causeOf: (fact, c) =>
    `${c.component.name} asks for more memory${text(fact, 'wantsMb') === '' ? '' : ` (${text(fact, 'wantsMb')} MB)`} than this machine gives${fact.subject === '' ? '' : `: ${fact.subject}`}`,
  adviceOf: (fact) => [
    `lower ${fact.subject || 'what it reserves at the start'} below what the machine has free`,
    'or give the machine, or its container, more memory',
  ],
});
