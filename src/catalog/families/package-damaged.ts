import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PLAUSIBLE, remedy, step, SURE, text, WORDS_ONLY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isInPackages } from './places.ts';

/**
 * An installed package lost or changed files. An emptied file gives an ordinary TypeError whose first frame lies in the
 * package, so the words alone never convict: the files on disk do.
 */
export const packageDamaged: FailureFamily = {
  name: 'package_damaged',
  title: 'an installed package is damaged',
  async diagnose(c) {
    const native = factsOf(c, 'native_module_broken');
    const broken = factsOf(c, 'syntax_error', 'path_missing', 'data_corrupt').filter((f) => isInPackages(f.subject));
    const inPackage = c.failure.frames.find((f) => f.package !== null)?.package ?? null;
    const isConcerned =
      native.length + broken.length > 0 || inPackage !== null || factsOf(c, 'module_missing', 'export_missing', 'exception').length > 0;
    if (!isConcerned && !['exit', 'smoke', 'not_ready', 'crash_loop'].includes(c.failure.symptom)) return [];
    const state = await c.host.packages(c.component.cwd);
    if (state.manager === 'none')
      return native.map((f) =>
        diagnosis('package_damaged', {
          cause: `the native module ${f.subject} cannot be loaded`,
          confidence: WORDS_ONLY,
          evidence: [f.line],
          advice: ['install it again for this machine and runtime'],
        }),
      );
    const evidence = [
      ...linesOf([...native, ...broken]),
      ...(state.damaged.length > 0 ? [`files are gone or changed in ${state.damaged.slice(0, 5).join(', ')}`] : []),
    ];
    const abi = native.find((f) => ABI.test(f.line) || text(f, 'reason') === 'node version');
    if (abi !== undefined)
      return [
        diagnosis('package_damaged', {
          cause: `the native module ${abi.subject || 'of a package'} was built for another version of the runtime`,
          confidence: SURE,
          evidence: [...evidence, ...c.drift.filter((d) => d.kind === 'runtime').map((d) => d.message)],
          remedy: remedy('rebuild_native_packages', 'build the native packages for this runtime', CAREFUL, [
            step('build the native packages for this runtime', 'rebuild_packages', { directory: state.directory }),
          ]),
          advice: ['start it with the runtime version it was installed with, or rebuild its packages'],
        }),
      ];
    const isNamed = state.damaged.some(
      (name) => name === inPackage || [...native, ...broken, ...factsOf(c, 'module_missing')].some((f) => f.subject.includes(name)),
    );
    if (state.damaged.length === 0 && native.length + broken.length === 0) return [];
    return [
      diagnosis('package_damaged', {
        cause: `${state.damaged.length === 0 ? 'an installed package' : `the installed package ${state.damaged.slice(0, 3).join(', ')}`} is damaged`,
        // What the loader says of a file that it cannot read as a library needs no second witness.
        confidence: isNamed
          ? SURE
          : native.some((f) => TORN.test(f.line)) || (state.damaged.length > 0 && inPackage !== null)
            ? LIKELY
            : PLAUSIBLE,
        evidence,
        remedy: remedy('reinstall_packages', 'install the packages of the lock file again', CAREFUL, [
          step('install the packages of the lock file again', 'install_packages', { directory: state.directory }),
        ]),
        advice: [`install the packages in ${state.directory} again`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('package_damaged', g),
};

const TORN = /invalid ELF header|file too short/;
const ABI = /NODE_MODULE_VERSION|different Node\.js version/;
