import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** The address in its configuration is that of another machine, or its network is not up yet. */
export const addressUnavailable = familyForPeople({
  name: 'address_unavailable',
  title: 'it listens at an address that this machine does not have',
  kinds: ['address_unavailable'],
  causeOf: (fact, c) =>
    `this machine has no address ${fact.subject || text(fact, 'address') || 'of that kind'}, at which ${c.component.name} wants to listen`,
  adviceOf: () => [
    'listen at an address of this machine (ip addr), or at 127.0.0.1 behind a proxy',
    'when its network comes up later, start it after the network',
  ],
});
