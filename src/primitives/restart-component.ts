import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

export const restartComponent = definePrimitive({
  name: 'restart_component',
  description: 'Stops the component and starts it again.',
  risk: 'medium',
  changes: 'processes',

  parameters: {
    reason: text('Why, for the people who read of it.', 500),
  },
  confinement: 'this component, when Grace runs it',

  async plan({ reason }, context) {
    if (context.component.kind === 'dependency')
      return { state: 'refused', reason: `${context.component.name} is a dependency: it is not Grace's to stop` };
    return { state: 'ready', summary: `restart ${context.component.name}: ${reason}`, targets: [context.component.name], undo: null };
  },

  async apply({ reason }, context) {
    const { name } = context.component;
    context.progress(`restarting ${name}`);
    await context.processes.restart(name, reason);
    return { summary: `restarted ${name}`, changed: [name] };
  },

  undo: null,
  needsNoUndo: true,
  irreversible: 'the process that ran before is gone, and what it held in memory with it',
});
