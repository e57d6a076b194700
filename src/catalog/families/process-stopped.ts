import type { CaseFile, FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, remedyInPlace, step, SURE, ONE_WAY } from './answer.ts';
import { isOwn } from './places.ts';

/** The process was stopped (SIGSTOP): it lives, holds its port, and does nothing. */
export const processStopped: FailureFamily = {
  name: 'process_stopped',
  title: 'the process is stopped',
  async diagnose(c) {
    const pid = c.component.kind === 'dependency' ? await pidOfDependency(c) : c.failure.context['pid'];
    if (typeof pid !== 'number' || c.failure.symptom === 'exit' || c.failure.symptom === 'spawn') return [];
    const process = await c.host.process(pid);
    if (process === null || !/^t/i.test(process.state)) return [];
    if (process.state.startsWith('t'))
      return [
        diagnosis('process_stopped', {
          cause: `a debugger holds ${c.component.name} (pid ${pid})`,
          confidence: SURE,
          evidence: [`state of pid ${pid}: ${process.state}`],
          advice: ['detach the debugger'],
        }),
      ];
    return [
      diagnosis('process_stopped', {
        cause: `${c.component.name} (pid ${pid}) was stopped by a signal and does nothing`,
        confidence: SURE,
        evidence: [`state of pid ${pid}: ${process.state}`],
        remedy: remedyInPlace('resume_stopped_process', `let ${c.component.name} go on`, ONE_WAY, [
          step(`let ${c.component.name} go on`, 'resume_process'),
        ]),
        advice: [`kill -CONT ${pid}`],
      }),
    ];
  },
  guard: null,
};

/** What listens for a dependency that Grace may start, and works in its data: a stranger on its port is none of ours. */
async function pidOfDependency(c: CaseFile): Promise<number | null> {
  const { port, name, command } = c.component;
  const holder = port === null || command.length === 0 ? null : await c.host.portHolder(port, name);
  return holder !== null && holder.cwd !== null && isOwn(c.component, holder.cwd) ? holder.pid : null;
}
