import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, LIKELY, linesOf, PLAUSIBLE } from './answer.ts';

/** No process or thread can be started any more: a limit of the user, of the container, or of the machine. */
export const tooManyProcesses: FailureFamily = {
  name: 'too_many_processes',
  title: 'no more processes can be started',
  diagnose(c) {
    const facts = factsOf(c, 'too_many_processes');
    if (facts.length === 0) return Promise.resolve([]);
    const command = facts.find((f) => f.subject !== '')?.subject ?? '';
    return Promise.resolve([
      diagnosis('too_many_processes', {
        cause: `${command === '' ? `${c.component.name} cannot start another process or thread` : `${command} cannot be started`}: the limit of processes is reached`,
        confidence: isRuntime(c) ? PLAUSIBLE : LIKELY,
        evidence: linesOf(facts),
        advice: [
          'see who has so many: ps -eLf | cut -d" " -f1 | sort | uniq -c',
          'raise the limit: ulimit -u, or TasksMax and pids.max of its unit or container',
        ],
      }),
    ]);
  },
  guard: null,
};
