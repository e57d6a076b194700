import type { Primitive } from '../domains/playbooks/index.ts';
import { outputTail } from './command-end.ts';
import { PrimitiveFailed } from './errors.ts';
import { Parameters } from './parameters.ts';

type Params = { readonly name: string };

export const startDependency: Primitive<Params> = {
  name: 'start_dependency',
  description: 'Starts a dependency with the start command that is declared for it.',
  risk: 'medium',

  parse(params) {
    const p = new Parameters('start_dependency', params, ['name']);
    return { name: p.text('name', 200) };
  },

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

  // Others may use it by now: what runs is left running.
  undo: null,
};
