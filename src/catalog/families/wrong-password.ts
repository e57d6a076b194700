import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, SURE, text } from './answer.ts';
import { restoringKeys } from './env-changed.ts';
import { envFilesOf, keysInLastGood } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isOwn, shownPath } from './places.ts';
import { wasTried } from './restore.ts';

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
    const changed = c.drift.filter((d) => d.kind === 'env_key_changed' && CREDENTIAL.test(d.subject));
    for (const file of changed.length === 0 ? [] : envFilesOf(c.component)) {
      const kept = new Set((await keysInLastGood(c.lastGood, c.component.name, file)).map((k) => k.key));
      const keys = changed.map((d) => d.subject).filter((key) => kept.has(key));
      const remedy = restoringKeys(c, file, keys);
      if (keys.length === 0 || !isOwn(c.component, file) || wasTried(c, remedy)) continue;
      return [
        diagnosis('wrong_password', {
          cause: `${cause}; ${keys.join(', ')} in ${shownPath(c.component, file)} changed since the last good boot`,
          confidence: LIKELY,
          evidence: [...linesOf(facts), ...changed.map((d) => d.message)],
          remedy,
          advice: [`check ${keys.join(', ')}`],
        }),
      ];
    }
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
