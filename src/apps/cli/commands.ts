import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { AutonomyTier, GovernedAction, Mode } from '../../domains/governance/index.ts';
import { parseDurationMs } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import type { AuditSource, AuditSourceOptions, OwnAudit } from './audit-source.ts';
import type { AuditVerifyOptions } from './audit-verify.ts';
import type { AskPolicies } from './ask-policies.ts';
import type { LookOptions, Memory } from './memory.ts';
import { registerAuthoring } from './playbook-commands.ts';
import type { PolicyCase } from './policy.ts';

/** What a command needs of the process it runs in. */
export interface CommandWorld {
  readonly setExitCode: (code: number) => void;
}

const BOOTS_LISTED = 20;

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
  registerAuthoring(playbooks, looking, say);

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

function registerMissions(program: Command, answer: Asking): void {
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

interface RollbackFlags {
  readonly to?: string;
  readonly component?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

type Asking = (command: Command, ask: (memory: Memory) => Promise<Answer>) => Promise<void>;

function registerPatterns(program: Command, answer: Asking): void {
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

function registerMode(program: Command, answer: Asking): void {
  const mode = group(program, 'mode', 'how careful Grace is, since when, who says so and why', async (command) => {
    const { showMode } = await import('./mode.ts');
    await answer(command, showMode);
  });
  looking(mode, 'set', 'set it, where the policies allow it')
    .addArgument(new Argument('<mode>').choices(MODE_NAMES))
    .requiredOption('--reason <text>', 'why, for those who come later')
    .option('--for <duration>', 'only so long, such as 30m or 2h; then it goes back by itself', duration)
    .option('--as <name>', 'what you call yourself; noted beside the user this runs as')
    .action(async (to: Mode, options: { reason: string; for?: number; as?: string }, command: Command) => {
      const [{ setMode }, asking] = await Promise.all([import('./mode.ts'), askingFor(command)]);
      const { reason, for: forMs = null, as = null } = options;
      await answer(command, (memory) => setMode(memory, { to, reason, forMs, by: asking.by, claimedName: as }, asking.of(memory)));
    });
}

/** What decides over a change by hand, and who asks. @throws ConfigInvalid */
async function askingFor(command: Command): Promise<{ readonly by: string; of(memory: Memory): AskPolicies }> {
  const [{ askPolicies, settingsOf }, { configOf }, { userName }] = await Promise.all([
    import('./ask-policies.ts'),
    import('./policy.ts'),
    import('../../adapters/node/user-name.ts'),
  ]);
  const [settings, by] = [settingsOf(await configOf(command.optsWithGlobals())), userName()];
  return { by, of: (memory) => askPolicies(memory, settings, by) };
}

const MODE_NAMES: readonly Mode[] = ['normal', 'read_only', 'observation_only', 'emergency'];

/** A week: what has to hold longer is no longer for a while. */
const DURATION_MS_MAX = 7 * 86_400_000;

function duration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < 1000 || ms > DURATION_MS_MAX) throw new InvalidArgumentError('It must be a time from 1s to 7d, such as 30m.');
  return ms;
}

function registerPolicy(program: Command, say: (command: Command, given: Answer) => Promise<void>, answer: Asking): void {
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
    .addOption(new Option('--action <action>', 'default: run_playbook').choices(ACTION_NAMES))
    .option('--playbook <name>', 'a known one; or any name, with --risk and --tier')
    .addOption(new Option('--to <mode>', 'of set_mode; default: normal').choices(MODE_NAMES))
    .addOption(new Option('--change <change>', 'of change_playbook; default: promote').choices(['enable', 'disable', 'promote']))
    .addOption(new Option('--to-tier <tier>', 'of change_playbook; default: its own').choices(['tier_1', 'tier_2', 'tier_3', 'tier_4']))
    .option('--name <name>', 'of a snapshot, a release, a breaker, or the digest of policies')
    .option('--component <name>', 'default: its own, or the first')
    .addOption(new Option('--phase <phase>', 'default: boot').choices(['boot', 'runtime']))
    .addOption(new Option('--mode <mode>', 'default: the one in force').choices(MODE_NAMES))
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

function registerSnapshots(program: Command, say: (command: Command, given: Answer) => Promise<void>): void {
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
const DECISIONS_LISTED = 20;

const ACTION_NAMES: readonly GovernedAction[] = [
  'run_playbook',
  'restart_component',
  'set_mode',
  'change_policy',
  'restore_snapshot',
  'roll_back_release',
  'close_breaker',
  'change_playbook',
];

interface AuditListOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly subsystem?: string;
  readonly result?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
  readonly before?: number;
  readonly follow?: boolean;
}

const ENTRIES_LISTED = 20;

function registerAudit(program: Command, say: (command: Command, given: Answer) => Promise<void>): void {
  const ask = async (command: Command, work: (source: AuditSource) => Promise<Answer>): Promise<void> => {
    const { withAudit } = await import('./audit-source.ts');
    await say(command, await withAudit(command.optsWithGlobals<AuditSourceOptions>(), work));
  };
  const list = async (command: Command): Promise<void> => {
    const { limit = ENTRIES_LISTED, before, since, until, follow, ...filter } = command.opts<AuditListOptions>();
    const [{ followAudit, listAudit }, { withAudit }] = await Promise.all([import('./audit-list.ts'), import('./audit-source.ts')]);
    const wanted = {
      ...filter,
      ...(since === undefined ? {} : { sinceMs: since }),
      ...(until === undefined ? {} : { untilMs: until }),
    };
    const { json = false, ...options } = command.optsWithGlobals<LookOptions & AuditSourceOptions>();
    if (follow === true && before !== undefined)
      command.error('error: --follow goes on with those that come, and --before ends before them');
    if (follow !== true) return ask(command, (source) => listAudit(source, wanted, { limit, ...(before === undefined ? {} : { before }) }));
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    await withAudit(options, async (source) =>
      followAudit(source, wanted, Math.max(0, (await source.reader.size()) - limit), json, stop.signal),
    );
  };
  const dir = (): Option => new Option('--dir <dir>', 'an exported log, instead of the one here');
  const audit = group(program, 'audit', 'who did what, in a log that nobody can quietly change', list).addOption(dir());
  looking(audit, 'list', 'the newest entries')
    .addOption(dir())
    .option('--actor <text>', 'only of this actor; * stands for any text, here and below')
    .option('--action <text>', 'only this action, such as heal.*')
    .option('--resource <text>')
    .option('--subsystem <text>')
    .option('--result <text>', 'ok, failed, denied or partial')
    .option('--since <moment>', 'a date, a moment, or how long ago: 2h', moment)
    .option('--until <moment>', 'the same; that moment itself is left out', moment)
    .option('-n, --limit <n>', `how many (default: ${ENTRIES_LISTED})`, wholeNumber)
    .option('--before <n>', 'only entries before this one: the next page', place)
    .option('-f, --follow', 'go on with those that come; Ctrl-C ends it')
    .action(async (_options: unknown, command: Command) => list(command));
  looking(audit, 'verify', 'is it whole and unchanged; exit code 1 when not, with the place; 2 for a key or file that is none')
    .addOption(dir())
    .option('--vkey <key>', 'the key you noted elsewhere, or a file with it (default: the one the log names)')
    .option('--from <checkpoint>', 'a file: read only what came after this checkpoint')
    .option('--anchor <checkpoint...>', 'files with checkpoints kept elsewhere: shows truncation and rewriting')
    .option('--hashes-only', 'do not read the entries themselves: four times as fast, names fewer places')
    .action(async (options: AuditVerifyOptions, command: Command) => {
      const { verifyAudit } = await import('./audit-verify.ts');
      await ask(command, (source) => verifyAudit(source, options));
    });
  looking(audit, 'export', 'write what an independent verifier needs')
    .addOption(dir())
    .requiredOption('--out <dir>', 'a new or empty directory')
    .option('--tiles', 'also the tree, as a tlog-tiles directory')
    .action(async ({ out, tiles }: { out: string; tiles?: boolean }, command: Command) => {
      const { exportAudit } = await import('./audit-prove.ts');
      await ask(command, (source) => exportAudit(source, out, tiles === true));
    });
  looking(audit, 'prove', 'a proof that an entry is in the log, or that the log goes on from an older size')
    .addOption(dir())
    .argument('[entry]', 'its number', place)
    .option('--consistency <sizes...>', 'older size, and newer size (default: of the newest checkpoint)')
    .action(async (index: number | undefined, { consistency }: { consistency?: readonly string[] }, command: Command) => {
      const { proveConsistency, proveEntry } = await import('./audit-prove.ts');
      if ((index === undefined) === (consistency === undefined) || (consistency ?? []).length > 2)
        command.error('error: name an entry, or --consistency with one or two sizes');
      const [older = 0, newer = null] = (consistency ?? []).map(place);
      await ask(command, (source) => (index === undefined ? proveConsistency(source, older, newer) : proveEntry(source, index)));
    });
  looking(audit, 'checkpoint', 'the signed head of the log, to be kept elsewhere')
    .addOption(dir())
    .action(async (_options: unknown, command: Command) => {
      const { showCheckpoint } = await import('./audit-prove.ts');
      await ask(command, showCheckpoint);
    });
  looking(audit, 'keys', 'the keys that have signed it, the newest last')
    .addOption(dir())
    .action(async (_options: unknown, command: Command) => {
      const { listKeys } = await import('./audit-keys.ts');
      await ask(command, listKeys);
    });
  const change = async (command: Command, work: (own: OwnAudit, by: string) => Promise<Answer>): Promise<void> => {
    const [{ withOwnAudit }, { userName }, { actorOf }] = await Promise.all([
      import('./audit-source.ts'),
      import('../../adapters/node/user-name.ts'),
      import('../../runtime/audit.ts'),
    ]);
    // Below `audit`, which has a --dir: an exported log has no key.
    if (command.optsWithGlobals<AuditSourceOptions>().dir !== undefined) command.error('error: an exported log is only looked at');
    await say(command, await withOwnAudit(command.optsWithGlobals<LookOptions>(), (own) => work(own, actorOf(userName()))));
  };
  looking(audit, 'rotate-key', 'let a new key sign; an entry that the old one signs says so').action(
    async (_options: unknown, command: Command) => {
      const { rotateKey } = await import('./audit-keys.ts');
      await change(command, rotateKey);
    },
  );
  looking(audit, 'reopen', 'let a log whose end is damaged go on without it; what it was is set aside')
    .requiredOption('--reason <text>', 'what happened to it, for those who come later')
    .option('-y, --yes', 'without asking; needed where there is no terminal')
    .action(async ({ reason, yes }: { reason: string; yes?: boolean }, command: Command) => {
      const [{ reopenAudit }, { askOnTerminal }] = await Promise.all([import('./audit-reopen.ts'), import('./snapshots-restore.ts')]);
      const ask = command.optsWithGlobals<LookOptions>().json === true ? null : askOnTerminal();
      await change(command, (own, by) => reopenAudit(own, { by, reason, isAgreed: yes === true, ask }));
    });
}

/** A command that lists by itself and has commands of its own below it. */
function group(parent: Command, name: string, description: string, list: (command: Command) => Promise<void>): Command {
  return looking(parent, name, description)
    .allowExcessArguments()
    .action(async (_options: unknown, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) {
        const known = command.commands.map((c) => c.name()).join(', ');
        command.error(`error: unknown command '${name} ${unknown}' (there is: ${known})`);
      }
      await list(command);
    });
}

/** The same with `list` spelled out. */
function listGroup(parent: Command, name: string, description: string, list: (command: Command) => Promise<void>): Command {
  const made = group(parent, name, description, list);
  looking(made, 'list', 'all of them').action(async (_options: unknown, command: Command) => list(command));
  return made;
}

/** A command with the options that all have in common. No word too many: it may be what somebody meant, such as an id without its option. */
function looking(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .allowExcessArguments(false)
    .option('-c, --config <file>', 'config file (default: grace.config.* here)')
    .addOption(new Option('--data-dir <dir>', 'where Grace keeps its data (default: .grace beside the config)'))
    .option('--json', 'for scripts');
}

/** Ten years: more would be counted, a row each, and show nothing more. */
const WEEKS_MAX = 520;

function weekCount(text: string): number {
  const n = wholeNumber(text);
  if (n > WEEKS_MAX) throw new InvalidArgumentError(`It must be ${WEEKS_MAX} at most.`);
  return n;
}

function durationMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError('It must be a duration such as 7d or 12h.');
  return ms;
}

function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return n;
}

function place(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return Number(text);
}

/** A mistake in it is wrong usage. @returns milliseconds since 1970 */
function moment(text: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}(?:$|T)/.test(text);
  const ms = isDate ? Date.parse(text) : Date.now() - (parseDurationMs(text) ?? Number.NaN);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It must be a date, a moment, or how long ago, such as 2h.');
  return ms;
}
