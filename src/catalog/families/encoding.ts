import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, HARMLESS, LIKELY, linesOf, remedy, step, WORDS_ONLY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';

const UTF8: Readonly<Record<string, string>> = { PYTHONIOENCODING: 'utf-8', PYTHONUTF8: '1', LANG: 'C.UTF-8' };

/** It prints or reads a character that the locale has no letter for. */
export const encoding: FailureFamily = {
  name: 'encoding',
  title: 'the locale is not UTF-8',
  diagnose(c) {
    const facts = factsOf(c, 'encoding_error');
    if (facts.length === 0) return Promise.resolve([]);
    const wanted = Object.entries(UTF8).filter(([name, value]) => c.env[name] !== value);
    // With UTF-8 in place already, the text itself is not UTF-8: that is data, not a setting.
    const isSettled =
      wanted.length === 0 || (facts.every((f) => /utf-?8/i.test(f.subject)) && facts.some((f) => /decode/i.test(f.code + f.line)));
    return Promise.resolve([
      diagnosis('encoding', {
        cause: isSettled
          ? 'a text is not valid UTF-8'
          : `the locale of ${c.component.name} cannot express a character (${facts[0]?.subject || 'not UTF-8'})`,
        confidence: isSettled ? WORDS_ONLY : LIKELY + 0.05,
        evidence: linesOf(facts),
        remedy: isSettled
          ? null
          : remedy(
              'fix_unicode_logging',
              'run it with a UTF-8 locale',
              HARMLESS,
              wanted.map(([name, value]) => step(`set ${name} to ${value}`, 'set_env_override', { name, value })),
            ),
        advice: [isSettled ? 'find the text that is not UTF-8 and convert it' : 'set LANG=C.UTF-8'],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('encoding', g),
};
