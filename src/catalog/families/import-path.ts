import { join } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, KNOWN, remedy, step } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { nameSlug } from './places.ts';

/** The code is there, in a directory where nobody looks for it: the variable that names it was lost. */
export const importPath: FailureFamily = {
  name: 'import_path',
  title: 'the code lies where it is not looked for',
  async diagnose(c) {
    for (const fact of factsOf(c, 'module_missing')) {
      const place = await placeOf(c, fact);
      if (place === null) continue;
      const { directory, variable } = place;
      const value = [c.env[variable] ?? '', directory].filter((part) => part !== '').join(':');
      return [
        diagnosis('import_path', {
          cause: `${fact.subject} is in ${directory}, and ${variable} does not name ${directory}`,
          confidence: KNOWN,
          evidence: [fact.line, `${join(directory, place.found)} is there`],
          remedy: remedy(`add_${nameSlug(directory)}_to_${nameSlug(variable)}`, `look for code in ${directory} too`, CAREFUL, [
            step(`add ${directory} to ${variable}`, 'set_env_override', { name: variable, value }),
          ]),
          advice: [`set ${variable}=${directory} for ${c.component.name}`, 'or install the project itself as a package'],
        }),
      ];
    }
    return [];
  },
  guard: (g) => guardOfSteps('import_path', g),
};

const DIRECTORIES: Readonly<Record<string, readonly string[]>> = { python: ['src', 'lib', 'app', 'backend'], ruby: ['lib', 'src'] };
const VARIABLE: Readonly<Record<string, string>> = { python: 'PYTHONPATH', ruby: 'RUBYLIB' };

interface Place {
  readonly directory: string;
  readonly variable: string;
  readonly found: string;
}

async function placeOf(c: CaseFile, fact: Fact): Promise<Place | null> {
  const [directories, variable] = [DIRECTORIES[fact.runtime], VARIABLE[fact.runtime]];
  if (directories === undefined || variable === undefined || !/^\w[\w./-]{0,200}$/.test(fact.subject)) return null;
  const path = fact.runtime === 'python' ? fact.subject.replaceAll('.', '/') : fact.subject.replace(/\.rb$/, '');
  const wanted = fact.runtime === 'python' ? [`${path}.py`, `${path}/__init__.py`] : [`${path}.rb`];
  // Beside the command it would have been found: then something else is wrong.
  for (const name of [path.split('/')[0] ?? path, ...wanted]) if ((await c.files.stat(join(c.component.cwd, name))) !== null) return null;
  const looked = new Set((c.env[variable] ?? '').split(':'));
  for (const directory of directories) {
    if (looked.has(directory) || looked.has(join(c.component.cwd, directory))) continue;
    // A package `app` in `app/` is the program's own directory, not a place for modules.
    if ((await c.files.stat(join(c.component.cwd, directory, '__init__.py'))) !== null) continue;
    for (const found of wanted)
      if ((await c.files.stat(join(c.component.cwd, directory, found)))?.kind === 'file') return { directory, variable, found };
  }
  return null;
}
