import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, isRuntime, LIKELY, linesOf, PERHAPS, SURE, text } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { restoringKeys } from './env-changed.ts';
import { envFilesOf, keysInFile, keysInLastGood } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isOwn, shownPath } from './places.ts';

/** What a validator of settings, or the runtime itself, says about a value that is there and wrong. */
const CODES: ReadonlySet<string> = new Set(['validation', 'ERR_INVALID_URL', 'ERR_SOCKET_BAD_PORT']);

/** A variable is set, and to something that the service does not accept. Its value is never shown. */
export const envInvalid: FailureFamily = {
  name: 'env_invalid',
  title: 'a variable has a value that is not accepted',
  async diagnose(c) {
    const facts = factsOf(c, 'config_invalid').filter((f) => CODES.has(f.code));
    const keys = [...new Set(facts.flatMap((f) => variablesOf(c, f)))];
    if (keys.length === 0) return [];
    const cause = `${keys.join(', ')} ${keys.length === 1 ? 'has a value' : 'have values'} that ${c.component.name} does not accept`;
    const changed = new Set(c.drift.filter((d) => d.kind === 'env_key_changed').map((d) => d.subject));
    for (const file of envFilesOf(c.component)) {
      if (!isOwn(c.component, file)) continue;
      const here = new Set((await keysInFile(c.files, file)).map((k) => k.key));
      const kept = new Set((await keysInLastGood(c.lastGood, c.component.name, file)).map((k) => k.key));
      const restorable = keys.filter((key) => changed.has(key) && here.has(key) && kept.has(key));
      if (restorable.length === 0) continue;
      return [
        diagnosis('env_invalid', {
          cause: `${cause}; ${restorable.join(', ')} in ${shownPath(c.component, file)} changed since the last good boot`,
          confidence: isRuntime(c) ? PERHAPS : SURE,
          evidence: [...linesOf(facts), ...restorable.map((key) => `${key} changed`)],
          remedy: restoringKeys(c, file, restorable),
          advice: [`correct ${restorable.join(', ')} in ${shownPath(c.component, file)}`],
        }),
      ];
    }
    return [byPerson(c, cause, keys, facts)];
  },
  guard: (g) => guardOfSteps('env_invalid', g),
};

/** The variables that a complaint is about: the one it names, else those that have the very value it complains of. */
function variablesOf(c: CaseFile, fact: Fact): readonly string[] {
  if (fact.subject !== '') {
    const name = [fact.subject, fact.subject.replaceAll('.', '_').toUpperCase()].find((n) => c.env[n] !== undefined);
    return name === undefined ? [] : [name];
  }
  const value = text(fact, 'value');
  if (value === '') return [];
  const isWanted = fact.code === 'ERR_SOCKET_BAD_PORT' ? /PORT/ : /URL|URI|ENDPOINT|HOST|ORIGIN|API|ADDR|BASE|LINK|DSN|SERVER/;
  return Object.keys(c.env).filter((name) => c.env[name] === value && isWanted.test(name));
}

function byPerson(c: CaseFile, cause: string, keys: readonly string[], facts: readonly Fact[]): Diagnosis {
  const file = envFilesOf(c.component)[0] ?? c.component.cwd;
  const reasons = facts.map((f) => text(f, 'reason')).filter((reason) => reason !== '' && reason.length < 120);
  return diagnosis('env_invalid', {
    cause,
    confidence: isRuntime(c) || hasSuspects(c) ? PERHAPS : LIKELY,
    evidence: [...linesOf(facts), ...reasons],
    advice: [`correct ${keys.join(', ')} for ${c.component.name}`, 'Grace does not make up settings'],
    waitFor: { kind: 'file_change', path: file },
  });
}
