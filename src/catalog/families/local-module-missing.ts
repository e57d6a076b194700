import { dirname, resolve } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, LIKELY, PERHAPS, remedy, step, SURE, text } from './answer.ts';
import { loaderPlaybook, makingLoader } from './catalog-loader.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack, entriesToRestore, missingPartOf } from './missing-part.ts';
import { endsWithModule, isLocalModule, packageOf } from './package-missing.ts';
import { driftPath, isInPackages, isOwn, shownPath, slugOf } from './places.ts';

/** A file of the service's own code is not there. */
export const localModuleMissing: FailureFamily = {
  name: 'local_module_missing',
  title: 'a file of the code is missing',
  async diagnose(c) {
    const found: Diagnosis[] = [];
    for (const fact of factsOf(c, 'module_missing')) {
      if (isInPackages(fact.subject)) continue;
      if (packageOf(fact.subject) !== null && !(await isLocalModule(c, fact)) && (await makingLoader(c, fact)) === null) continue;
      if (/^(?:node:|#)/.test(fact.subject) || fact.subject === '') continue;
      found.push(await diagnoseModule(c, fact));
    }
    return found;
  },
  guard: (g) => guardOfSteps('local_module_missing', g),
};

async function diagnoseModule(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const path = await lastPathOf(c, fact);
  if (path === null)
    return diagnosis('local_module_missing', {
      cause: `the code asks for ${fact.subject}, which is not there`,
      confidence: PERHAPS,
      evidence: [fact.line, ...c.drift.filter((d) => d.kind === 'git').map((d) => d.message)],
      remedy: await makingLoader(c, fact),
      advice: [`check ${fact.subject} in version control: it may not have been deployed, or its build did not run`],
    });
  const shown = shownPath(c.component, path);
  return diagnosis('local_module_missing', {
    cause: `${shown} is missing; it was there at the last good boot`,
    confidence: c.drift.some((d) => d.kind === 'missing' && driftPath(c.component, d) === path) ? SURE : LIKELY,
    evidence: [fact.line],
    remedy: remedy(
      loaderPlaybook(path) ?? `restore_${slugOf(c.component, path)}`,
      `put ${shown} back as it was at the last good boot`,
      CAREFUL,
      (await withItsDirectory(c, path)).map((at) =>
        step(`put ${shownPath(c.component, at)} back as it was at the last good boot`, 'restore_file', { path: at }),
      ),
    ),
    advice: [`check out ${shown} again`],
  });
}

/** What was beside it, when it is the whole directory that is gone. */
async function withItsDirectory(c: CaseFile, path: string): Promise<readonly string[]> {
  const part = await missingPartOf(c, path);
  const entries = part === null ? [] : await entriesToRestore(c, path, part);
  return entries.length === 0 ? [path] : entries.map((e) => e.path);
}

/** Where the module was at the last good boot: next to its importer, or the only missing file of that name. */
async function lastPathOf(c: CaseFile, fact: Fact): Promise<string | null> {
  const written = fact.subject.replace(/^file:\/\//, '');
  const isDotted = fact.runtime === 'python' || fact.runtime === 'ruby';
  const module = isDotted ? written.replaceAll('.', '/') : written;
  const importers = [text(fact, 'importer'), text(fact, 'importedFrom'), text(fact, 'from'), ...c.failure.frames.map((f) => f.path)];
  const bases = new Set([...importers.filter((p) => p.startsWith('/')).map((p) => dirname(p)), c.component.cwd]);
  for (const base of bases)
    for (const suffix of ['', '.js', '.mjs', '.cjs', '.ts', '.json', '/index.js', '/index.ts', '.py', '/__init__.py', '.rb']) {
      const path = resolve(base, `${module}${suffix}`);
      if (!isOwn(c.component, path) || (await c.files.stat(path)) !== null) continue;
      if (canBringBack(await c.lastGood.entry(c.component.name, path))) return path;
    }
  const missing = c.drift.filter((d) => d.kind === 'missing' && d.canRestore && endsWithModule(d.subject, module));
  const only = missing.length === 1 ? missing[0] : undefined;
  const path = only === undefined ? null : driftPath(c.component, only);
  return path !== null && isOwn(c.component, path) ? path : null;
}
