import { join } from 'node:path';
import { fileLogger } from '../../adapters/node/file-logger.ts';
import type { Emit } from '../../domains/healing/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import { loadConfig, type BootMode } from '../../runtime/config/index.ts';
import { serve, type ServeOptions } from '../../runtime/lifecycle.ts';
import { learnedSummary } from './learned-summary.ts';
import { bootView } from './boot-view.ts';
import { err, out, paint } from './terminal.ts';

export interface UpOptions {
  readonly config?: string;
  readonly mode?: BootMode;
  readonly json?: boolean;
  readonly hold?: boolean;
  readonly dataDir?: string;
}

/** A second Ctrl-C within an orderly stop leaves at once; the next start finds what is left. */
const EXIT_INTERRUPTED = 130;

/** `grace up` and `grace boot`: boots the service; `until` says whether it stays. */
export async function up(command: readonly string[], options: UpOptions, until: ServeOptions['until']): Promise<number> {
  const config = await loadConfig({
    directory: process.cwd(),
    configFile: options.config,
    command: command.length === 0 ? undefined : command,
    environment: process.env,
    flags: {
      mode: options.mode,
      dataDir: options.dataDir,
      hold: options.hold === undefined ? undefined : options.hold ? 'always' : 'never',
    },
  });
  const view = bootView(options.json === true ? 'json' : process.stdout.isTTY && process.env['TERM'] !== 'dumb' ? 'terminal' : 'plain');
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  const logger = fileLogger(join(config.dataDir, 'logs', 'grace.log'), config.logLevel, (fields) => redactor.redactDeep(fields));
  // Whoever read the output went away (`grace up | head`): the service is worth more than the text.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const emit: Emit = (event) => {
    view.emit(event);
    if (until === 'stopped' && options.json !== true && event.type === 'boot_ended' && event.outcome === 'success')
      out(paint('dim', 'Ctrl-C stops it in order; in another terminal: grace status, grace explain'));
  };
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(EXIT_INTERRUPTED);
    if (options.json !== true && process.stdout.isTTY)
      err(paint('dim', `\n${signal === 'SIGINT' ? 'Ctrl-C' : signal}: stopping in order (again to leave at once)`));
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  try {
    const result = await serve({ config, environment: process.env, emit, logger, signal: stop.signal, until });
    view.close();
    if (options.json !== true) {
      for (const line of await learnedSummary(config.dataDir, result.report)) out(line);
    }
    // Stopped before it was up, by the one who started it.
    if (result.report.outcome === 'stopped') return EXIT_INTERRUPTED;
    return result.isHealthy ? 0 : 1;
  } finally {
    view.close();
  }
}
