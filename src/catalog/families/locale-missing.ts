import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PLAUSIBLE, remedy, step } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

const ALWAYS_THERE = /^(?:|C|POSIX|C\.UTF-?8|C\.utf8)$/i;
const VARIABLES = ['LC_ALL', 'LC_CTYPE', 'LANG'] as const;

/** The environment names a locale that is not installed. The one that every system has takes its place. */
export const localeMissing: FailureFamily = {
  name: 'locale_missing',
  title: 'the locale is not installed',
  diagnose(c) {
    const facts = factsOf(c, 'locale_missing');
    if (facts.length === 0) return Promise.resolve([]);
    const asked = VARIABLES.filter((name) => !ALWAYS_THERE.test(c.env[name] ?? ''));
    const values = [...new Set(asked.map((name) => c.env[name] ?? ''))].join(', ');
    const install = `or install the locale: ${values === '' ? 'locale-gen' : `locale-gen ${values}`}`;
    return Promise.resolve([
      diagnosis('locale_missing', {
        cause:
          asked.length > 0
            ? `the locale ${values}, which ${asked.join(', ')} ask for, is not installed`
            : 'the code asks for a locale that is not installed',
        confidence: asked.length > 0 ? LIKELY : PLAUSIBLE,
        evidence: linesOf(facts),
        remedy:
          asked.length > 0
            ? remedy('use_the_plain_utf8_locale', 'run it with C.UTF-8, which every system has', CAREFUL, [
                step('set LC_ALL to C.UTF-8', 'set_env_override', { name: 'LC_ALL', value: 'C.UTF-8' }),
              ])
            : null,
        advice: [asked.length > 0 ? 'set LC_ALL=C.UTF-8' : 'see which locale the code sets by name', install],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('locale_missing', g),
};
