import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { isSecretName } from '../../domains/incidents/index.ts';
import { diagnosis, HARMLESS, isRuntime, LIKELY, linesOf, PERHAPS, remedy, step, SURE, text } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { envFilesOf, exampleOf, keysInFile, keysInLastGood } from './env-text.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isOwn, nameSlug, shownPath } from './places.ts';

const NAMES_MAX = 5;

/** A library was given no key. It does not say which variable that should have come from; what the last good boot had does. */
export const credentialsMissing: FailureFamily = {
  name: 'credentials_missing',
  title: 'a library was given no key',
  async diagnose(c) {
    const facts = factsOf(c, 'credentials_missing');
    const [fact] = facts;
    if (fact === undefined) return [];
    const said = text(fact, 'names')
      .split(', ')
      .filter((name) => name !== '' && !c.env[name]);
    const cause = `${fact.subject} was given no key or secret`;
    const lost = c.drift
      .filter((d) => d.kind === 'env_key_missing' && (isSecretName(d.subject) || said.includes(d.subject)))
      .map((d) => d.subject);
    for (const file of lost.length === 0 ? [] : envFilesOf(c.component)) {
      const kept = new Set((await keysInLastGood(c.lastGood, c.component.name, file)).filter((k) => k.value !== '').map((k) => k.key));
      const keys = lost.filter((key) => kept.has(key));
      if (keys.length === 0 || !isOwn(c.component, file) || (await c.files.stat(file)) === null) continue;
      const names = keys.join(', ');
      const name = `set ${names} in ${shownPath(c.component, file)} as at the last good boot`;
      return [
        diagnosis('credentials_missing', {
          cause: `${cause}; ${names} ${keys.length === 1 ? 'is' : 'are'} not set, and the last good boot had ${keys.length === 1 ? 'it' : 'them'}`,
          confidence: isRuntime(c) ? PERHAPS : SURE,
          evidence: linesOf(facts),
          remedy: remedy(`set_${nameSlug(names).slice(0, 50)}`, `set ${names}`, HARMLESS, [
            step(name, 'add_env_keys', { file, keys, from: 'last_good' }),
          ]),
          advice: [`set ${names} in ${shownPath(c.component, file)}`],
        }),
      ];
    }
    const candidates = said.length > 0 ? said : await unsetSecrets(c);
    return [
      diagnosis('credentials_missing', {
        cause,
        confidence: isRuntime(c) || hasSuspects(c) ? PERHAPS : LIKELY,
        evidence: [...linesOf(facts), ...candidates.map((key) => `${key} is not set`)],
        advice: [
          candidates.length > 0
            ? `set ${candidates.join(', ')} for ${c.component.name}`
            : `give ${fact.subject} its key, most often a variable in .env`,
          'a key that others share cannot be made up',
        ],
        waitFor: { kind: 'file_change', path: envFilesOf(c.component)[0] ?? c.component.cwd },
      }),
    ];
  },
  guard: (g) => guardOfSteps('credentials_missing', g),
};

/** Secrets that the example of an env file has and that nobody has set. */
async function unsetSecrets(c: CaseFile): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const file of envFilesOf(c.component))
    for (const { key } of await keysInFile(c.files, await exampleOf(c.files, file))) if (isSecretName(key) && !c.env[key]) found.add(key);
  return [...found].slice(0, NAMES_MAX);
}
