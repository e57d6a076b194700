import { factsOf, type CaseFile, type FailureFamily, type Remedy } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, failsToWork, isRuntime, LIKELY, linesOf, remedy, step } from './answer.ts';
import { isExplainedElsewhere } from './config-corrupt.ts';
import { envFilesOf, keysInFile, keysInLastGood } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isOwn, nameSlug, shownPath } from './places.ts';
import { wasTried } from './restore.ts';

/** Nothing but the change speaks against it: tried when there is nothing better, and taken back when it does not help. */
const SUSPECTED = 0.5;

/** Surer than the families that know the words, and not that they began with this change. */
const CONCLUSIVE = 0.97;

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
      'unknown_option',
      'path_missing',
      'auth_failed',
      'exception',
      'option_invalid',
      'address_unavailable',
      'host_refused',
      'locale_missing',
      'time_zone_missing',
      'memory_refused',
    );
    for (const file of envFilesOf(c.component)) {
      if (!isOwn(c.component, file)) continue;
      const before = new Map((await keysInLastGood(c.lastGood, c.component.name, file)).map((k) => [k.key, k.value]));
      const now = new Map((await keysInFile(c.files, file)).map((k) => [k.key, k.value]));
      const known = changed.filter((key) => before.has(key) && now.has(key));
      const isPort = (key: string): boolean => isListeningElsewhere(c, before.get(key) ?? '', now.get(key) ?? '');
      const pointedAt = known.filter(
        (key) => isPort(key) || facts.some((f) => f.line.includes(key) || pointsAt(now.get(key) ?? c.env[key] ?? '', f.subject, f.kind)),
      );
      // What is complained about stands in the value now and did not then: no surer sign, whatever else the words mean.
      const isConclusive = pointedAt.some((key) =>
        facts.some(
          (f) => f.subject.length >= 3 && (now.get(key) ?? '').includes(f.subject) && !(before.get(key) ?? '').includes(f.subject),
        ),
      );
      const isSuspected = pointedAt.length === 0 && failsToWork(c) && !isRuntime(c) && !isExplainedElsewhere(c);
      const keys = isSuspected ? known : pointedAt;
      if (keys.length === 0) continue;
      const [shown, names] = [shownPath(c.component, file), keys.join(', ')];
      return [
        diagnosis('env_changed', {
          cause: isSuspected
            ? `nothing else explains it, and ${names} in ${shown} changed since the last good boot`
            : `${names} in ${shown} has another value than at the last good boot, and that is what failed`,
          confidence: isSuspected ? SUSPECTED : isConclusive ? CONCLUSIVE : LIKELY,
          evidence: [...keys.map((key) => `${key} changed`), ...linesOf(facts)],
          remedy: restoringKeys(c, file, keys),
          advice: [`check ${names} in ${shown}`],
        }),
      ];
    }
    return [];
  },
  guard: (g) => guardOfSteps('env_changed', g),
};

/** Only these keys: whatever else was edited in the file stays. */
export function restoringKeys(c: Pick<CaseFile, 'component'>, file: string, keys: readonly string[]): Remedy {
  const name = `set ${keys.join(', ')} in ${shownPath(c.component, file)} as at the last good boot`;
  return remedy(`restore_${nameSlug(keys.join(' ')).slice(0, 50)}`, name, CAREFUL, [
    step(name, 'add_env_keys', { file, keys: [...keys], from: 'last_good', replace: true }),
  ]);
}

/** Variables that changed on our side, and what puts them back. */
interface ChangedKeys {
  readonly file: string;
  readonly keys: readonly string[];
  readonly remedy: Remedy;
}

/**
 * The variables of such names that have another value than at the last good boot.
 * @returns null when there are none, when their old values are not at hand, or when putting them back did not help
 */
export async function changedKeys(c: CaseFile, names: RegExp): Promise<ChangedKeys | null> {
  const changed = c.drift.filter((d) => d.kind === 'env_key_changed' && names.test(d.subject)).map((d) => d.subject);
  for (const file of changed.length === 0 ? [] : envFilesOf(c.component)) {
    const kept = new Set((await keysInLastGood(c.lastGood, c.component.name, file)).map((k) => k.key));
    const keys = changed.filter((key) => kept.has(key));
    const remedy = restoringKeys(c, file, keys);
    if (keys.length > 0 && isOwn(c.component, file) && !wasTried(c, remedy)) return { file, keys, remedy };
  }
  return null;
}

/** It runs, and does not answer where it should; the variable used to hold that port and holds another one now. */
function isListeningElsewhere(c: CaseFile, before: string, now: string): boolean {
  const port = c.component.port === null ? null : new RegExp(`(?:^|:)${c.component.port}(?![0-9])`);
  return port !== null && c.failure.symptom === 'not_ready' && port.test(before) && !port.test(now);
}

/** Whether a value (an address, a URL, a path) is what the message is about. */
function pointsAt(value: string, subject: string, kind: string): boolean {
  if (value === '' || subject.length < 3 || kind === 'exception' || kind === 'auth_failed') return false;
  const port = /:(\d+)$/.exec(subject)?.[1];
  return value.includes(subject) || subject.endsWith(value) || (port !== undefined && (value === port || value.includes(`:${port}`)));
}
