import type { Command } from 'commander';
import { group, looking, type Asking } from './looking-command.ts';

export function registerPatterns(program: Command, answer: Asking): void {
  const patterns = group(program, 'patterns', 'families of failures, and how far Grace is immune', async (command) => {
    const { listPatterns } = await import('./patterns.ts');
    await answer(command, listPatterns);
  });
  looking(patterns, 'merge', 'two incidents are one from now on')
    .argument('<incident>')
    .argument('<incident>')
    .option('--into <incident>', 'the one that goes on (default: the first)')
    .requiredOption('--reason <text>', 'why, for those who come later')
    .option('--as <name>', 'what you call yourself; noted beside the user this runs as, who decides')
    .action(async (a: string, b: string, { into, reason, as }: { into?: string; reason: string; as?: string }, command: Command) => {
      const [{ mergeIncidents }, { userName }] = await Promise.all([import('./grouping.ts'), import('../../adapters/node/user-name.ts')]);
      await answer(command, (memory) => mergeIncidents(memory, [a, b], into ?? a, { reason, by: userName(), ...claimed(as) }));
    });
  looking(patterns, 'split', 'failures that share an incident are apart from now on')
    .argument('<incident>')
    .requiredOption('--by <part>', 'what keeps them apart: subject, place, message, code, exit, stage or symptom')
    .requiredOption('--reason <text>', 'why, for those who come later')
    .option('--as <name>', 'what you call yourself; noted beside the user this runs as, who decides')
    .action(async (id: string, { by, reason, as }: { by: string; reason: string; as?: string }, command: Command) => {
      const [{ splitIncident }, { userName }] = await Promise.all([import('./grouping.ts'), import('../../adapters/node/user-name.ts')]);
      await answer(command, (memory) => splitIncident(memory, id, by, { reason, by: userName(), ...claimed(as) }));
    });
  looking(patterns, 'rules', 'the merges and splits that people decided').action(async (_options: unknown, command: Command) => {
    const { listRules } = await import('./grouping.ts');
    await answer(command, listRules);
  });
  looking(patterns, 'unrule', 'take a merge or a split back')
    .argument('<rule>')
    .option('--as <name>', 'what you call yourself; noted beside the user this runs as, who decides')
    .action(async (id: string, { as }: { as?: string }, command: Command) => {
      const [{ takeRuleBack }, { userName }] = await Promise.all([import('./grouping.ts'), import('../../adapters/node/user-name.ts')]);
      await answer(command, (memory) => takeRuleBack(memory, id, { by: userName(), ...claimed(as) }));
    });
}

function claimed(name: string | undefined): { readonly claimedName?: string } {
  return name === undefined ? {} : { claimedName: name };
}
