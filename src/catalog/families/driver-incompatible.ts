import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** A client library from another time than its server. */
export const driverIncompatible = familyForPeople({
  name: 'driver_incompatible',
  title: 'driver and server do not understand each other',
  kinds: ['driver_incompatible'],
  causeOf: (fact, c) =>
    `the driver of ${c.component.name} and ${text(fact, 'engine') || 'the server'} do not understand each other${fact.subject === '' ? '' : `: ${fact.subject}`}`,
  adviceOf: () => ['upgrade the driver to a version that knows this server', 'or go back to the version of the server it worked with'],
});
