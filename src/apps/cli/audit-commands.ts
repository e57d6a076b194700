import { Option, type Command } from 'commander';
import type { Answer } from './answer.ts';
import type { AuditSource, AuditSourceOptions, OwnAudit } from './audit-source.ts';
import type { AuditVerifyOptions } from './audit-verify.ts';
import { codeOf } from '../../kernel/index.ts';
import { group, looking, type Say } from './looking-command.ts';
import type { LookOptions } from './memory.ts';
import { moment, place, wholeNumber } from './option-values.ts';

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

export function registerAudit(program: Command, say: Say): void {
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
    if (follow !== true) {
      const { withProgress } = await import('./audit-progress.ts');
      const page = { limit, ...(before === undefined ? {} : { before }) };
      return ask(command, (source) => withProgress(source, (shown) => listAudit(shown, wanted, page)));
    }
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    // `grace audit list --follow | head` has seen enough.
    process.stdout.on('error', (error) => {
      if (codeOf(error) !== 'EPIPE') throw error;
      stop.abort();
    });
    await withAudit(options, (source) => followAudit(source, wanted, limit, json, stop.signal));
  };
  const dir = (): Option => new Option('--dir <dir>', 'an exported log, instead of the one here');
  const audit = group(program, 'audit', 'who did what, in a log that nobody can quietly change', list).addOption(dir());
  looking(audit, 'list', 'the newest entries')
    .addOption(dir())
    .option('--actor <text>', 'only of this actor; * stands for any text, here and below')
    .option('--action <text>', 'only this action, such as run.*')
    .option('--resource <text>', 'only about this, such as component/api or boot/*')
    .option('--subsystem <text>', 'only of this part of Grace, such as playbooks')
    .option('--result <text>', 'only with this result: ok, failed, denied or partial')
    .option('--since <moment>', 'a date (of UTC), a moment (of here, or with Z), or how long ago: 2h', moment)
    .option('--until <moment>', 'the same; that moment itself is left out', moment)
    .option('-n, --limit <n>', `how many (default: ${ENTRIES_LISTED})`, wholeNumber)
    .option('--before <n>', 'only entries before this one: the next page', place)
    .option('-f, --follow', 'go on with those that come; Ctrl-C ends it')
    .action(async (_options: unknown, command: Command) => list(command));
  looking(audit, 'show', 'one entry with all that it says')
    .addOption(dir())
    .argument('<entry>', 'its number', place)
    .option('--raw', 'the entry as it was hashed, to go with a proof of it')
    .action(async (index: number, { raw }: { raw?: boolean }, command: Command) => {
      const { json = false } = command.optsWithGlobals<LookOptions>();
      if (json && raw === true) command.error('error: --raw writes the entry as it was hashed, and --json more than that');
      const { showEntry } = await import('./audit-show.ts');
      await ask(command, (source) => showEntry(source, index, raw === true));
    });
  looking(audit, 'verify', 'is it whole and unchanged; exit code 1 when not, with the place; 2 for a key or file that is none')
    .addOption(dir())
    .option('--vkey <key>', 'the key you noted elsewhere, or a file with it (default: the one the log names)')
    .option('--from <checkpoint>', 'a file: read only what came after this checkpoint')
    .option('--anchor <checkpoint...>', 'files with checkpoints kept elsewhere: shows truncation and rewriting')
    .option('--hashes-only', 'do not look into the entries: about twice as fast, finds as much, names fewer places')
    .action(async (options: AuditVerifyOptions, command: Command) => {
      const [{ verifyAudit }, { withProgress }] = await Promise.all([import('./audit-verify.ts'), import('./audit-progress.ts')]);
      await ask(command, (source) => withProgress(source, (shown) => verifyAudit(shown, options)));
    });
  looking(audit, 'export', 'write all entries, the signed head and the key to a directory: what an independent verifier needs')
    .addOption(dir())
    .requiredOption('--out <dir>', 'a new or empty directory')
    .option('--tiles', 'also the tree, as a tlog-tiles directory')
    .action(async ({ out, tiles }: { out: string; tiles?: boolean }, command: Command) => {
      const [{ exportAudit }, { withProgress }] = await Promise.all([import('./audit-prove.ts'), import('./audit-progress.ts')]);
      await ask(command, (source) => withProgress(source, (shown) => exportAudit(shown, out, tiles === true)));
    });
  looking(audit, 'prove', 'a proof that an entry is in the log, or that the log goes on from an older size')
    .addOption(dir())
    .argument('[entry]', 'its number', place)
    .option(
      '--consistency <sizes...>',
      'older size, and newer size (default: of the newest checkpoint)',
      (text: string, before: readonly number[] | undefined) => [...(before ?? []), place(text)],
    )
    .action(async (index: number | undefined, { consistency }: { consistency?: readonly number[] }, command: Command) => {
      const { proveConsistency, proveEntry } = await import('./audit-prove.ts');
      if ((index === undefined) === (consistency === undefined) || (consistency ?? []).length > 2)
        command.error('error: name an entry, or --consistency with one or two sizes');
      const [older = 0, newer = null] = consistency ?? [];
      if (newer !== null && older > newer) command.error(`error: the older size comes first: --consistency ${newer} ${older}`);
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
  looking(audit, 'rotate-key', 'let a new key sign; an entry that both sign says so').action(
    async (_options: unknown, command: Command) => {
      const { rotateKey } = await import('./audit-keys.ts');
      await change(command, rotateKey);
    },
  );
  looking(audit, 'reopen', 'let a log whose end is damaged go on without it; what it was is set aside')
    .requiredOption('--reason <text>', 'what happened to it, for those who come later')
    .option('-y, --yes', 'without asking; needed where there is no terminal')
    .action(async ({ reason, yes }: { reason: string; yes?: boolean }, command: Command) => {
      if (reason.trim() === '') command.error('error: --reason says nothing: it is for those who read the log later');
      const [{ reopenAudit }, { askOnTerminal }] = await Promise.all([import('./audit-reopen.ts'), import('./snapshots-restore.ts')]);
      const ask = command.optsWithGlobals<LookOptions>().json === true ? null : askOnTerminal();
      await change(command, (own, by) => reopenAudit(own, { by, reason, isAgreed: yes === true, ask }));
    });
}
