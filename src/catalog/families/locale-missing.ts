import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, HARMLESS, LIKELY, linesOf, PLAUSIBLE, remedy, step, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

/** In every C library, and UTF-8: only sorting and the names of months differ from the locale that was asked for. */
const EVERYWHERE = 'C.UTF-8';

/** It asks for a locale that is not installed. A database that was made with one cannot do without it. */
export const localeMissing: FailureFamily = {
  name: 'locale_missing',
  title: 'a locale is not installed',
  diagnose(c) {
    const facts = factsOf(c, 'locale_missing');
    const fact = facts.find((f) => f.subject !== '') ?? facts[0];
    if (fact === undefined) return Promise.resolve([]);
    const asked = fact.subject || (c.env['LC_ALL'] ?? c.env['LANG'] ?? '');
    const isOfData = text(fact, 'engine') !== '';
    const isSettled = c.env['LC_ALL'] === EVERYWHERE;
    return Promise.resolve([
      diagnosis('locale_missing', {
        cause: `the locale ${asked} that ${c.component.name} asks for is not installed`,
        confidence: isOfData ? PLAUSIBLE : LIKELY,
        evidence: linesOf(facts),
        remedy:
          isOfData || isSettled
            ? null
            : remedy('use_a_locale_that_is_there', `run it with the locale ${EVERYWHERE}`, HARMLESS, [
                step(`set LC_ALL to ${EVERYWHERE}`, 'set_env_override', { name: 'LC_ALL', value: EVERYWHERE }),
              ]),
        advice: [`install the locale ${asked} (locale-gen), or set LC_ALL=${EVERYWHERE}`],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('locale_missing', g),
};
