import { basename, dirname, join } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, LIKELY, PLAUSIBLE, remedy, step, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { changedInStack } from './own-frame.ts';
import { absolutePath, driftAt, driftPath, isInPackages, isOwn, shownPath } from './places.ts';
import { careFor, restoring } from './restore.ts';

/** A class has no file, its file says another name, or the map of classes does not know it. */
export const classNotLoaded: FailureFamily = {
  name: 'class_not_loaded',
  title: 'a class cannot be loaded',
  async diagnose(c) {
    const [fact] = factsOf(c, 'class_missing');
    return fact === undefined ? [] : [await diagnoseClass(c, fact)];
  },
  guard: (g) => guardOfSteps('class_not_loaded', g),
};

async function diagnoseClass(c: CaseFile, fact: Fact): Promise<Diagnosis> {
  const gone = goneFileOf(c, fact);
  if (gone !== null)
    return diagnosis('class_not_loaded', {
      cause: `${fact.subject} cannot be loaded: ${shownPath(c.component, gone)} is gone; it was there at the last good boot`,
      confidence: SURE,
      evidence: [fact.line, driftAt(c, gone, 'missing')?.message ?? ''],
      remedy: restoring(c, gone),
      advice: [`check out ${shownPath(c.component, gone)} again`],
    });
  const named = absolutePath(c.component, text(fact, 'path'));
  const changed =
    named !== null && text(fact, 'path') !== '' && driftAt(c, named, 'changed')?.canRestore === true ? named : changedInStack(c);
  if (changed !== null && isOwn(c.component, changed)) {
    const drift = driftAt(c, changed, 'changed');
    return diagnosis('class_not_loaded', {
      cause: `${fact.subject} cannot be loaded, and ${shownPath(c.component, changed)} changed since the last good boot`,
      confidence: LIKELY,
      evidence: [fact.line, drift?.message ?? ''],
      remedy: restoring(c, changed, careFor(changed, drift)),
      advice: [`see that ${fact.subject} is defined, and spelt alike, where it is used and where it stands`],
    });
  }
  if (fact.runtime === 'php') {
    const unmapped = await unmappedFileOf(c, fact.subject);
    const { manager, directory } = await c.host.packages(c.component.cwd);
    if (unmapped !== null && manager === 'composer')
      return diagnosis('class_not_loaded', {
        cause: `${fact.subject} is in ${shownPath(c.component, unmapped)}, and Composer's map of classes does not know it yet`,
        confidence: LIKELY,
        evidence: [fact.line, `${shownPath(c.component, unmapped)} is there`],
        remedy: remedy('install_packages', 'let Composer make its map of classes anew', CAREFUL, [
          step('install the packages of the lock file', 'install_packages', { directory }),
        ]),
        advice: ['run composer dump-autoload'],
      });
  }
  return diagnosis('class_not_loaded', {
    cause: `${fact.subject} is used, and no file defines it${text(fact, 'path') === '' ? '' : `: ${shownPath(c.component, named ?? '')} defines another name`}`,
    confidence: PLAUSIBLE,
    evidence: [fact.line],
    advice: [
      fact.runtime === 'php'
        ? 'see that its file and namespace fit autoload in composer.json, then run composer dump-autoload'
        : 'see that its file has the name that the class has',
      'or that the package which defines it is among the dependencies',
    ],
  });
}

/** `Shop\Web\Kernel`, `Shop::Kernel` → the names its file can have: `Kernel`, `kernel`. */
function stemsOf(name: string): readonly string[] {
  const last = name.split(/::|\\/).at(-1) ?? name;
  const snake = last
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
  return [last, snake];
}

function goneFileOf(c: CaseFile, fact: Fact): string | null {
  const stems = stemsOf(fact.subject);
  const found = c.drift
    .filter((d) => d.kind === 'missing' && d.canRestore)
    .map((d) => driftPath(c.component, d))
    .filter((path) => path !== null)
    .filter((path) => isOwn(c.component, path) && !isInPackages(path) && stems.includes(basename(path).replace(/\.(?:php|rb)$/, '')));
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** The file that a namespace of composer.json gives the class, when it is there. */
async function unmappedFileOf(c: CaseFile, name: string): Promise<string | null> {
  const manifest = join(c.component.cwd, 'composer.json');
  let prefixes: unknown;
  try {
    prefixes = (JSON.parse((await c.files.readText(manifest, MANIFEST_BYTES_MAX)) ?? '{}') as { autoload?: { 'psr-4'?: unknown } })
      .autoload?.['psr-4'];
  } catch {
    return null; // a broken manifest is another failure
  }
  for (const [prefix, places] of Object.entries(prefixes ?? {})) {
    if (!name.startsWith(prefix)) continue;
    for (const place of [places].flat()) {
      if (typeof place !== 'string') continue;
      const path = join(dirname(manifest), place, `${name.slice(prefix.length).replaceAll('\\', '/')}.php`);
      if ((await c.files.stat(path))?.kind === 'file') return path;
    }
  }
  return null;
}

const MANIFEST_BYTES_MAX = 256 * 1024;
