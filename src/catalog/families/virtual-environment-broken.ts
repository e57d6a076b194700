import { basename, dirname, join } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { USUAL_PATH } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, remedy, step, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, isOwn, shownPath, slugOf } from './places.ts';

const USUAL_DIRS = ['.venv', 'venv', 'env'] as const;

/**
 * The Python that a virtual environment was made with is gone, or another one took its place: after an upgrade of the system, or
 * a copy to another machine. Its packages are for one minor version, and no other sees them.
 */
export const virtualEnvironmentBroken: FailureFamily = {
  name: 'virtual_environment_broken',
  title: 'the Python of a virtual environment is gone',
  async diagnose(c) {
    const facts = factsOf(c, 'command_missing', 'path_missing', 'module_missing').filter(
      (f) => f.kind !== 'module_missing' || f.runtime === 'python',
    );
    if (facts.length === 0 && c.failure.symptom !== 'spawn') return [];
    const named = facts.filter((f) => f.kind !== 'module_missing').map((f) => f.subject);
    for (const dir of await environmentsOf(c, named)) {
      const broken = await brokenInterpreter(c, dir);
      if (broken !== null) return [await diagnoseEnvironment(c, dir, broken, linesOf(facts))];
    }
    return [];
  },
  guard: (g) => guardOfSteps('virtual_environment_broken', g),
};

interface BrokenInterpreter {
  readonly link: string;
  /** What the packages are for; empty when the environment does not say. */
  readonly wants: string;
  /** The version it leads to; null when it leads to nothing. */
  readonly has: string | null;
}

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

/** The link to a Python that is not there any more, or is another one now. */
async function brokenInterpreter(c: CaseFile, dir: string): Promise<BrokenInterpreter | null> {
  const wants =
    /^version(?:_info)?\s{0,4}=\s{0,4}(\d{1,2}\.\d{1,3})/m.exec((await c.files.readText(join(dir, 'pyvenv.cfg'))) ?? '')?.[1] ?? '';
  for (const name of ['python3', 'python']) {
    const link = join(dir, 'bin', name);
    if ((await c.files.stat(link))?.kind !== 'symlink') continue;
    const real = await c.files.realpath(link);
    const has = real === null ? null : (/^python(\d{1,2}\.\d{1,3})$/.exec(basename(real))?.[1] ?? wants);
    if (has === null || (wants !== '' && has !== wants)) return { link, wants, has };
  }
  return null;
}

async function diagnoseEnvironment(c: CaseFile, dir: string, broken: BrokenInterpreter, lines: readonly string[]): Promise<Diagnosis> {
  const { link, wants, has } = broken;
  const shown = shownPath(c.component, dir);
  const python = wants === '' ? null : await c.host.findCommand(`python${wants}`, USUAL_PATH);
  const anew = `make it anew: python3 -m venv --clear ${shown}, then install the requirements into it`;
  const what =
    has === null
      ? `the Python of ${shown} is gone: ${shownPath(c.component, link)} leads to nothing`
      : `${shown} was made for Python ${wants}, and its Python is ${has} now, which does not see its packages`;
  const where = python !== null ? `; Python ${wants} is at ${python}` : wants === '' ? '' : `; Python ${wants} is not installed any more`;
  return diagnosis('virtual_environment_broken', {
    cause: `${what}${where}`,
    confidence: python === null ? LIKELY : SURE,
    evidence: [...lines, `${link} leads to ${(await c.files.readLink(link)) ?? 'nothing'}`],
    remedy:
      python === null
        ? null
        : remedy(`relink_${slugOf(c.component, dir)}`, `link ${shown} to Python ${wants} where that is now`, CAREFUL, [
            step(`link ${shown} to ${python}`, 'relink_interpreter', { directory: dir }),
          ]),
    advice: python === null && wants !== '' ? [`install Python ${wants}`, `or ${anew}`] : [anew],
    waitFor: { kind: 'file_change', path: link },
  });
}
