import { join } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { AFTER_VARIABLES, diagnosis, LIKELY, linesOf, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, driftAt, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/**
 * The key that its secrets are encrypted with is gone or another one. It comes back from the last good boot, or from a
 * person: a new key would make everything that was encrypted unreadable.
 */
export const encryptionKeyWrong: FailureFamily = {
  name: 'encryption_key_wrong',
  title: 'the key to its encrypted settings is missing or wrong',
  async diagnose(c) {
    const facts = factsOf(c, 'encryption_key_wrong');
    const [fact] = facts;
    if (fact === undefined) return [];
    const variable = text(fact, 'variable') || (fact.subject.includes('/') ? '' : fact.subject);
    for (const path of await candidates(c, fact.subject)) {
      const stat = await c.files.stat(path);
      const drift = driftAt(c, path, 'changed');
      const isGone = stat === null;
      if (!isGone && drift?.canRestore !== true) continue;
      if (!canBringBack(await c.lastGood.entry(c.component.name, path))) continue;
      const shown = shownPath(c.component, path);
      return [
        diagnosis('encryption_key_wrong', {
          cause: `${shown} is ${isGone ? 'gone' : 'not what it was'}: without it the encrypted settings cannot be read`,
          confidence: SURE,
          evidence: [...linesOf(facts), drift?.message ?? `${shown} was there at the last good boot`],
          remedy: restoring(c, path),
          advice: [`put ${shown} back from your secret store`],
          waitFor: { kind: 'file_change', path },
        }),
      ];
    }
    const hasOtherValues = c.drift.some((d) => d.kind.startsWith('env_key_') && d.subject === variable);
    return [
      diagnosis('encryption_key_wrong', {
        cause: `the key that opens the encrypted settings is ${text(fact, 'reason') === 'missing' ? 'missing' : 'not the one they were encrypted with'}`,
        // The variable may be where the key stands.
        confidence: hasOtherValues ? AFTER_VARIABLES : LIKELY,
        evidence: linesOf(facts),
        advice: [
          `get the key from whoever has it, and put it into ${[fact.subject.includes('/') ? shownIn(c, fact.subject) : '', variable].filter((s) => s !== '').join(' or ')}`,
          'a new key cannot open what the old one closed',
        ],
        waitFor: { kind: 'file_change', path: join(c.component.cwd, fact.subject.includes('/') ? 'config' : '.env') },
      }),
    ];
  },
  guard: (g) => guardOfSteps('encryption_key_wrong', g),
};

function shownIn(c: CaseFile, subject: string): string {
  const path = absolutePath(c.component, subject);
  return path === null ? subject : shownPath(c.component, path);
}

/** The key that is named, those of single environments, and what they open: either may have changed. */
async function candidates(c: CaseFile, subject: string): Promise<readonly string[]> {
  const named = subject.includes('/') ? absolutePath(c.component, subject) : null;
  const keys = (await c.lastGood.entries(c.component.name))
    .map((e) => e.path)
    .filter((path) => /\/config\/(?:master\.key|credentials\/[\w-]+\.key|credentials(?:\/[\w-]+)?\.yml\.enc)$/.test(path));
  return [...new Set([...(named === null ? [] : [named]), ...keys])].filter((path) => isOwn(c.component, path));
}
