import type { SuggestedCommand } from '../../domains/incidents/index.ts';
import { paint, table, visibleLength } from './terminal.ts';

/**
 * Each command on a line of its own and never broken: what is copied is what runs. What it tells stands beside it, or below
 * where the screen has no room for both.
 * @param width   columns from where a command begins to the end of the screen
 */
export function commandLines(commands: readonly SuggestedCommand[], width: number): readonly string[] {
  if (commands.length === 0) return [];
  const beside = table(commands.map(({ command, why }) => [command, paint('dim', why)])).split('\n');
  if (beside.every((line) => visibleLength(line) <= width)) return beside;
  return commands.flatMap(({ command, why }) =>
    command.length + why.length + 2 <= width ? [`${command}  ${paint('dim', why)}`] : [command, paint('dim', `  ${why}`)],
  );
}
