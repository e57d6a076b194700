import type { CaseFile, FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis } from './answer.ts';
import { listensElsewhere } from './listens-elsewhere.ts';

/** Always last: says what is known, and proposes nothing. */
export const unexplained: FailureFamily = {
  name: 'unexplained',
  title: 'no known cause',
  diagnose(c) {
    const { failure } = c;
    const how = failure.signal ?? (failure.exitCode === null ? failure.symptom.replaceAll('_', ' ') : `exit code ${failure.exitCode}`);
    return Promise.resolve([
      diagnosis('unexplained', {
        cause: `${c.component.name} failed (${how})${failure.headline === '' ? ' and said nothing that explains it' : `: ${failure.headline}`}${portsElsewhere(c)}`,
        confidence: 0.05,
        evidence: [failure.message, failure.headline, ...c.drift.slice(0, 5).map((d) => d.message)],
        advice: [
          ...(c.drift.length > 0 ? ['look at what changed since the last good boot'] : []),
          ...(failure.frames.find((f) => !f.inDependency) ? [`look at ${failure.frames.find((f) => !f.inDependency)?.path ?? ''}`] : []),
          'read the whole output',
        ],
      }),
    ]);
  },
  guard: null,
};

function portsElsewhere(c: CaseFile): string {
  const ports = listensElsewhere(c);
  return ports.length === 0 ? '' : `; it listens on ${ports.slice(0, 3).join(', ')}, and not on ${String(c.component.port)}`;
}
