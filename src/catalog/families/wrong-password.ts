import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, SURE, text } from './answer.ts';
import { changedKeys } from './env-changed.ts';
import { envFilesOf } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { shownPath } from './places.ts';

/**
 * A password is refused. Passwords are never reset, and access rules never opened; only when the credentials on our side
 * are the ones that changed are they put back.
 */
export const wrongPassword: FailureFamily = {
  name: 'wrong_password',
  title: 'the password is refused',
  async diagnose(c) {
    const facts = factsOf(c, 'auth_failed');
    if (facts.length === 0) return [];
    const user = facts.find((f) => f.subject !== '')?.subject ?? '';
    const engine = facts.map((f) => text(f, 'engine')).find((e) => e !== '') ?? 'the server';
    const cause = `password authentication failed${user === '' ? '' : ` for user "${user}"`}: ${engine} does not accept the credentials that ${c.component.name} has`;
    const changed = await changedKeys(c, CREDENTIAL);
    if (changed !== null)
      return [
        diagnosis('wrong_password', {
          cause: `${cause}; ${changed.keys.join(', ')} in ${shownPath(c.component, changed.file)} changed since the last good boot`,
          confidence: LIKELY,
          evidence: [...linesOf(facts), ...changed.keys.map((key) => `${key} changed`)],
          remedy: changed.remedy,
          advice: [`check ${changed.keys.join(', ')}`],
        }),
      ];
    return [
      diagnosis('wrong_password', {
        cause,
        confidence: SURE,
        evidence: linesOf(facts),
        advice: [
          'the password may have been rotated: put the new one into the environment of the service',
          'Grace never resets a password or opens access rules',
        ],
        waitFor: envFilesOf(c.component)[0] === undefined ? null : { kind: 'file_change', path: envFilesOf(c.component)[0] ?? '' },
      }),
    ];
  },
  guard: (g) => guardOfSteps('wrong_password', g),
};

const CREDENTIAL = /PASS|PWD|SECRET|TOKEN|CREDENTIAL|USER|_URL$|_URI$|DSN|CONNECTION/i;
