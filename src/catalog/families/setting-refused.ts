import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, LIKELY, linesOf, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, isOwn, shownPath } from './places.ts';
import { djangoSettingsModule, fileOfModule, sourceOf } from './python-modules.ts';
import { careFor, restoring } from './restore.ts';

/** Something else may be the reason: a package that was asked for, and is not there yet. */
const ASKED_FOR = 0.8;
/** A changed variable is tried first: settings are often made of them. */
const AFTER_VARIABLES = 0.45;

/** A framework refuses one of its settings. What was accepted at the last good boot comes back; nothing is opened or switched off. */
export const settingRefused: FailureFamily = {
  name: 'setting_refused',
  title: 'the framework refuses a setting',
  async diagnose(c) {
    const refused = factsOf(c, 'setting_refused');
    const named = refused.length > 0 ? [] : factsOf(c, 'module_missing', 'export_missing').filter((f) => f.runtime === 'python');
    if (refused.length + named.length === 0) return [];
    const path = await settingsFile(c);
    if (refused.length === 0) return path === null ? [] : newlyNamed(c, path, named);
    const [fact] = refused;
    return fact === undefined ? [] : [await diagnoseSetting(c, fact, path)];
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

/** The settings name an application or a class that they did not name at the last good boot, and it does not exist. */
async function newlyNamed(c: CaseFile, path: string, facts: readonly Fact[]): Promise<readonly Diagnosis[]> {
  const drift = driftAt(c, path, 'changed');
  if (drift?.canRestore !== true || !isOwn(c.component, path)) return [];
  const entry = await c.lastGood.entry(c.component.name, path);
  const before = entry === null ? null : await c.lastGood.content(entry);
  if (before === null) return [];
  const [then, now] = [new TextDecoder().decode(before), await sourceOf(c, path)];
  const [fact] = facts.filter((f) => f.subject.length >= 3 && now.includes(f.subject) && !then.includes(f.subject));
  if (fact === undefined) return [];
  const shown = shownPath(c.component, path);
  return [
    diagnosis('setting_refused', {
      cause: `${shown} names ${fact.subject}, which does not exist; it did not at the last good boot`,
      confidence: ASKED_FOR,
      evidence: [...linesOf([fact]), drift.message],
      remedy: restoring(c, path, careFor(path, drift)),
      advice: [`install ${fact.subject}, or take it out of ${shown}`],
      waitFor: { kind: 'file_change', path },
    }),
  ];
}
