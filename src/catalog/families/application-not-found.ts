import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, KNOWN, LIKELY, PERHAPS, PLAUSIBLE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, shownPath } from './places.ts';
import { applicationsIn, fileOfModule, sourceOf, topModules } from './python-modules.ts';
import { careFor, restoring } from './restore.ts';

const SERVERS: ReadonlySet<string> = new Set(['asgi', 'wsgi', 'flask', 'celery']);

/** A server is told an application that is not where it is told to look. */
export const applicationNotFound: FailureFamily = {
  name: 'application_not_found',
  title: 'the application that is to be served is not there',
  async diagnose(c) {
    const found: Diagnosis[] = [];
    for (const fact of factsOf(c, 'application_missing')) {
      if (text(fact, 'reason') === 'unnamed') continue;
      found.push(await diagnoseApplication(c, fact));
    }
    for (const fact of factsOf(c, 'module_missing')) {
      if (!SERVERS.has(fact.code) || (await fileOfModule(c, fact.subject)) !== null) continue;
      found.push(await diagnoseModule(c, fact));
    }
    return found.slice(0, 2);
  },
  guard: (g) => guardOfSteps('application_not_found', g),
};

async function diagnoseApplication(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const module = text(fact, 'module');
  const path = module === '' ? null : await fileOfModule(c, module);
  if (path === null)
    return diagnosis('application_not_found', {
      cause:
        text(fact, 'reason') === 'format'
          ? `"${fact.subject}" does not name an application: module:name is wanted`
          : `the application ${fact.subject} cannot be loaded`,
      // Django and others say this last, after what is really wrong.
      confidence: c.failure.facts.length > 1 ? PERHAPS : LIKELY,
      evidence: [fact.line],
      advice: ['correct the start command, or the setting that names the application'],
    });
  const shown = shownPath(c.component, path);
  const drift = driftAt(c, path, 'changed');
  const offered = applicationsIn(await sourceOf(c, path));
  const what =
    text(fact, 'reason') === 'ambiguous'
      ? `${shown} has several applications`
      : `${shown} has no ${text(fact, 'attribute') || 'application'}`;
  const canRestore = drift?.canRestore === true;
  return diagnosis('application_not_found', {
    cause: `${what}${canRestore ? '; it changed since the last good boot' : offered.length > 0 ? `; it has ${offered.join(', ')}` : ''}`,
    confidence: KNOWN,
    evidence: [fact.line, drift?.message ?? ''],
    remedy: canRestore ? restoring(c, path, careFor(path, drift)) : null,
    advice: [
      offered.length === 1
        ? `say ${module}:${offered[0] ?? ''} in the start command of ${c.component.name}`
        : `name the application in the start command of ${c.component.name}`,
      `or call it in ${shown} what the command says`,
    ],
    waitFor: { kind: 'file_change', path },
  });
}

async function diagnoseModule(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const others: string[] = [];
  for (const { name, path } of await topModules(c)) {
    const [application] = applicationsIn(await sourceOf(c, path));
    if (application !== undefined) others.push(`${name}:${application}`);
  }
  return diagnosis('application_not_found', {
    cause: `there is no module ${fact.subject} in ${c.component.cwd}${others.length > 0 ? `; there is ${others.slice(0, 3).join(', ')}` : ''}`,
    confidence: PLAUSIBLE,
    evidence: [fact.line],
    advice: [
      others.length === 1
        ? `say ${others[0] ?? ''} in the start command`
        : 'correct the module in the start command, or the working directory',
    ],
    waitFor: { kind: 'file_change', path: c.component.cwd },
  });
}
