import type { Command } from 'commander';
import { group, looking, type Asking, type Say } from './looking-command.ts';
import type { LookOptions } from './memory.ts';
import { wholeNumber } from './option-values.ts';

const BOOTS_LISTED = 20;

/** The commands about boots that are over. */
export function registerBoots(program: Command, say: Say, answer: Asking): void {
  const boots = group(program, 'boots', 'history of boots', async (command) => {
    const { listBoots } = await import('./boots.ts');
    await answer(command, (memory) => listBoots(memory, command.opts<{ limit: number }>().limit));
  }).option('-n, --limit <n>', 'how many', wholeNumber, BOOTS_LISTED);
  looking(boots, 'show', 'its stages, findings and components')
    .argument('<boot>', 'its id, or last')
    .option('--blame', 'what took how long and what it waited for, and the critical chain')
    .action(async (boot: string, options: { blame?: boolean }, command: Command) => {
      const { showBoot } = await import('./boots.ts');
      await answer(command, (memory) => showBoot(memory, boot, options.blame === true));
    });
  looking(boots, 'rollback', 'ask to go back to the release of a good boot; done once another person has agreed')
    .option('--to <release>', 'a verified boot, or a commit that one had (default: the last verified boot)')
    .option('--component <name>', 'default: the first')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('-y, --yes', 'without asking once more; needed where there is no terminal')
    .action(async (given: RollbackFlags, command: Command) => {
      const [{ rollBack, theRelease }, { askOnTerminal }] = await Promise.all([
        import('./boots-rollback.ts'),
        import('./snapshots-restore.ts'),
      ]);
      const options = command.optsWithGlobals<LookOptions>();
      await say(
        command,
        await rollBack(await theRelease(options, given.to ?? null), options, {
          component: given.component ?? null,
          isDryRun: given.dryRun === true,
          isAgreed: given.yes === true,
          ask: options.json === true ? null : askOnTerminal(),
        }),
      );
    });
}

interface RollbackFlags {
  readonly to?: string;
  readonly component?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}
