import type { Primitive } from '../domains/playbooks/index.ts';
import { Parameters } from './parameters.ts';

type Params = { readonly reason: string };

export const restartComponent: Primitive<Params> = {
  name: 'restart_component',
  description: 'Stops the component and starts it again.',
  risk: 'medium',

  parse(params) {
    const p = new Parameters('restart_component', params, ['reason']);
    return { reason: p.text('reason', 500) };
  },

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

  async undo() {
    // it runs, as it did before; there is no way back to the old process
  },
};
