import { outputTail } from './command-end.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

export const startDependency = definePrimitive({
  name: 'start_dependency',
  description: 'Starts a dependency with the start command that is declared for it.',
  risk: 'medium',
  changes: 'processes',

  parameters: {
    name: text('Name of the dependency, as in the configuration.', 200),
  },
  confinement: 'dependencies with a declared start command',

  async plan({ name }) {
    return { state: 'ready', summary: `start ${name}`, targets: [name], undo: null };
  },

  async apply({ name }, context) {
    context.progress(`starting ${name}`);
    const { started, output } = await context.processes.startDependency(name);
    if (!started)
      throw new PrimitiveFailed(
        'start_dependency',
        `${name} did not start: ${outputTail({ stdout: output, stderr: '' }) || 'it said nothing'}`,
        { retryable: true },
      );
    return { summary: `started ${name}`, changed: [name] };
  },

  undo: null,
  needsNoUndo: true,
  irreversible: 'others may use what runs by now: it is left running',
});
