import type { Command } from 'commander';
import { listGroup, looking, type Say } from './looking-command.ts';
import type { LookOptions } from './memory.ts';

export function registerSnapshots(program: Command, say: Say): void {
  const snapshots = listGroup(program, 'snapshots', 'how components were before Grace changed them', async (command) => {
    const { listSnapshots, withSnapshots } = await import('./snapshots.ts');
    await say(command, await withSnapshots(command.optsWithGlobals(), (known) => listSnapshots(known, Date.now())));
  });
  looking(snapshots, 'show', 'what is in it, and how each part differs from now')
    .argument('<id>')
    .action(async (id: string, _options: unknown, command: Command) => {
      const { showSnapshot, withSnapshots } = await import('./snapshots.ts');
      await say(command, await withSnapshots(command.optsWithGlobals(), (known) => showSnapshot(known, id, untilSignal(), Date.now())));
    });
  looking(snapshots, 'restore', 'put it back, and look whether it is as it was; exit code 1 when not')
    .argument('<id>')
    .option(
      '--only <path>',
      'this file, directory or database alone; can be repeated',
      (path: string, before: string[]) => [...before, path],
      [],
    )
    .option('--dry-run', 'say what would be put back, and change nothing')
    .option('--while-running', 'although the component runs')
    .option('-y, --yes', 'without asking; needed where there is no terminal')
    .action(async (id: string, given: RestoreFlags, command: Command) => {
      const { withSnapshots } = await import('./snapshots.ts');
      const { askOnTerminal, restoreSnapshot } = await import('./snapshots-restore.ts');
      const options = command.optsWithGlobals<LookOptions>();
      const asked = {
        only: given.only,
        isDryRun: given.dryRun === true,
        isAgreed: given.yes === true,
        whileRunning: given.whileRunning === true,
        ask: options.json === true ? null : askOnTerminal(),
        directory: process.cwd(),
      };
      await say(
        command,
        await withSnapshots(options, (known, policies) => restoreSnapshot(known, id, { ...asked, askPolicies: policies }, untilSignal())),
      );
    });
}

interface RestoreFlags {
  readonly only: readonly string[];
  readonly dryRun?: boolean;
  readonly whileRunning?: boolean;
  readonly yes?: boolean;
}

/** Aborted by the first Ctrl-C or SIGTERM. */
function untilSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('stopped by a signal'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  return stop.signal;
}
