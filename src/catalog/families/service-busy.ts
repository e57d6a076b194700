import { factsOf, type FailureFamily, type WaitFor } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, LIKELY, linesOf, PERHAPS } from './answer.ts';

/** Another service answers 429 or 503: it works, and has no time for us now. Asking again at once makes it worse. */
export const serviceBusy: FailureFamily = {
  name: 'service_busy',
  title: 'another service has no time for it',
  diagnose(c) {
    const facts = factsOf(c, 'service_busy');
    const [fact] = facts;
    if (fact === undefined) return Promise.resolve([]);
    const who = fact.subject || 'a service that it asks';
    return Promise.resolve([
      diagnosis('service_busy', {
        cause:
          fact.code === '429'
            ? `${who} is asked too often by ${c.component.name} (429)`
            : `${who} is there and cannot answer ${c.component.name} now (503)`,
        confidence: isRuntime(c) ? PERHAPS : LIKELY,
        evidence: linesOf(facts),
        advice: ['it is waited for and tried again, each time later', 'let the service start without it, or ask it less often'],
        waitFor: addressIn(fact.subject),
      }),
    ]);
  },
  guard: null,
};

function addressIn(url: string): WaitFor | null {
  const found = /^(https?):\/\/([\w.-]+)(?::(\d{1,5}))?/.exec(url);
  if (found?.[2] === undefined) return null;
  return { kind: 'reachable', host: found[2], port: found[3] === undefined ? (found[1] === 'https' ? 443 : 80) : Number(found[3]) };
}
