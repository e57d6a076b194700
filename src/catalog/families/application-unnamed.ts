import { join } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, LIKELY, remedy, step, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { nameSlug, shownPath } from './places.ts';
import { applicationsIn, djangoSettingsModule, sourceOf, topModules } from './python-modules.ts';
import { restoring } from './restore.ts';

/** A server is not told which application it is to serve. Told again only when the project leaves no choice. */
export const applicationUnnamed: FailureFamily = {
  name: 'application_unnamed',
  title: 'it is not told which application to run',
  async diagnose(c) {
    const [fact] = factsOf(c, 'application_missing').filter((f) => text(f, 'reason') === 'unnamed');
    if (fact === undefined || c.env[fact.subject]) return [];
    // Its value of the last good boot is better than any guess.
    if (c.drift.some((d) => d.kind === 'env_key_missing' && d.subject === fact.subject)) return [];
    return [fact.code === 'rack' ? await rackup(c, fact) : await variable(c, fact)];
  },
  guard: (g) => guardOfSteps('application_unnamed', g),
};

async function variable(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const name = fact.subject;
  const choices = name === 'FLASK_APP' ? await flaskModules(c) : [await djangoSettingsModule(c)].filter((m) => m !== null);
  const value = choices.length === 1 ? choices[0] : undefined;
  if (value === undefined)
    return diagnosis('application_unnamed', {
      cause: `${name} is not set, and ${choices.length === 0 ? 'nothing in the project tells what it should be' : `${choices.join(' and ')} could both be meant`}`,
      confidence: LIKELY,
      evidence: [fact.line],
      advice: [`set ${name} for ${c.component.name}`],
      waitFor: { kind: 'file_change', path: join(c.component.cwd, '.env') },
    });
  return diagnosis('application_unnamed', {
    cause: `${name} is not set; the project has only ${value}`,
    confidence: SURE,
    evidence: [fact.line, `${value} is the only one in ${c.component.cwd}`],
    remedy: remedy(`set_${nameSlug(name)}_to_${nameSlug(value)}`, `set ${name} to ${value}`, CAREFUL, [
      step(`set ${name} to ${value}`, 'set_env_override', { name, value }),
    ]),
    advice: [`set ${name}=${value} for ${c.component.name}`],
  });
}

async function flaskModules(c: CaseFile): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name, path } of await topModules(c)) {
    const source = await sourceOf(c, path);
    if (/\bflask\b/i.test(source) && applicationsIn(source).length > 0) found.push(name);
  }
  return found;
}

/** Rack reads `config.ru`. */
async function rackup(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const path = join(c.component.cwd, fact.subject);
  const shown = shownPath(c.component, path);
  const canRestore = (await c.files.stat(path)) === null && canBringBack(await c.lastGood.entry(c.component.name, path));
  return diagnosis('application_unnamed', {
    cause: canRestore
      ? `${shown}, which names the application, is gone; it was there at the last good boot`
      : `there is no ${shown} that names an application`,
    confidence: canRestore ? SURE : LIKELY,
    evidence: [fact.line],
    remedy: canRestore ? restoring(c, path) : null,
    advice: [canRestore ? `put ${shown} back` : `write ${shown}, or name the application in the start command`],
    waitFor: { kind: 'file_change', path },
  });
}
