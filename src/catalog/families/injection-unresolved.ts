import { PERHAPS, text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A framework cannot put the program together: a part that is asked for is not there, or is there twice, or in a circle. */
export const injectionUnresolved = familyForPeople({
  name: 'injection_unresolved',
  title: 'the framework cannot put it together',
  kinds: ['wiring_broken'],
  confidence: PERHAPS,
  causeOf: (fact, c) =>
    text(fact, 'reason') === 'circle'
      ? `parts of ${c.component.name} need each other in a circle: ${fact.subject}`
      : text(fact, 'reason') === 'ambiguous'
        ? `${c.component.name} has more than one ${fact.subject}, and nothing says which one is meant`
        : `nothing provides ${fact.subject}${text(fact, 'into') === '' ? '' : `, which ${text(fact, 'into')} needs`}`,
  adviceOf: (fact) => [
    text(fact, 'reason') === 'circle'
      ? 'take one of them apart, or hand one over later (lazily)'
      : `register ${fact.subject || 'it'}, or switch on what provides it: a profile, a property, a module, a package that is scanned`,
    'see which change took it away: the last commit, a profile that is not active',
  ],
});
