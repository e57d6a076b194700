import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, remedy, step } from './answer.ts';
import { envFilesOf, keysInLastGood } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isOwn, shownPath, slugOf } from './places.ts';

/** A variable has another value than at the last good boot, and what failed is exactly what that value points at. */
export const envChanged: FailureFamily = {
  name: 'env_changed',
  title: 'a variable has another value',
  async diagnose(c) {
    const changed = c.drift.filter((d) => d.kind === 'env_key_changed').map((d) => d.subject);
    if (changed.length === 0) return [];
    const facts = factsOf(
      c,
      'connection_refused',
      'host_unresolved',
      'database_missing',
      'config_invalid',
      'path_missing',
      'auth_failed',
      'exception',
    );
    const suspects = changed.filter((key) => facts.some((f) => f.line.includes(key) || pointsAt(c.env[key] ?? '', f.subject, f.kind)));
    for (const file of envFilesOf(c.component)) {
      const kept = new Set((await keysInLastGood(c.lastGood, c.component.name, file)).map((k) => k.key));
      const keys = suspects.filter((key) => kept.has(key));
      if (keys.length === 0 || !isOwn(c.component, file)) continue;
      const shown = shownPath(c.component, file);
      return [
        diagnosis('env_changed', {
          cause: `${keys.join(', ')} in ${shown} has another value than at the last good boot, and that is what failed`,
          confidence: LIKELY,
          evidence: [...keys.map((key) => `${key} changed`), ...linesOf(facts)],
          remedy: remedy(`restore_${slugOf(c.component, file)}`, `put ${shown} back as it was at the last good boot`, CAREFUL, [
            step(`put ${shown} back as it was at the last good boot`, 'restore_file', { path: file }),
          ]),
          advice: [`check ${keys.join(', ')} in ${shown}`],
        }),
      ];
    }
    return [];
  },
  guard: (g) => guardOfSteps('env_changed', g),
};

/** Whether a value (an address, a URL, a path) is what the message is about. */
function pointsAt(value: string, subject: string, kind: string): boolean {
  if (value === '' || subject.length < 3 || kind === 'exception' || kind === 'auth_failed') return false;
  const port = /:(\d+)$/.exec(subject)?.[1];
  return value.includes(subject) || subject.endsWith(value) || (port !== undefined && (value === port || value.includes(`:${port}`)));
}
