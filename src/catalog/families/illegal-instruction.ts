import type { FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, linesOf, PLAUSIBLE } from './answer.ts';
import { signalOf } from './native-crash.ts';

/** The processor has no such instruction: the program was built for a newer one. */
export const illegalInstruction: FailureFamily = {
  name: 'illegal_instruction',
  title: 'the processor lacks an instruction',
  diagnose(c) {
    const signal = signalOf(c, new Set(['SIGILL']), { 132: 'SIGILL' });
    if (signal === null) return Promise.resolve([]);
    return Promise.resolve([
      diagnosis('illegal_instruction', {
        cause: `${c.component.name} used an instruction that this processor does not have (SIGILL)`,
        confidence: PLAUSIBLE,
        evidence: linesOf(c.failure.facts),
        advice: [
          'install a build for older processors (x86-64-v1, no AVX), or run it on a newer machine',
          'compare /proc/cpuinfo with what the program wants',
        ],
      }),
    ]);
  },
  guard: null,
};
