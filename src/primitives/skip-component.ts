import type { Primitive } from '../domains/playbooks/index.ts';
import { Parameters } from './parameters.ts';

type Params = { readonly reason: string };

export const skipComponent: Primitive<Params> = {
  name: 'skip_component',
  description: 'Leaves out an optional component whose tool is missing.',
  risk: 'medium',

  parse(params) {
    const p = new Parameters('skip_component', params, ['reason']);
    return { reason: p.text('reason', 500) };
  },

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

  async undo(record, { component, overrides }) {
    const { skip } = record as { readonly skip: boolean };
    await overrides.set(component.name, { skip });
  },
};
