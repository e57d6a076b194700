import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, LIKELY, linesOf, PERHAPS } from './answer.ts';
import { hasSuspects } from './changed-code.ts';

/** It is told to listen at an address that this machine does not have. Listening everywhere instead would open it to the world. */
export const addressNotAvailable: FailureFamily = {
  name: 'address_not_available',
  title: 'the address it shall listen at is not on this machine',
  diagnose(c) {
    const facts = factsOf(c, 'config_invalid').filter((f) => f.code === 'EADDRNOTAVAIL');
    const address = facts[0]?.subject ?? '';
    if (facts.length === 0) return Promise.resolve([]);
    const variables = Object.keys(c.env).filter((name) => address !== '' && c.env[name] === address);
    const setting = variables.length > 0 ? variables.join(', ') : 'the setting that names it';
    return Promise.resolve([
      diagnosis('address_not_available', {
        cause: `${c.component.name} shall listen at ${address || 'an address'}, which no interface of this machine has`,
        // A file that changed and says this address explains it better, and can be put back.
        confidence: isRuntime(c) || hasSuspects(c) ? PERHAPS : LIKELY,
        evidence: [...linesOf(facts), ...variables.map((name) => `${name} is this address`)],
        advice: [
          `set ${setting} to an address of this machine: ip addr`,
          '127.0.0.1 is for this machine alone; 0.0.0.0 opens it to every network, which is for you to decide',
        ],
      }),
    ]);
  },
  guard: null,
};
