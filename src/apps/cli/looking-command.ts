import { Option, type Command } from 'commander';
import type { Answer } from './answer.ts';
import type { Memory } from './memory.ts';

/** Asks what Grace remembers, and tells the answer. */
export type Asking = (command: Command, ask: (memory: Memory) => Promise<Answer>) => Promise<void>;

/** Tells an answer, and sets the exit code by it. */
export type Say = (command: Command, given: Answer) => Promise<void>;

/** A command with the options that all have in common. No word too many: it may be what somebody meant, such as an id without its option. */
export function looking(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .option('-c, --config <file>', 'config file (default: grace.config.* here)')
    .addOption(new Option('--data-dir <dir>', 'where Grace keeps its data (default: .grace beside the config)'))
    .option('--json', 'for scripts');
}

/** A command that lists by itself and has commands of its own below it. */
export function group(parent: Command, name: string, description: string, list: (command: Command) => Promise<void>): Command {
  return looking(parent, name, description)
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) {
        const known = command.commands.map((c) => c.name()).join(', ');
        command.error(`error: unknown command '${name} ${unknown}' (there is: ${known})`);
      }
      await list(command);
    });
}

/** The same with `list` spelled out. */
export function listGroup(parent: Command, name: string, description: string, list: (command: Command) => Promise<void>): Command {
  const made = group(parent, name, description, list);
  looking(made, 'list', 'all of them').action(async (_options: unknown, command: Command) => list(command));
  return made;
}
