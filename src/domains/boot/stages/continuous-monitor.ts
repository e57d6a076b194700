import type { Stage } from '../boot-context.ts';

export const continuousMonitor: Stage = {
  number: 8,
  name: 'Continuous Monitor',
  onFailure: 'continue',
  async run({ supervision, startSchedules }) {
    supervision.watchAll();
    const schedules = startSchedules();
    return {
      result: 'success',
      metrics: { 'startup.watched': supervision.runners.size, 'startup.schedules': schedules },
      findings: [],
      fixes: [],
      failure: null,
      detail: `watching ${supervision.runners.size} component${supervision.runners.size === 1 ? '' : 's'}`,
    };
  },
};
