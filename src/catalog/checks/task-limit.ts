import type { Check } from '../../domains/preflight/index.ts';
import { found } from './found.ts';
import { TASKS_LOW } from './machine-thresholds.ts';

/** Processes and threads that the control group still allows. */
export const taskLimit: Check = {
  name: 'task_limit',
  title: 'limit of processes and threads',
  timeLimitMs: 2000,
  when: 'beside_start',
  isNeeded: async ({ machine }) => (await machine.group()).tasks.max !== null,
  async run(context) {
    const { max, left } = (await context.machine.group()).tasks;
    if (max === null || left === null || left >= TASKS_LOW) return [];
    return [
      found(context, {
        severity: left === 0 ? 'error' : 'warn',
        code: 'tasks_low',
        component: 'grace',
        message:
          left === 0
            ? `the control group allows ${max} processes and threads, and has them: nothing more can be started`
            : `the control group allows only ${left} more processes and threads, of ${max}`,
        hint: 'raise TasksMax of the unit, or --pids-limit of the container; see what runs: ps -eLf | wc -l',
      }),
    ];
  },
};
