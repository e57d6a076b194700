import { definePrimitive, nothingToUndo } from './define-primitive.ts';
import { text } from './parameter.ts';

export const notify = definePrimitive({
  name: 'notify',
  description: 'Tells the people who watch this boot something.',
  risk: 'low',
  changes: 'nothing',

  parameters: {
    message: text('What to say.', 2000),
  },
  confinement: 'only tells',

  async plan({ message }, context) {
    return { state: 'ready', summary: message, targets: [context.component.name], undo: null };
  },

  async apply({ message }, context) {
    context.logger.warn(message, { component: context.component.name });
    context.progress(message);
    return { summary: message, changed: [] };
  },

  undo: nothingToUndo,
});
