import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, PLAUSIBLE, SURE, text, WORDS_ONLY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, driftPath, isCertificate, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

const WHAT: Readonly<Record<string, string>> = {
  expired: 'has expired',
  mismatch: 'does not fit its key, or the name it is used for',
  untrusted: 'is not trusted',
  missing: 'cannot be found',
  password: 'does not open with the password that was given',
  unreadable: 'cannot be read',
};

/** A certificate or key that TLS does not accept. Missing files are brought back by file_missing as well. */
export const certificateProblem: FailureFamily = {
  name: 'certificate_problem',
  title: 'a certificate is not accepted',
  diagnose(c) {
    const facts = factsOf(c, 'certificate_problem');
    if (facts.length === 0) return Promise.resolve([]);
    const drifted = c.drift.filter(
      (d) =>
        (d.kind === 'changed' || d.kind === 'missing') &&
        d.canRestore &&
        isCertificate(d.subject) &&
        isOwn(c.component, driftPath(c.component, d) ?? '/'),
    );
    return Promise.resolve(
      facts.slice(0, 3).map((fact) => {
        const reason = text(fact, 'reason');
        const named = absolutePath(c.component, fact.subject);
        const drift = drifted.find((d) => driftPath(c.component, d) === named) ?? drifted[0];
        const path = drift === undefined ? null : driftPath(c.component, drift);
        const subject = fact.subject === '' ? (reason === 'password' ? 'a key store' : 'a certificate') : `the certificate ${fact.subject}`;
        return diagnosis('certificate_problem', {
          cause: `${subject} ${WHAT[reason] ?? 'is not accepted'}${path === null ? '' : `; ${shownPath(c.component, path)} ${drift?.kind === 'missing' ? 'is gone' : 'changed'} since the last good boot`}`,
          confidence: path === null ? (reason === 'untrusted' ? WORDS_ONLY : PLAUSIBLE) : path === named ? SURE : LIKELY,
          evidence: [fact.line, drift?.message ?? ''],
          remedy: path === null ? null : restoring(c, path),
          advice: [
            reason === 'expired'
              ? `renew ${subject}`
              : reason === 'password'
                ? `check the password of ${subject} in the environment`
                : `check ${subject} and its key`,
          ],
          waitFor: path === null && named !== null && fact.subject.includes('/') ? { kind: 'file_change', path: named } : null,
        });
      }),
    );
  },
  guard: (g) => guardOfSteps('certificate_problem', g),
};
