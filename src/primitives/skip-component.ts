import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

export const skipComponent = definePrimitive({
  name: 'skip_component',
  description: 'Leaves out an optional component whose tool is missing.',
  risk: 'medium',

  parameters: {
    reason: text('Why, for the people who read of it.', 500),
  },
  confinement: 'this component, when it is optional and not critical',

  async plan({ reason }, { component, overrides }) {
    if (!component.optional) return { state: 'refused', reason: `${component.name} is not optional: the service is not whole without it` };
    if (component.critical) return { state: 'refused', reason: `${component.name} is critical` };
    const { skip } = await overrides.get(component.name);
    if (skip) return { state: 'nothing_to_do', summary: `${component.name} is left out already` };
    return { state: 'ready', summary: `leave ${component.name} out: ${reason}`, targets: [component.name], undo: { skip } };
  },

  async apply({ reason }, { component, overrides }) {
    await overrides.set(component.name, { skip: true });
    return { summary: `${component.name} is left out: ${reason}`, changed: ['skip'] };
  },

  async observe(_names, { component, overrides }) {
    return (await overrides.get(component.name)).skip;
  },

  async undo(record, { component, overrides }) {
    const { skip } = record as { readonly skip: boolean };
    await overrides.set(component.name, { skip });
  },
});
