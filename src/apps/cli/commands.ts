import type { Command } from 'commander';
import type { Answer } from './answer.ts';
import { registerAudit } from './audit-commands.ts';
import { registerBoots } from './boots-commands.ts';
import { group, listGroup, looking } from './looking-command.ts';
import type { LookOptions, Memory } from './memory.ts';
import { registerMissions } from './mission-commands.ts';
import { registerMode } from './mode-commands.ts';
import { weekCount } from './option-values.ts';
import { registerPatterns } from './pattern-commands.ts';
import { registerPlaybooks } from './playbook-commands.ts';
import { registerPolicy } from './policy-commands.ts';
import { registerSnapshots } from './snapshot-commands.ts';
import { askingFor } from './who-asks.ts';

/** What a command needs of the process it runs in. */
export interface CommandWorld {
  readonly setExitCode: (code: number) => void;
}

/**
 * The commands that look at what Grace remembers, and decide about it. Each one's code is loaded when it is asked for, so
 * that `grace up` does not wait for it.
 */
export function registerLooking(program: Command, { setExitCode }: CommandWorld): void {
  const answer = async (command: Command, ask: (memory: Memory) => Promise<Answer>): Promise<void> => {
    const { look } = await import('./memory.ts');
    setExitCode(await look(command.optsWithGlobals<LookOptions>(), ask));
  };
  const say = async (command: Command, given: Answer): Promise<void> => {
    const { tell } = await import('./answer.ts');
    setExitCode(tell(given, command.optsWithGlobals<LookOptions>().json === true));
  };

  looking(program, 'check', 'pre-flight: every check and nothing started; GO or NO-GO')
    .argument('[command...]', 'what would be started, after --')
    .passThroughOptions()
    .action(async (words: string[], _options: unknown, command: Command) => {
      const { check } = await import('./check.ts');
      await say(command, await check(words, command.optsWithGlobals()));
    });
  program
    .command('init')
    .description('look at the project and write grace.config.ts')
    .argument('[command...]', 'what to run, after --; without it the start script or the Procfile says')
    .option('--stdout', 'print it instead of writing a file')
    .option('--json', 'for scripts')
    .passThroughOptions()
    .action(async (words: string[], options: { stdout?: boolean }, command: Command) => {
      const { init } = await import('./init.ts');
      await say(command, init(words, options, process.cwd(), process.env));
    });
  const config = program.command('config').description('what Grace was told');
  looking(config, 'explain', 'every setting, its value, and where it came from')
    .argument('[command...]', 'what would be run, after --')
    .passThroughOptions()
    .action(async (words: string[], _options: unknown, command: Command) => {
      const { configExplain } = await import('./config-explain.ts');
      await say(command, await configExplain(words, command.optsWithGlobals(), process.cwd(), process.env));
    });

  looking(program, 'status', 'is a Grace running here, what lives, how well do boots go').action(
    async (_options: unknown, command: Command) => {
      const { status } = await import('./status.ts');
      await answer(command, status);
    },
  );
  looking(program, 'health', 'the score of the last ten boots; exit code 1 when poor').action(
    async (_options: unknown, command: Command) => {
      const { health } = await import('./health.ts');
      await answer(command, health);
    },
  );
  registerBoots(program, say, answer);
  looking(program, 'history', 'score, known failures, week by week, suggestions')
    .option('-w, --weeks <n>', 'how many weeks back (default: 8)', weekCount)
    .action(async ({ weeks }: { weeks?: number }, command: Command) => {
      const { history } = await import('./history.ts');
      await answer(command, (memory) => history(memory, weeks));
    });
  looking(program, 'explain', 'what failed, why, what changed, what was done, and what you can do')
    .argument('[boot-or-incident]', 'default: the newest boot in which something failed')
    .argument('[other]', 'another incident or failure: in which part the two differ')
    .action(async (subject: string | undefined, other: string | undefined, _options: unknown, command: Command) => {
      if (subject !== undefined && other !== undefined) {
        const { explainDifference } = await import('./explain-difference.ts');
        await answer(command, (memory) => explainDifference(memory, subject, other));
        return;
      }
      const { explain } = await import('./explain.ts');
      await answer(command, (memory) => explain(memory, subject));
    });
  looking(program, 'diff', 'what changed between two boots, and what of it is suspicious')
    .argument('[boot]', 'default: the last verified boot')
    .argument('[boot]', 'default: the newest boot that can be compared')
    .option('--now', 'compare with the present moment, without a boot')
    .action(async (first: string | undefined, second: string | undefined, options: { now?: boolean }, command: Command) => {
      const { diff, diffNow } = await import('./diff.ts');
      await answer(command, (memory) =>
        options.now === true ? diffNow(memory, first, command.optsWithGlobals<LookOptions>()) : diff(memory, first, second),
      );
    });

  registerPatterns(program, answer);
  registerSnapshots(program, say);
  registerPolicy(program, say, answer);
  registerMode(program, answer);
  looking(program, 'restart', 'ask the Grace that runs to start a component anew')
    .argument('<component>')
    .option('--reason <text>', 'why, for those who decide and for those who come later', '')
    .option('--as <name>', 'what you call yourself; noted beside the user this runs as')
    .option('--no-wait', 'do not stay until another person has agreed')
    .action(async (component: string, { reason, as, wait }: { reason: string; as?: string; wait: boolean }, command: Command) => {
      const [{ restart }, { userName }, { err }] = await Promise.all([
        import('./restart.ts'),
        import('../../adapters/node/user-name.ts'),
        import('./terminal.ts'),
      ]);
      const asked = { component, reason, by: userName(), claimedName: as ?? null, waitsForApproval: wait };
      await answer(command, (memory) => restart(memory, asked, err));
    });
  registerAudit(program, say);
  const incidents = group(program, 'incidents', 'what is known of each failure', async (command) => {
    const { listPatterns } = await import('./patterns.ts');
    await answer(command, listPatterns);
  });
  looking(incidents, 'show', 'one incident, with its last output')
    .argument('<incident>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { showIncident } = await import('./patterns.ts');
      await answer(command, (memory) => showIncident(memory, id));
    });

  registerPlaybooks(program, say, answer);

  const approvals = listGroup(program, 'approvals', 'fixes that wait for a person', async (command) => {
    const { listApprovals } = await import('./approvals.ts');
    await answer(command, listApprovals);
  });
  looking(approvals, 'show', 'what would be done, and why')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { showApproval } = await import('./approvals.ts');
      await answer(command, (memory) => showApproval(memory, id));
    });
  for (const verb of ['approve', 'reject'] as const)
    looking(approvals, verb, verb === 'approve' ? 'let it run, exactly as shown' : 'keep it from running')
      .argument('<id>')
      .option('--as <name>', 'what you call yourself; noted beside the user this runs as, who decides')
      .action(async (id: string, options: { as?: string }, command: Command) => {
        const [{ approveApproval, rejectApproval }, { userName }] = await Promise.all([
          import('./approvals.ts'),
          import('../../adapters/node/user-name.ts'),
        ]);
        const who = userName();
        const { as = null } = options;
        await answer(command, (memory) =>
          verb === 'approve'
            ? approveApproval(memory, id, who, as)
            : rejectApproval(memory, id, as === null ? who : `${who}, who says to be ${as}`),
        );
      });
  const breakers = listGroup(program, 'breakers', 'playbooks that did not help, and wait until a person has looked', async (command) => {
    const { listBreakers } = await import('./breakers.ts');
    await answer(command, listBreakers);
  });
  looking(breakers, 'close', 'let the playbook run there again')
    .argument('<id>')
    .requiredOption('--reason <text>', 'what you found, for those who come later')
    .action(async (id: string, { reason }: { reason: string }, command: Command) => {
      const [{ closeBreaker }, asking] = await Promise.all([import('./breakers.ts'), askingFor(command)]);
      await answer(command, (memory) => closeBreaker(memory, id, asking.by, reason, asking.of(memory)));
    });
  registerMissions(program, answer);
}
