import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, PLAUSIBLE, SURE } from './answer.ts';
import { findBelow } from './find-file.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, basename, dirname, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** Below what a damaged package is installed again with: the library may be part of one. */
const UNNAMED = 0.72;

/** The loader does not find a shared library. What came with the service is put back; the system's are for people. */
export const sharedLibraryMissing: FailureFamily = {
  name: 'shared_library_missing',
  title: 'a shared library is missing',
  async diagnose(c) {
    const found = new Map<string, Diagnosis>();
    for (const fact of factsOf(c, 'library_missing').slice(0, 3))
      if (!found.has(fact.subject)) found.set(fact.subject, await diagnoseLibrary(c, fact.subject, fact.line));
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('shared_library_missing', g),
};

async function diagnoseLibrary(c: CaseFile, library: string, line: string): Promise<Diagnosis> {
  const name = basename(library);
  const gone = await goneSinceLastGood(c, library);
  if (gone !== null)
    return diagnosis('shared_library_missing', {
      cause: `the shared library ${shownPath(c.component, gone)} is gone; the last good boot had it`,
      confidence: SURE,
      evidence: [line],
      remedy: restoring(c, gone),
      advice: [`put ${shownPath(c.component, gone)} back`],
    });
  const here = await findBelow(c.files, c.component.roots, (path) => basename(path) === name, 1);
  const at = here[0];
  if (at !== undefined && !library.includes('/'))
    return diagnosis('shared_library_missing', {
      cause: `the loader does not look into ${shownPath(c.component, dirname(at))}, where the shared library ${name} lies`,
      confidence: PLAUSIBLE,
      evidence: [line],
      advice: [`add ${shownPath(c.component, dirname(at))} to LD_LIBRARY_PATH of ${c.component.name}, or link it with an rpath`],
    });
  return diagnosis('shared_library_missing', {
    cause: `the shared library ${name} is not installed on this machine`,
    confidence: UNNAMED,
    evidence: [line],
    advice: [`install the package that has ${name}`, 'or use an image or a build that brings its libraries along'],
  });
}

async function goneSinceLastGood(c: CaseFile, library: string): Promise<string | null> {
  const named = library.includes('/') ? absolutePath(c.component, library) : null;
  for (const entry of await c.lastGood.entries(c.component.name)) {
    const isIt = named === null ? basename(entry.path) === basename(library) : entry.path === named;
    if (isIt && isOwn(c.component, entry.path) && canBringBack(entry) && (await c.files.stat(entry.path)) === null) return entry.path;
  }
  return null;
}
