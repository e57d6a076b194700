import type { Primitive } from '../domains/playbooks/index.ts';
import { PrimitiveFailed } from './errors.ts';
import { Parameters } from './parameters.ts';

type Params = Record<string, never>;

export const resumeProcess: Primitive<Params> = {
  name: 'resume_process',
  description: 'Lets a stopped process of the component go on (SIGCONT).',
  risk: 'low',

  parse(params) {
    void new Parameters('resume_process', params, []);
    return {};
  },

  async plan(_params, context) {
    return { state: 'ready', summary: `let ${context.component.name} go on`, targets: [context.component.name], undo: null };
  },

  async apply(_params, context) {
    const { name } = context.component;
    if (!(await context.processes.resume(name))) throw new PrimitiveFailed('resume_process', `no process of ${name} runs under Grace`);
    return { summary: `${name} goes on`, changed: [name] };
  },

  async undo() {
    // nobody wants it stopped again
  },
};
