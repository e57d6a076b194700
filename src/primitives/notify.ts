import type { Primitive } from '../domains/playbooks/index.ts';
import { Parameters } from './parameters.ts';

type Params = { readonly message: string };

export const notify: Primitive<Params> = {
  name: 'notify',
  description: 'Tells the people who watch this boot something.',
  risk: 'low',

  parse(params) {
    const p = new Parameters('notify', params, ['message']);
    return { message: p.text('message', 2000) };
  },

  async plan({ message }, context) {
    return { state: 'ready', summary: message, targets: [context.component.name], undo: null };
  },

  async apply({ message }, context) {
    context.logger.warn(message, { component: context.component.name });
    context.progress(message);
    return { summary: message, changed: [] };
  },

  async undo() {
    // what was said was said
  },
};
