import type { Stage } from '../boot-context.ts';

/** What goes on while the service runs, in milliseconds. */
export const SCHEDULES = { health: 30_000, metrics: 60_000, self_heal: 300_000, proactive: 600_000, validation: 3_600_000 } as const;

export const continuousMonitor: Stage = {
  number: 8,
  name: 'Continuous Monitor',
  onFailure: 'continue',
  async run({ supervision }) {
    supervision.watchAll();
    return {
      result: 'success',
      metrics: { 'startup.watched': supervision.runners.size },
      findings: [],
      fixes: [],
      failure: null,
      detail: `watching ${supervision.runners.size} component${supervision.runners.size === 1 ? '' : 's'}`,
    };
  },
};
