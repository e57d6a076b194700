import { familyForPeople } from './for-people.ts';

/** The kernel takes no command whose words or variables are this long. */
export const argumentsTooLong = familyForPeople({
  name: 'arguments_too_long',
  title: 'command line and environment are too long',
  kinds: ['arguments_too_long'],
  causeOf: (fact) =>
    `the command line or a variable is too long for the kernel${fact.subject === '' ? '' : ` to start ${fact.subject}`} (E2BIG)`,
  adviceOf: () => [
    'look for a variable that holds a file: put its content into a file and its path into the variable',
    'pass long lists through a file or standard input',
  ],
});
