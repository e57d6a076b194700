import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, LIKELY, linesOf, PERHAPS, SURE } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { changedKeys } from './env-changed.ts';
import { envFilesOf } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { shownPath } from './places.ts';

const CREDENTIAL = /KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|CLIENT_ID|AUTH/i;

/**
 * Another service answers 401 or 403: a key has expired, was revoked, or may not do this. Keys are never made up; only when the
 * one on our side is what changed is it put back.
 */
export const accessRefused: FailureFamily = {
  name: 'access_refused',
  title: 'another service refuses its key',
  async diagnose(c) {
    const facts = factsOf(c, 'access_refused');
    const [fact] = facts;
    if (fact === undefined) return [];
    const who = fact.subject || 'a service that it asks';
    const cause =
      fact.code === '403'
        ? `${who} does not allow ${c.component.name} what it asks for (403)`
        : `${who} does not accept the key of ${c.component.name} (401)`;
    const changed = await changedKeys(c, CREDENTIAL);
    if (changed !== null)
      return [
        diagnosis('access_refused', {
          cause: `${cause}; ${changed.keys.join(', ')} in ${shownPath(c.component, changed.file)} changed since the last good boot`,
          confidence: isRuntime(c) ? PERHAPS : SURE,
          evidence: [...linesOf(facts), ...changed.keys.map((key) => `${key} changed`)],
          remedy: changed.remedy,
          advice: [`check ${changed.keys.join(', ')}`],
        }),
      ];
    return [
      diagnosis('access_refused', {
        cause,
        // Services also log the 401 that they themselves answered.
        confidence: isRuntime(c) || hasSuspects(c) || c.failure.facts.length > facts.length + 1 ? PERHAPS : LIKELY,
        evidence: linesOf(facts),
        advice: ['renew its key or token and put it into the environment of the service', 'see what that key is allowed to do'],
        waitFor: { kind: 'file_change', path: envFilesOf(c.component)[0] ?? c.component.cwd },
      }),
    ];
  },
  guard: (g) => guardOfSteps('access_refused', g),
};
