import { basename, dirname, join } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, remedy, step, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, isOwn, shownPath, slugOf } from './places.ts';

const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const USUAL_DIRS = ['.venv', 'venv', 'env'] as const;

/** The Python that a virtual environment was made with is gone: after an upgrade of the system, or a copy to another machine. */
export const virtualEnvironmentBroken: FailureFamily = {
  name: 'virtual_environment_broken',
  title: 'the Python of a virtual environment is gone',
  async diagnose(c) {
    const facts = factsOf(c, 'command_missing', 'path_missing');
    if (facts.length === 0 && c.failure.symptom !== 'spawn') return [];
    for (const dir of await environmentsOf(
      c,
      facts.map((f) => f.subject),
    )) {
      const link = await brokenInterpreter(c, dir);
      if (link !== null) return [await diagnoseEnvironment(c, dir, link, linesOf(facts))];
    }
    return [];
  },
  guard: (g) => guardOfSteps('virtual_environment_broken', g),
};

/** Directories with a `pyvenv.cfg` that what could not be started lies in, then the usual ones. */
async function environmentsOf(c: CaseFile, subjects: readonly string[]): Promise<readonly string[]> {
  const named = [...subjects, c.component.command[0] ?? '']
    .filter((word) => word.includes('/'))
    .map((word) => absolutePath(c.component, word))
    .filter((path) => path !== null && basename(dirname(path)) === 'bin')
    .map((path) => dirname(dirname(path ?? '')));
  const found: string[] = [];
  for (const dir of new Set([...named, ...USUAL_DIRS.map((name) => join(c.component.cwd, name))]))
    if (isOwn(c.component, dir) && (await c.files.stat(join(dir, 'pyvenv.cfg'))) !== null) found.push(dir);
  return found;
}

/** The link to a Python that is not there any more. */
async function brokenInterpreter(c: CaseFile, dir: string): Promise<string | null> {
  for (const name of ['python3', 'python']) {
    const path = join(dir, 'bin', name);
    if ((await c.files.stat(path))?.kind === 'symlink' && (await c.files.realpath(path)) === null) return path;
  }
  return null;
}

async function diagnoseEnvironment(c: CaseFile, dir: string, link: string, lines: readonly string[]): Promise<Diagnosis> {
  const shown = shownPath(c.component, dir);
  const version =
    /^version(?:_info)?\s{0,4}=\s{0,4}(\d{1,2}\.\d{1,3})/m.exec((await c.files.readText(join(dir, 'pyvenv.cfg'))) ?? '')?.[1] ?? '';
  const python = version === '' ? null : await c.host.findCommand(`python${version}`, USUAL_PATH);
  const anew = `make it anew: python3 -m venv --clear ${shown}, then install the requirements into it`;
  return diagnosis('virtual_environment_broken', {
    cause: `the Python of ${shown} is gone: ${shownPath(c.component, link)} leads to nothing${python === null ? (version === '' ? '' : `, and Python ${version} is not installed any more`) : `; Python ${version} is at ${python}`}`,
    confidence: python === null ? LIKELY : SURE,
    evidence: [...lines, `${link} leads to ${(await c.files.readLink(link)) ?? 'nothing'}`],
    remedy:
      python === null
        ? null
        : remedy(`relink_${slugOf(c.component, dir)}`, `link ${shown} to Python ${version} where that is now`, CAREFUL, [
            step(`link ${shown} to ${python}`, 'relink_interpreter', { directory: dir }),
          ]),
    advice: python === null && version !== '' ? [`install Python ${version}`, `or ${anew}`] : [anew],
    waitFor: { kind: 'file_change', path: link },
  });
}
