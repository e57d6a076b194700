import { formatDuration } from '../kernel/index.ts';
import { PrimitiveFailed } from './errors.ts';
import { WAIT_MS_MAX, waitUntil } from './wait-until.ts';
import { definePrimitive, nothingToUndo } from './define-primitive.ts';
import { text, whole } from './parameter.ts';

export const waitForDependency = definePrimitive({
  name: 'wait_for_dependency',
  description: 'Waits until something answers at an address.',
  risk: 'low',
  changes: 'nothing',

  parameters: {
    host: text('Host name or address.', 253),
    port: whole('The port.', 1, 65_535),
    timeoutMs: whole('The longest wait, in milliseconds.', 0, WAIT_MS_MAX),
  },
  confinement: 'only connects',

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

  undo: nothingToUndo,
});
