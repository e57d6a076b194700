import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, PERHAPS } from './answer.ts';
import { hasSuspects } from './changed-code.ts';

/** The code asks OpenSSL for an algorithm that it does not offer any more. Switching old ciphers back on is no fix. */
export const cryptoUnsupported: FailureFamily = {
  name: 'crypto_unsupported',
  title: 'it uses an algorithm that OpenSSL does not offer any more',
  diagnose(c) {
    const facts = factsOf(c, 'crypto_unsupported');
    if (facts.length === 0) return Promise.resolve([]);
    const runtime = c.drift.filter((d) => d.kind === 'runtime').map((d) => d.message);
    const frame = c.failure.frames.find((f) => f.package !== null && f.package !== 'node');
    const who = frame?.package ?? c.component.name;
    return Promise.resolve([
      diagnosis('crypto_unsupported', {
        cause: `${who} uses ${facts[0]?.subject || 'a hash or a cipher'} that OpenSSL 3 does not offer any more`,
        confidence: hasSuspects(c) ? PERHAPS : LIKELY,
        evidence: [...linesOf(facts), ...runtime],
        advice: [
          frame?.package === undefined
            ? 'use a newer algorithm, sha256 for a hash'
            : `upgrade ${who}: newer versions use another algorithm`,
          ...runtime.map((message) => `or go back: ${message}`),
          'NODE_OPTIONS=--openssl-legacy-provider lets it start, with algorithms that are known to be weak',
        ],
      }),
    ]);
  },
  guard: null,
};
