import { InvalidArgumentError, Option, type Command } from 'commander';
import type { AutonomyTier } from '../../domains/governance/index.ts';
import { group, listGroup, looking, type Asking, type Say } from './looking-command.ts';
import type { LookOptions } from './memory.ts';
import { durationMs } from './option-values.ts';
import { askingFor } from './who-asks.ts';

/** The commands about playbooks: what there is, how they do, and what may run. */
export function registerPlaybooks(program: Command, say: Say, answer: Asking): void {
  const playbooks = listGroup(program, 'playbooks', 'what Grace does about failures', async (command) => {
    const { listPlaybooks } = await import('./playbooks.ts');
    await answer(command, listPlaybooks);
  });
  looking(playbooks, 'show', 'its header, how it has done, and its source')
    .argument('<name>')
    .action(async (name: string, _options: unknown, command: Command) => {
      const { showPlaybook } = await import('./playbooks.ts');
      await answer(command, (memory) => showPlaybook(memory, name));
    });
  for (const [verb, isEnabled] of [
    ['enable', true],
    ['disable', false],
  ] as const)
    looking(playbooks, verb, isEnabled ? 'let it run again' : 'keep it and its guard from running')
      .argument('<name>')
      .action(async (name: string, _options: unknown, command: Command) => {
        const [{ setEnabled }, asking] = await Promise.all([import('./playbooks.ts'), askingFor(command)]);
        await answer(command, (memory) => setEnabled(memory, name, isEnabled, asking.of(memory)));
      });
  registerAuthoring(playbooks, say);

  const shadow = group(
    playbooks,
    'shadow',
    'what those that were not allowed to run would have done, and how good it would have been',
    async (command) => {
      const { listShadow } = await import('./shadow.ts');
      const { playbook, since } = command.opts<{ playbook?: string; since?: number }>();
      await answer(command, (memory) => listShadow(memory, playbook, since));
    },
  )
    .option('--playbook <name>', 'only this one')
    .option('--since <duration>', 'only failures of the last 7d, 12h, …', durationMs);
  looking(shadow, 'show', 'one of them, with its evidence')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { showShadow } = await import('./shadow.ts');
      await answer(command, (memory) => showShadow(memory, id));
    });
  looking(playbooks, 'promote', 'let it run with less asking, or lift a demotion; bound to its present bytes')
    .argument('<name>')
    .addOption(
      new Option('--to <tier>', 'one tier above what its file says at most').choices(['tier_1', 'tier_2', 'tier_3']).makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'what you looked at, for those who come later')
    .action(async (name: string, { to, reason }: { to: AutonomyTier; reason: string }, command: Command) => {
      const [{ promotePlaybook }, asking] = await Promise.all([import('./promote.ts'), askingFor(command)]);
      await answer(command, (memory) => promotePlaybook(memory, name, to, asking.by, reason, asking.of(memory)));
    });
}

/** The commands with which people write, try and test playbooks. */
function registerAuthoring(playbooks: Command, say: Say): void {
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
