import { InvalidArgumentError, type Command } from 'commander';
import type { Answer } from './answer.ts';
import type { LookOptions } from './memory.ts';

type Say = (command: Command, given: Answer) => Promise<void>;
type Make = (parent: Command, name: string, description: string) => Command;

/** The commands with which people write, try and test playbooks. */
export function registerAuthoring(playbooks: Command, looking: Make, say: Say): void {
  looking(playbooks, 'new', 'write one that runs, with comments that teach')
    .argument('<name>', 'snake_case; it becomes playbooks/<name>.ts', playbookName)
    .option('--for <incident>', 'an incident or a signature: match, steps and evidence come from it')
    .option('--component <name>', 'default: that of the incident, or any')
    .action(async (name: string, options: { for?: string; component?: string }, command: Command) => {
      const { newPlaybook } = await import('./playbook-new.ts');
      await say(command, await newPlaybook(name, { ...command.optsWithGlobals<LookOptions>(), ...options }));
    });
  looking(playbooks, 'generate', 'write the one that Grace would run for an incident, with its recorded failure')
    .argument('<incident>')
    .action(async (incident: string, _options: unknown, command: Command) => {
      const { generateFor } = await import('./playbook-new.ts');
      await say(command, await generateFor(incident, command.optsWithGlobals<LookOptions>()));
    });
  looking(playbooks, 'run', 'run it now, under governance; or only say what would happen')
    .argument('<name>')
    .option('--component <name>', 'default: the one it is for')
    .option('--dry-run', 'say what each step would do and what governance says; change nothing')
    .action(async (name: string, options: { component?: string; dryRun?: boolean }, command: Command) => {
      const { runNamed } = await import('./playbook-run.ts');
      await say(command, await runNamed(name, { ...command.optsWithGlobals<LookOptions>(), ...options }));
    });
  looking(playbooks, 'test', 'does the recorded failure still happen, and does the playbook still heal it')
    .argument('[names...]', 'default: all that have a recorded failure')
    .option('--keep', 'leave the sandboxes, to look into')
    .action(async (names: string[], options: { keep?: boolean }, command: Command) => {
      const { testPlaybooks } = await import('./playbook-test.ts');
      await say(command, await testPlaybooks(names, { ...command.optsWithGlobals<LookOptions>(), ...options }));
    });
}

function playbookName(text: string): string {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(text)) throw new InvalidArgumentError('It must be snake_case, such as make_upload_directory.');
  return text;
}
