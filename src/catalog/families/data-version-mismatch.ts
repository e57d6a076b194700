import { LIKELY, text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A server that was upgraded, or gone back, over the data of another version. The data are whole; they are never made anew. */
export const dataVersionMismatch = familyForPeople({
  name: 'data_version_mismatch',
  title: 'its data were written by another version',
  kinds: ['data_version_mismatch'],
  confidence: LIKELY,
  causeOf: (fact, c) =>
    `the data of ${text(fact, 'engine') || c.component.name} were written by another version${fact.subject === '' ? '' : `: ${fact.subject}`}`,
  adviceOf: () => [
    'run the version that wrote them, or upgrade the data with its own tool after a copy (pg_upgrade, a dump of the old version)',
    'do not initialise the directory anew: the data in it are whole',
  ],
});
