import { join } from 'node:path';
import { fileLogger } from '../../adapters/node/file-logger.ts';
import type { GraceEvent } from '../../domains/healing/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { BootReport } from '../../domains/boot/index.ts';
import type { Finding, Severity } from '../../domains/preflight/index.ts';
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
    preflight: checked.flatMap((s) =>
      (s.checks ?? []).map(({ name, title, durationMs, isRemembered, findings: own }) => ({
        name,
        title,
        duration_ms: durationMs,
        remembered: isRemembered,
        errors: own.filter(({ severity }) => severity === 'error').length,
        warnings: own.filter(({ severity }) => severity === 'warn').length,
      })),
    ),
    // what can only be seen of a service that runs, which a dry run does not start
    not_looked_at: NOT_LOOKED_AT,
    findings: findings.map((f) => ({ ...f, hint: hintOf(f) })),
  };
  const lines = [
    ...checked.flatMap((s) => [
      row('', s.result === 'failed' ? 'error' : s.result === 'warned' ? 'warn' : 'info', s.stage, s.durationMs),
      ...(s.checks ?? []).map((c) => row('    ', worst(c.findings), c.title, c.durationMs, c.isRemembered ? 'unchanged' : '')),
    ]),
    paint('dim', '· services, routes and probes are looked at when it runs: grace up'),
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

const NOT_LOOKED_AT = ['registration'];

/** A stage, or indented below it one of its checks, with its time. */
function row(indent: string, severity: Severity, title: string, durationMs: number, remark = ''): string {
  const mark = severity === 'error' ? paint('red', '✖') : severity === 'warn' ? paint('yellow', '▲') : paint('green', '✔');
  const time = paint('dim', `${formatDuration(durationMs).padStart(8)}${remark === '' ? '' : `  ${remark}`}`);
  return `${indent}${mark} ${title.padEnd(TITLE_CHARS - indent.length)} ${time}`;
}

/** Room for the longest title; a longer one of a check of the config pushes its time to the right. */
const TITLE_CHARS = 34;

function worst(findings: readonly Finding[]): Severity {
  return (['error', 'warn'] as const).find((severity) => findings.some((f) => f.severity === severity)) ?? 'info';
}
