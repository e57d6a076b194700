import { isAbsolute, join, resolve } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import { USUAL_PATH } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, HARMLESS, LIKELY, linesOf, PERHAPS, remedy, remedyInPlace, step, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { basename, dirname, driftAt, isBelow, isOwn, nameSlug } from './places.ts';
import { canBringBack } from './missing-part.ts';
import { restoring } from './restore.ts';

/** A program that is started, or that the service starts, does not exist. */
export const commandMissing: FailureFamily = {
  name: 'command_missing',
  title: 'a program is not installed',
  async diagnose(c) {
    const facts = factsOf(c, 'command_missing');
    const own = c.component.command[0] ?? '';
    const names = new Set(facts.map((f) => f.subject).filter((s) => s !== ''));
    if (c.failure.symptom === 'spawn' && own !== '' && c.component.kind === 'process') names.add(own);
    const found: Diagnosis[] = [];
    for (const name of names) {
      if (await isThere(c, name)) continue;
      found.push(await diagnoseCommand(c, name, linesOf(facts)));
    }
    return found;
  },
  guard: (g) => guardOfSteps('command_missing', g),
};

async function isThere(c: CaseFile, name: string): Promise<boolean> {
  if (name.includes('/')) return (await c.files.stat(resolve(c.component.cwd, name))) !== null;
  return (await c.host.findCommand(name, c.env['PATH'] ?? '')) !== null;
}

async function diagnoseCommand(c: CaseFile, name: string, lines: readonly string[]): Promise<Diagnosis> {
  if (name.includes(' ')) return diagnoseScript(c, name, lines);
  const isOwnCommand = name === c.component.command[0] || basename(name) === basename(c.component.command[0] ?? '');
  const evidence = [...lines, `${name} is not there`];
  if (isOwnCommand && c.component.optional)
    return diagnosis('command_missing', {
      cause: `${name} is not installed; ${c.component.name} is optional and can be left out`,
      confidence: SURE,
      evidence,
      remedy: remedyInPlace('skip_missing_tool', `leave ${c.component.name} out`, HARMLESS, [
        step(`leave ${c.component.name} out`, 'skip_component', { reason: `${name} is not installed` }),
      ]),
      advice: [`install ${name}`],
    });
  const local = join(c.component.cwd, 'node_modules', '.bin', basename(name));
  const packages = name.includes('node_modules/') || !name.includes('/') ? await c.host.packages(c.component.cwd) : null;
  if (
    packages !== null &&
    packages.missing.length > 0 &&
    (name.includes('node_modules/') ||
      packages.missing.some((p) => p === name || p.endsWith(`/${name}`)) ||
      (packages.manager !== 'pip' &&
        packages.manager !== 'composer' &&
        (await c.files.stat(join(c.component.cwd, 'node_modules'))) === null))
  )
    return diagnosis('command_missing', {
      cause: `${basename(name)} belongs to packages that are not installed`,
      confidence: SURE,
      evidence,
      remedy: remedy('install_packages', 'install the packages of the lock file', CAREFUL, [
        step('install the packages of the lock file', 'install_packages', { directory: packages.directory }),
      ]),
      advice: [`install the packages in ${packages.directory}`],
    });
  const path = name.includes('/') ? resolve(c.component.cwd, name) : null;
  if (
    path !== null &&
    c.component.roots.some((root) => isBelow(root, path)) &&
    canBringBack(await c.lastGood.entry(c.component.name, path))
  )
    return diagnosis('command_missing', {
      cause: `the program ${name} is gone; it was there at the last good boot`,
      confidence: SURE,
      evidence,
      remedy: restoring(c, path),
      advice: [`put ${name} back`],
    });
  const elsewhere = name.includes('/') ? null : (await c.files.stat(local)) !== null ? local : await c.host.findCommand(name, USUAL_PATH);
  if (elsewhere !== null && isAbsolute(elsewhere)) {
    const value = [c.env['PATH'] ?? '', dirname(elsewhere)].filter((part) => part !== '').join(':');
    return diagnosis('command_missing', {
      cause: `${name} is installed in ${dirname(elsewhere)}, which PATH does not have`,
      confidence: LIKELY,
      evidence,
      remedy: remedy(`add_${nameSlug(name)}_to_path`, `add ${dirname(elsewhere)} to PATH`, CAREFUL, [
        step(`add ${dirname(elsewhere)} to PATH`, 'set_env_override', { name: 'PATH', value }),
      ]),
      advice: [`add ${dirname(elsewhere)} to PATH`],
    });
  }
  return diagnosis('command_missing', {
    cause: `${name} is not installed`,
    confidence: isOwnCommand ? LIKELY : PERHAPS,
    evidence,
    advice: [`install ${basename(name)}`, 'or correct the command that names it'],
  });
}

/** `npm run dev`: the manifest has no such script (any more). */
function diagnoseScript(c: CaseFile, name: string, lines: readonly string[]): Diagnosis {
  const manifest = join(c.component.cwd, 'package.json');
  const hasChanged = driftAt(c, manifest, 'changed')?.canRestore === true && isOwn(c.component, manifest);
  return diagnosis('command_missing', {
    cause: `package.json has no script for ${name}${hasChanged ? '; it changed since the last good boot' : ''}`,
    confidence: hasChanged ? LIKELY : PERHAPS,
    evidence: lines,
    remedy: hasChanged ? restoring(c, manifest) : null,
    advice: ['see which scripts it has: npm run'],
  });
}
