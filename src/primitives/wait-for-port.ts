import { formatDuration } from '../kernel/index.ts';
import { PrimitiveFailed } from './errors.ts';
import { describeHolder } from './free-port.ts';
import { WAIT_MS_MAX, waitUntil } from './wait-until.ts';
import { definePrimitive, nothingToUndo } from './define-primitive.ts';
import { whole } from './parameter.ts';

export const waitForPort = definePrimitive({
  name: 'wait_for_port',
  description: 'Waits until nobody holds a port any more.',
  risk: 'low',
  changes: 'nothing',

  parameters: {
    port: whole('The port.', 1, 65_535),
    timeoutMs: whole('The longest wait, in milliseconds.', 0, WAIT_MS_MAX),
  },
  confinement: 'only looks',

  async plan({ port, timeoutMs }, context) {
    const holder = await context.host.portHolder(port, context.component.name);
    if (holder === null) return { state: 'nothing_to_do', summary: `nobody holds port ${port}` };
    return {
      state: 'ready',
      summary: `wait up to ${formatDuration(timeoutMs)} for port ${port}, held by ${describeHolder(holder)}`,
      targets: [`port ${port}`],
      undo: null,
    };
  },

  async apply({ port, timeoutMs }, context) {
    context.progress(`waiting for port ${port}`);
    const isFree = await waitUntil(context, timeoutMs, async () => (await context.host.portHolder(port, context.component.name)) === null);
    if (!isFree)
      throw new PrimitiveFailed('wait_for_port', `port ${port} was not free within ${formatDuration(timeoutMs)}`, { retryable: true });
    return { summary: `port ${port} is free`, changed: [] };
  },

  undo: nothingToUndo,
});
