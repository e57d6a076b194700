import { join } from 'node:path';
import { fileLogger } from '../../adapters/node/file-logger.ts';
import type { GraceEvent } from '../../domains/healing/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { BootReport } from '../../domains/boot/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import { loadConfig } from '../../runtime/config/index.ts';
import { serve } from '../../runtime/lifecycle.ts';
import type { Answer } from './answer.ts';
import type { LookOptions } from './memory.ts';
import { columns, paint, wrap } from './terminal.ts';
import { count } from './when.ts';

/** `grace check`: every check of a boot, and nothing started. GO or NO-GO [PF]. */
export async function check(command: readonly string[], options: LookOptions): Promise<Answer> {
  const config = await loadConfig({
    directory: process.cwd(),
    configFile: options.config,
    command: command.length === 0 ? undefined : command,
    environment: process.env,
    // whoever asks waits for the answer
    flags: { dataDir: options.dataDir, hold: 'never' },
  });
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  const events: GraceEvent[] = [];
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const { report, isHealthy } = await serve({
    config,
    environment: process.env,
    emit: (event) => events.push(event),
    logger: fileLogger(join(config.dataDir, 'logs', 'grace.log'), config.logLevel, (fields) => redactor.redactDeep(fields)),
    signal: stop.signal,
    until: 'dry-run',
  });
  return verdict(report, events, isHealthy);
}

/** What the checks found, in the end as one word. */
export function verdict(report: BootReport, events: readonly GraceEvent[], isHealthy: boolean): Answer {
  const causes = events.flatMap((e) => (e.type === 'diagnosed' ? [e] : []));
  const checked = report.stages.filter((s) => s.result !== 'skipped');
  const findings = checked.flatMap((s) => s.findings.map((f) => ({ stage: s.stage, ...f })));
  const worth = findings.filter((f) => f.severity !== 'info');
  // what a diagnosis advises is more to the point than where to read about it
  const hintOf = (f: (typeof findings)[number]): string =>
    (f.hint.includes('grace explain') ? causes.findLast((c) => c.component === f.component)?.advice[0] : undefined) ?? f.hint;
  const data = {
    go: isHealthy,
    service: report.service,
    boot: report.boot_id,
    checks: checked.map((s) => ({ stage: s.stage, result: s.result, duration_ms: s.durationMs, failure: s.failure, fixes: s.fixes })),
    findings: findings.map((f) => ({ ...f, hint: hintOf(f) })),
  };
  const lines = [
    ...checked.map(
      (s) =>
        `${s.result === 'failed' ? paint('red', '✖') : s.result === 'warned' ? paint('yellow', '▲') : paint('green', '✔')} ${s.stage.padEnd(26)} ${paint('dim', formatDuration(s.durationMs).padStart(8))}`,
    ),
    ...checked.flatMap((s) => s.fixes.map((fix) => `  ${paint('green', 'fixed')}  ${fix}`)),
    ...(worth.length === 0 ? [] : ['']),
    ...worth.flatMap((f) => [
      `  ${f.severity === 'error' ? paint('red', 'error') : paint('yellow', 'warn ')}  ${wrap(`${f.component}: ${f.message}`, columns() - 9, ' '.repeat(9))}`,
      ...(hintOf(f) === '' ? [] : [paint('dim', `         ${wrap(hintOf(f), columns() - 9, ' '.repeat(9))}`)]),
    ]),
    '',
    isHealthy
      ? `${paint('green', 'GO')}: ${report.service} can be started${worth.length === 0 ? '' : ` (${count(worth.length, 'warning')})`}`
      : `${paint('red', 'NO-GO')}: ${report.service} would not come up`,
  ];
  return { exitCode: isHealthy ? 0 : 1, data, lines };
}
