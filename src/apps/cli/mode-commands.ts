import { Argument, type Command } from 'commander';
import { MODES, type Mode } from '../../domains/governance/index.ts';
import { group, looking, type Asking } from './looking-command.ts';
import { duration } from './option-values.ts';
import { askingFor } from './who-asks.ts';

export function registerMode(program: Command, answer: Asking): void {
  const mode = group(program, 'mode', 'how careful Grace is, since when, who says so and why', async (command) => {
    const { showMode } = await import('./mode.ts');
    await answer(command, showMode);
  });
  looking(mode, 'set', 'set it, where the policies allow it')
    .addArgument(new Argument('<mode>').choices(MODES))
    .requiredOption('--reason <text>', 'why, for those who come later')
    .option('--for <duration>', 'only so long, such as 30m or 2h; then it goes back by itself', duration)
    .option('--as <name>', 'what you call yourself; noted beside the user this runs as')
    .action(async (to: Mode, options: { reason: string; for?: number; as?: string }, command: Command) => {
      const [{ setMode }, asking] = await Promise.all([import('./mode.ts'), askingFor(command)]);
      const { reason, for: forMs = null, as = null } = options;
      await answer(command, (memory) => setMode(memory, { to, reason, forMs, by: asking.by, claimedName: as }, asking.of(memory)));
    });
}
