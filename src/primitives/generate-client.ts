import { join } from 'node:path';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { howItFailed, outputTail } from './command-end.ts';
import { confineTarget } from './confinement.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { choice, text } from './parameter.ts';

/** What each tool is called with: only its own command that generates, never one that touches a database. */
const COMMANDS = { prisma: ['generate'] } as const;
type Tool = keyof typeof COMMANDS;

const GENERATE_MS_MAX = 5 * 60_000;

export const generateClient = definePrimitive({
  name: 'generate_client',
  description: "Generates the code that a package makes from the project's schema, with the tool that is installed for it.",
  risk: 'medium',

  parameters: {
    directory: text('The directory of the project.'),
    tool: choice('The tool that makes the code.', Object.keys(COMMANDS) as Tool[]),
  },
  confinement: 'the directories of the component, links followed',

  async plan({ directory, tool }, context) {
    const dir = await confineTarget(context, directory);
    const program = toolIn(dir, tool);
    if ((await context.files.stat(program)) === null) return { state: 'refused', reason: `there is no ${program}: install_packages first` };
    return {
      state: 'ready',
      summary: `run ${tool} ${COMMANDS[tool].join(' ')} in ${dir}`,
      targets: [join(dir, 'node_modules')],
      undo: null,
    };
  },

  async apply({ directory, tool }, context) {
    const dir = await confineTarget(context, directory);
    const argv = [toolIn(dir, tool), ...COMMANDS[tool]];
    context.progress(`${tool} ${COMMANDS[tool].join(' ')} in ${dir}`);
    const result = await run(context, argv, dir);
    if (result.exitCode !== 0) {
      const how = howItFailed(result, GENERATE_MS_MAX);
      throw new PrimitiveFailed('generate_client', `${tool} ${COMMANDS[tool].join(' ')} ${how}\n${outputTail(result)}`, {
        retryable: true,
      });
    }
    return { summary: `generated the code of ${tool}: ${outputTail(result, 1) || 'no output'}`, changed: [join(dir, 'node_modules')] };
  },

  undo: null,
  irreversible: 'the code is made anew from the schema each time: there is nothing to go back to',
});

function toolIn(directory: string, tool: Tool): string {
  return join(directory, 'node_modules', '.bin', tool);
}

function run(context: PrimitiveContext, argv: readonly string[], cwd: string): ReturnType<PrimitiveContext['run']> {
  return context.run(argv, { timeoutMs: GENERATE_MS_MAX, cwd, env: { NODE_OPTIONS: '', CHECKPOINT_DISABLE: '1' } });
}
