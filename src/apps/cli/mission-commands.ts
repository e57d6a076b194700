import type { Command } from 'commander';
import { group, looking, type Asking } from './looking-command.ts';

export function registerMissions(program: Command, answer: Asking): void {
  const list = async (command: Command): Promise<void> => {
    const { listMissions } = await import('./missions.ts');
    await answer(command, (memory) => listMissions(memory, command.opts<{ all?: true }>().all === true));
  };
  const missions = group(program, 'missions', 'what is wrong, and no playbook may mend', list);
  looking(missions, 'list', 'the open ones')
    .option('--all', 'those that are gone or dropped as well')
    .action(async (_options: unknown, command: Command) => list(command));
  looking(missions, 'show', 'what it is, where, and what to do')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { showMission } = await import('./missions.ts');
      await answer(command, (memory) => showMission(memory, id));
    });
  looking(missions, 'abandon', 'leave it as it is: it is not told again while it lasts')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why it may stay, for those who come later')
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const [{ abandonMission }, { userName }] = await Promise.all([import('./missions.ts'), import('../../adapters/node/user-name.ts')]);
      await answer(command, (memory) => abandonMission(memory, id, userName(), reason));
    });
}
