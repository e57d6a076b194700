import { LIKELY } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** Its host name stands in no hosts file and no name service; Java and Erlang ask for it at the start. */
export const ownNameUnresolved = familyForPeople({
  name: 'own_name_unresolved',
  title: 'the machine does not know its own name',
  kinds: ['own_name_unresolved'],
  confidence: LIKELY,
  causeOf: (fact) => `this machine cannot resolve its own name ${fact.subject}`,
  adviceOf: (fact) => [`add ${fact.subject || 'its name'} to /etc/hosts`, 'or give it a name that the name service knows'],
});
