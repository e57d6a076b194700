import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { GraceError, messageOf } from '../../kernel/index.ts';
import { registerLooking } from './commands.ts';
import { err, paint } from './terminal.ts';
import type { UpOptions } from './up.ts';

/** Fine, not healthy or refused, wrong usage. */
const EXIT = { fine: 0, refused: 1, usage: 2 } as const;

export async function main(argv: readonly string[]): Promise<void> {
  // What comes after -- is for somebody else.
  const asJson = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length).includes('--json');
  const program = buildProgram(asJson);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    process.exitCode = explainError(error, asJson);
  }
}

function buildProgram(asJson: boolean): Command {
  const program = new Command('grace')
    .description('Gets a service up, keeps it up, and sees to it that each failure happens only once.')
    .version(version(), '-V, --version', 'print the version')
    .showHelpAfterError('(see grace --help)')
    .enablePositionalOptions()
    .exitOverride();
  // Wrong usage is told as JSON, too: once, where all errors are.
  if (asJson) program.configureOutput({ writeErr: () => undefined });
  const dataDir = new Option('--data-dir <dir>', 'where Grace keeps its data (default: .grace beside the config)');
  const mode = new Option('--mode <mode>', 'how to boot').choices(['fast', 'layered', 'resilient']);
  program
    .command('up')
    .description('boot the service and stay in front of it')
    .argument('[command...]', 'what to start, after --; without it the config says')
    .option('-c, --config <file>', 'config file (default: grace.config.* here)')
    .addOption(mode)
    .addOption(dataDir)
    .option('--hold', 'after a failure that only a person can mend: stay, and try again when something changes')
    .option('--no-hold', 'leave with exit code 1 instead of waiting for a cause to go away')
    .option('--json', 'one JSON object per event')
    .passThroughOptions()
    .action(async (command: string[], options: UpOptions) => {
      const { up } = await import('./up.ts');
      process.exitCode = await up(command, options, 'stopped');
    });
  program
    .command('boot')
    .description('boot, report, and stop everything again (for CI)')
    .argument('[command...]', 'what to start, after --')
    .option('-c, --config <file>', 'config file')
    .addOption(mode)
    .addOption(dataDir)
    .option('--dry-run', 'run every check and start nothing, as grace check does')
    .option('--json', 'one JSON object per event')
    .passThroughOptions()
    .action(async (command: string[], options: UpOptions & { dryRun?: boolean }) => {
      if (options.dryRun === true) {
        const [{ check }, { tell }] = await Promise.all([import('./check.ts'), import('./answer.ts')]);
        process.exitCode = tell(await check(command, options), options.json === true);
        return;
      }
      const { up } = await import('./up.ts');
      process.exitCode = await up(command, { hold: false, ...options }, 'booted');
    });
  registerLooking(program, { setExitCode: (code) => (process.exitCode = code) });
  return program;
}

/** Of the package this file is part of, as source or built. */
function version(): string {
  const file = new URL(import.meta.url.endsWith('.ts') ? '../../../package.json' : '../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** @returns the exit code */
function explainError(error: unknown, asJson: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.fine;
    if (asJson) err(JSON.stringify({ error: usageOf(error) }));
    return EXIT.usage;
  }
  const isOurs = error instanceof GraceError;
  if (asJson) {
    err(
      JSON.stringify({
        error: isOurs
          ? { code: error.code, message: error.message, hint: error.hint ?? null, details: error.details }
          : { code: 'GRACE_INTERNAL', message: messageOf(error) },
      }),
    );
  } else {
    err(`${paint('red', 'grace:')} ${messageOf(error)}`);
    if (isOurs && error.hint !== undefined) err(`  ${error.hint}`);
    if (!isOurs && error instanceof Error) err(paint('dim', error.stack ?? ''));
  }
  return isOurs && USAGE.has(error.code) ? EXIT.usage : EXIT.refused;
}

/** What somebody wrote is wrong, and not what it is about. */
const USAGE: ReadonlySet<string> = new Set([
  'GRACE_CONFIG_INVALID',
  'GRACE_CLI_OPTION_WRONG',
  'GRACE_CLI_AUDIT_FILE_UNREADABLE',
  'GRACE_AUDIT_EXPORT_UNREADABLE',
]);

/** For scripts: the words that people get, which commander has put behind `error: `. */
function usageOf({ code, message }: CommanderError): Readonly<Record<string, unknown>> {
  // A command that only holds others, without one of them: its help is what commander has to say.
  const said = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '');
  return { code: 'GRACE_CLI_USAGE', message: said, hint: 'see grace --help', details: { kind: code } };
}
