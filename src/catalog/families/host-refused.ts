import { text } from './answer.ts';
import { familyForPeople } from './for-people.ts';

/** An access rule of the server has no entry for where this client comes from. Rules are never opened. */
export const hostRefused = familyForPeople({
  name: 'host_refused',
  title: 'the server does not let this host in',
  kinds: ['host_refused'],
  causeOf: (fact) =>
    `${text(fact, 'engine') || 'the server'} lets ${fact.subject === '' ? 'clients' : `the user ${fact.subject}`} from ${text(fact, 'host') || 'this host'} not in: it has no rule for it`,
  adviceOf: () => [
    'have whoever runs the server add a rule for this host and user (pg_hba.conf, GRANT, bind and protected-mode)',
    'or reach it from where it allows: another address, a tunnel',
    'Grace never opens access rules',
  ],
});
