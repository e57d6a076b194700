import { formatDuration } from '../kernel/index.ts';
import type { Primitive } from '../domains/playbooks/index.ts';
import { PrimitiveFailed } from './errors.ts';
import { Parameters } from './parameters.ts';
import { WAIT_MS_MAX, waitUntil } from './wait-until.ts';

type Params = { readonly host: string; readonly port: number; readonly timeoutMs: number };

export const waitForDependency: Primitive<Params> = {
  name: 'wait_for_dependency',
  description: 'Waits until something answers at an address.',
  risk: 'low',

  parse(params) {
    const p = new Parameters('wait_for_dependency', params, ['host', 'port', 'timeoutMs']);
    return { host: p.text('host', 253), port: p.whole('port', 1, 65_535), timeoutMs: p.whole('timeoutMs', 0, WAIT_MS_MAX) };
  },

  async plan({ host, port, timeoutMs }, context) {
    if (await context.host.canConnect(host, port)) return { state: 'nothing_to_do', summary: `${host}:${port} answers` };
    return {
      state: 'ready',
      summary: `wait up to ${formatDuration(timeoutMs)} for ${host}:${port}`,
      targets: [`${host}:${port}`],
      undo: null,
    };
  },

  async apply({ host, port, timeoutMs }, context) {
    context.progress(`waiting for ${host}:${port}`);
    if (!(await waitUntil(context, timeoutMs, () => context.host.canConnect(host, port))))
      throw new PrimitiveFailed('wait_for_dependency', `${host}:${port} did not answer within ${formatDuration(timeoutMs)}`, {
        retryable: true,
      });
    return { summary: `${host}:${port} answers`, changed: [] };
  },

  async undo() {
    // waiting changes nothing
  },
};
