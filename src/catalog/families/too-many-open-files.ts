import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, HARMLESS, isRuntime, linesOf, PLAUSIBLE, remedy, remedyInPlace, step, SURE, ONE_WAY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { nameSlug } from './places.ts';

/** The usual soft limit, where none was set. */
const USUAL_LIMIT = 1024;
/** With so many descriptors in use at run time it is a leak, not a need. */
const LEAK_LIMIT = 4096;
const STEP = 8;

export const tooManyOpenFiles: FailureFamily = {
  name: 'too_many_open_files',
  title: 'the limit of open files is reached',
  async diagnose(c) {
    const facts = factsOf(c, 'too_many_open_files');
    if (facts.length === 0) return [];
    const known = c.failure.context['openFilesLimit'];
    const present = c.overrides.openFiles ?? c.component.limits.openFiles ?? (typeof known === 'number' ? known : USUAL_LIMIT);
    const hard = await c.host.openFilesHardLimit();
    const to = Math.min(Math.max(USUAL_LIMIT, present * STEP), hard);
    if ((isRuntime(c) && present >= LEAK_LIMIT) || to <= present)
      return [
        diagnosis('too_many_open_files', {
          cause: `${c.component.name} has used up ${present} open files${to <= present ? ', all that this machine allows' : ': it leaks them'}`,
          confidence: PLAUSIBLE,
          evidence: linesOf(facts),
          remedy: isRuntime(c)
            ? remedyInPlace(
                `restart_${nameSlug(c.component.name)}_open_files`,
                `start ${c.component.name} again without the files it leaked`,
                ONE_WAY,
                [step(`start ${c.component.name} again`, 'restart_component', { reason: 'it used up its open files' })],
              )
            : null,
          advice: ['see what it keeps open: lsof -p PID'],
        }),
      ];
    return [
      diagnosis('too_many_open_files', {
        cause: `${present} open files are too few for ${c.component.name}`,
        confidence: SURE,
        evidence: linesOf(facts),
        remedy: remedy(`raise_open_files_to_${to}`, `raise the limit of open files from ${present} to ${to}`, HARMLESS, [
          step(`raise the limit of open files to ${to}`, 'raise_open_files', { to }),
        ]),
        advice: [`raise the limit: ulimit -n ${to}`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('too_many_open_files', g),
};
