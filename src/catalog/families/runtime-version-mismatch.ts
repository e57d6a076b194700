import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, SURE } from './answer.ts';

/** It wants another version of its runtime. Grace does not install runtimes. */
export const runtimeVersionMismatch: FailureFamily = {
  name: 'runtime_version_mismatch',
  title: 'the runtime has the wrong version',
  diagnose(c) {
    const drift = c.drift.filter((d) => d.kind === 'runtime');
    return Promise.resolve(
      factsOf(c, 'runtime_version_mismatch')
        .slice(0, 1)
        .map((fact) =>
          diagnosis('runtime_version_mismatch', {
            cause: `${c.component.name} wants another version of its runtime${fact.subject ? `: ${fact.subject}` : ''}`,
            confidence: drift.length > 0 ? SURE : ['exit', 'spawn', 'crash_loop'].includes(c.failure.symptom) ? LIKELY : 0.5,
            evidence: [fact.line, ...drift.map((d) => d.message)],
            advice: ['start it with the version it was built for', ...drift.map((d) => `go back: ${d.message}`)],
          }),
        ),
    );
  },
  guard: null,
};
