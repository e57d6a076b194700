import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, SURE } from './answer.ts';

/** A port that this user may not bind. Rights are for people to give. */
export const portForbidden: FailureFamily = {
  name: 'port_forbidden',
  title: 'the port may not be bound',
  diagnose: (c) =>
    Promise.resolve(
      factsOf(c, 'port_forbidden').map((fact) =>
        diagnosis('port_forbidden', {
          cause: `the user that runs ${c.component.name} may not listen on port ${fact.subject || c.component.port || '?'}`,
          confidence: SURE,
          evidence: [fact.line],
          advice: ['use a port above 1023 behind a proxy', 'or give the program the capability CAP_NET_BIND_SERVICE'],
        }),
      ),
    ),
  guard: null,
};
