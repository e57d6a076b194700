import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { AFTER_VARIABLES, diagnosis, LIKELY, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, isOwn, shownPath } from './places.ts';
import { djangoSettingsModule, fileOfModule } from './python-modules.ts';
import { careFor, restoring } from './restore.ts';

/** A framework refuses one of its settings. What was accepted at the last good boot comes back; nothing is opened or switched off. */
export const settingRefused: FailureFamily = {
  name: 'setting_refused',
  title: 'the framework refuses a setting',
  async diagnose(c) {
    const [fact] = factsOf(c, 'setting_refused');
    return fact === undefined ? [] : [await diagnoseSetting(c, fact, await settingsFile(c))];
  },
  guard: (g) => guardOfSteps('setting_refused', g),
};

async function settingsFile(c: CaseFile): Promise<string | null> {
  const module = c.env['DJANGO_SETTINGS_MODULE'] || (await djangoSettingsModule(c));
  return module ? fileOfModule(c, module) : null;
}

async function diagnoseSetting(c: CaseFile, fact: Fact, path: string | null): Promise<Diagnosis> {
  const name = fact.subject === '' ? 'a setting' : `the setting ${fact.subject}`;
  const reason = text(fact, 'reason');
  const cause = `${text(fact, 'framework') === 'django' ? 'Django' : 'the framework'} refuses ${name}${reason === '' ? '' : `: ${reason.slice(0, 160)}`}`;
  const drift = path === null ? null : driftAt(c, path, 'changed');
  if (path !== null && drift?.canRestore === true && isOwn(c.component, path))
    return diagnosis('setting_refused', {
      cause: `${cause}; ${shownPath(c.component, path)} changed since the last good boot`,
      confidence: SURE,
      evidence: [fact.line, drift.message],
      remedy: restoring(c, path, careFor(path, drift)),
      advice: [`correct ${fact.subject || 'it'} in ${shownPath(c.component, path)}`],
      waitFor: { kind: 'file_change', path },
    });
  const hasOtherValues = c.drift.some((d) => d.kind === 'env_key_changed' || d.kind === 'env_key_missing');
  return diagnosis('setting_refused', {
    cause,
    confidence: hasOtherValues ? AFTER_VARIABLES : LIKELY,
    evidence: [fact.line],
    advice: [
      `correct ${fact.subject || 'it'}${path === null ? '' : ` in ${shownPath(c.component, path)}`}`,
      ...(fact.subject === 'ALLOWED_HOSTS' ? ['list the names it is called by; * would let in any'] : []),
    ],
    waitFor: path === null ? null : { kind: 'file_change', path },
  });
}
