import { Option, type Command } from 'commander';
import { GOVERNED_ACTIONS, MODES } from '../../domains/governance/index.ts';
import { group, looking, type Asking, type Say } from './looking-command.ts';
import { wholeNumber } from './option-values.ts';
import type { PolicyCase } from './policy.ts';

const DECISIONS_LISTED = 20;

export function registerPolicy(program: Command, say: Say, answer: Asking): void {
  const show = async (command: Command): Promise<void> => {
    const { showPolicy } = await import('./policy.ts');
    await say(command, await showPolicy(command.optsWithGlobals()));
  };
  const policy = group(program, 'policy', 'what decides whether something is done', show);
  looking(policy, 'show', 'every policy in force, and since when').action(async (_options: unknown, command: Command) => show(command));
  looking(policy, 'check', 'are these policy files right; exit code 1 when not')
    .argument('[files...]', 'default: those of the config')
    .action(async (files: string[], _options: unknown, command: Command) => {
      const { checkPolicyFiles } = await import('./policy.ts');
      await say(command, await checkPolicyFiles(files, command.optsWithGlobals(), process.cwd()));
    });
  looking(policy, 'test', 'what would be decided, by which policies, and what would change it')
    .addOption(new Option('--action <action>', 'default: run_playbook').choices(GOVERNED_ACTIONS))
    .option('--playbook <name>', 'a known one; or any name, with --risk and --tier')
    .addOption(new Option('--to <mode>', 'of set_mode; default: normal').choices(MODES))
    .addOption(new Option('--change <change>', 'of change_playbook; default: promote').choices(['enable', 'disable', 'promote']))
    .addOption(new Option('--to-tier <tier>', 'of change_playbook; default: its own').choices(['tier_1', 'tier_2', 'tier_3', 'tier_4']))
    .option('--name <name>', 'of a snapshot, a release, a breaker, or the digest of policies')
    .option('--component <name>', 'default: its own, or the first')
    .addOption(new Option('--phase <phase>', 'default: boot').choices(['boot', 'runtime']))
    .addOption(new Option('--mode <mode>', 'default: the one in force').choices(MODES))
    .addOption(new Option('--risk <risk>').choices(['low', 'medium', 'high', 'critical']))
    .addOption(new Option('--tier <tier>').choices(['tier_1', 'tier_2', 'tier_3', 'tier_4']))
    .option('--approvals <n>', 'as if so many people had agreed', wholeNumber)
    .option('--as <actor>', 'who asks: a user, or grace (default: grace for a playbook, else you)')
    .action(async (options: PolicyCase, command: Command) => {
      const { testPolicy } = await import('./policy.ts');
      await say(command, await testPolicy(options, command.optsWithGlobals()));
    });
  looking(policy, 'decisions', 'what was decided, by whom it was asked, and why')
    .option('--component <name>', 'only those about it')
    .option('-n, --limit <n>', 'how many', wholeNumber, DECISIONS_LISTED)
    .action(async ({ component, limit }: { component?: string; limit: number }, command: Command) => {
      const { listDecisions } = await import('./policy.ts');
      await answer(command, (memory) => listDecisions(memory, { limit, ...(component === undefined ? {} : { component }) }));
    });
}
