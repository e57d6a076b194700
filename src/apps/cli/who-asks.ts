import type { Command } from 'commander';
import type { AskPolicies } from './ask-policies.ts';
import type { Memory } from './memory.ts';

/** What decides over a change by hand, and who asks. @throws ConfigInvalid */
export async function askingFor(command: Command): Promise<{ readonly by: string; of(memory: Memory): AskPolicies }> {
  const [{ askPolicies, settingsOf }, { configOf }, { userName }] = await Promise.all([
    import('./ask-policies.ts'),
    import('./policy.ts'),
    import('../../adapters/node/user-name.ts'),
  ]);
  const [settings, by] = [settingsOf(await configOf(command.optsWithGlobals())), userName()];
  return { by, of: (memory) => askPolicies(memory, settings, by) };
}
