import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';

export const resumeProcess = definePrimitive({
  name: 'resume_process',
  description: 'Lets a stopped process of the component go on (SIGCONT).',
  risk: 'low',
  changes: 'processes',

  parameters: {},
  confinement: 'the process that Grace runs for this component',

  async plan(_params, context) {
    return { state: 'ready', summary: `let ${context.component.name} go on`, targets: [context.component.name], undo: null };
  },

  async apply(_params, context) {
    const { name } = context.component;
    if (!(await context.processes.resume(name))) throw new PrimitiveFailed('resume_process', `no process of ${name} runs under Grace`);
    return { summary: `${name} goes on`, changed: [name] };
  },

  undo: null,
  needsNoUndo: true,
  irreversible: 'what a process does once it goes on is done',
});
