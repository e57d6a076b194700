import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Built on a newer system than this one: the C library has no such version, and it cannot be put beside the old one. */
export const systemLibraryTooOld = familyForPeople({
  name: 'system_library_too_old',
  title: 'a library of the system is too old',
  kinds: ['library_too_old'],
  causeOf: (fact, c) =>
    `${text(fact, 'path') || c.component.name} was built for a newer system: ${fact.subject} is not in the libraries of this machine`,
  adviceOf: () => [
    'build it on the oldest system that it has to run on, or run it on a newer one',
    'a static build, or a container image with its libraries, does not depend on the machine',
  ],
});
