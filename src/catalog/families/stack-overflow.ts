import { PERHAPS } from './answer.ts';
import { familyForPeople } from './for-people.ts';
import { placeOf } from './own-frame.ts';

/** Code that calls itself without end, or data nested deeper than it foresees. A larger stack only fails later. */
export const stackOverflow = familyForPeople({
  name: 'stack_overflow',
  title: 'it calls itself without end',
  kinds: ['stack_overflow'],
  confidence: PERHAPS,
  causeOf: (_, c) => `${c.component.name} ran out of stack: something calls itself without end${placeOf(c)}`,
  adviceOf: () => [
    'see in its stack which functions repeat, and why they do not end',
    'when data is merely nested deep, give its thread a larger stack',
  ],
});
