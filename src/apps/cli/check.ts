import { join } from 'node:path';
import { fileLogger } from '../../adapters/node/file-logger.ts';
import type { GraceEvent } from '../../domains/healing/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { BootReport, StageReport } from '../../domains/boot/index.ts';
import type { Finding } from '../../domains/preflight/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import { loadConfig } from '../../runtime/config/index.ts';
import { serve } from '../../runtime/lifecycle.ts';
import type { Answer } from './answer.ts';
import type { LookOptions } from './memory.ts';
import { columns, paint, visibleLength, wrap } from './terminal.ts';
import { count } from './when.ts';

/** `grace check` and `grace boot --dry-run`: every check of a boot, and nothing started. GO or NO-GO [PF]. */
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

/** What the checks found: the table, the findings with what to do about them, and in the end one word. */
export function verdict(report: BootReport, events: readonly GraceEvent[], isHealthy: boolean): Answer {
  const causes = events.flatMap((e) => (e.type === 'diagnosed' ? [e] : []));
  const checked = report.stages.filter((s) => s.result !== 'skipped');
  const findings = checked.flatMap((s) => s.findings.map((f) => ({ stage: s.stage, ...f })));
  const errors = findings.filter((f) => f.severity === 'error');
  const warnings = findings.filter((f) => f.severity === 'warn');
  // what a diagnosis advises is more to the point than where to read about it
  const hintOf = (f: (typeof findings)[number]): string =>
    (f.hint.includes('grace explain') ? causes.findLast((c) => c.component === f.component)?.advice[0] : undefined) ?? f.hint;
  const rows = checked.map((stage) => ({ stage, looks: looksOf(stage) }));
  const looks = rows.reduce((sum, row) => sum + row.looks.length, 0);
  const totalMs = report.summary.duration_ms;
  const data = {
    go: isHealthy,
    service: report.service,
    boot: report.boot_id,
    duration_ms: totalMs,
    looks,
    errors: errors.length,
    warnings: warnings.length,
    checks: rows.map(({ stage: s, looks: parts }) => ({
      stage: s.stage,
      result: s.result,
      duration_ms: s.durationMs,
      failure: s.failure,
      fixes: s.fixes,
      looks: parts.map((look) => ({
        name: look.name,
        title: look.title,
        result: look.result,
        duration_ms: look.durationMs,
        remembered: look.isRemembered,
      })),
    })),
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
  const rule = paint('dim', '─'.repeat(tableWidth()));
  const lines = [
    tableRow(paint('bold', 'PRE-FLIGHT CHECK'), paint('dim', 'result'), paint('dim', 'time')),
    rule,
    ...rows.flatMap(({ stage, looks: parts }) => [
      tableRow(paint('bold', fitting(stage.stage, 0)), resultOf(STAGE_RESULT[stage.result]), formatDuration(stage.durationMs)),
      ...parts.map((look) =>
        tableRow(
          `   ${fitting(look.title, 3)}`,
          resultOf(look.result),
          formatDuration(look.durationMs),
          look.isRemembered ? 'unchanged' : '',
        ),
      ),
    ]),
    rule,
    paint('dim', wrap('· services, routes and probes are looked at when it runs: grace up', columns(), '  ')),
    ...checked.flatMap((s) => s.fixes.map((fix) => `  ${paint('green', 'fixed')}  ${fix}`)),
    ...[...errors, ...warnings].flatMap((f) => [
      `  ${f.severity === 'error' ? paint('red', 'error') : paint('yellow', 'warn ')}  ${wrap(`${f.component}: ${f.message}`, columns() - 9, ' '.repeat(9))}`,
      ...(f.evidence[0] === undefined ? [] : [`         ${wrap(f.evidence[0], columns() - 9, ' '.repeat(9))}`]),
      ...(hintOf(f) === '' ? [] : [paint('dim', `         ${wrap(hintOf(f), columns() - 9, ' '.repeat(9))}`)]),
    ]),
    ...(errors.length + warnings.length === 0 ? [] : ['']),
    `${isHealthy ? paint(['green', 'bold'], 'GO') : paint(['red', 'bold'], 'NO-GO')}: ${wrap(
      `${report.service} ${isHealthy ? 'can be started' : 'would not come up'}; ${count(looks, 'check')}, ${count(errors.length, 'error')}, ${count(warnings.length, 'warning')}, in ${formatDuration(totalMs)}`,
      columns() - 7,
      '',
    )}`,
  ];
  return { exitCode: isHealthy ? 0 : 1, data, lines };
}

const NOT_LOOKED_AT = ['registration'];

type Result = 'ok' | 'warn' | 'error';

interface Look {
  readonly name: string;
  readonly title: string;
  readonly result: Result;
  readonly durationMs: number;
  readonly isRemembered: boolean;
}

const STAGE_RESULT = { success: 'ok', warned: 'warn', failed: 'error', skipped: 'ok' } as const;
const PART_RESULT = { ok: 'ok', warned: 'warn', failed: 'error' } as const;
/** Parts that consist of checks, which stand in the table themselves. */
const MADE_OF_CHECKS = new Set(['asked_for', 'checks']);

/** What a stage looks at, one by one. */
function looksOf({ parts = [], checks = [] }: StageReport): readonly Look[] {
  return [
    ...parts
      .filter(({ name }) => !MADE_OF_CHECKS.has(name))
      .map(({ name, title, state, durationMs }) => ({ name, title, result: PART_RESULT[state], durationMs, isRemembered: false })),
    ...checks.map(({ name, title, findings, durationMs, isRemembered }) => ({
      name,
      title,
      result: worst(findings),
      durationMs,
      isRemembered,
    })),
  ];
}

function worst(findings: readonly Finding[]): Result {
  return (['error', 'warn'] as const).find((severity) => findings.some((f) => f.severity === severity)) ?? 'ok';
}

/** Room for the longest title of ours; one of the config is cut. */
const TITLE_CHARS = 46;
const RESULT_CHARS = 8;
const TIME_CHARS = 9;
const REMARK_CHARS = 11;

/** What is left of it is still readable; a terminal that is narrower breaks the lines. */
const TITLE_CHARS_MIN = 16;

/** The titles give way where the terminal is narrow. */
function titleChars(): number {
  const rest = RESULT_CHARS + TIME_CHARS + REMARK_CHARS;
  return Math.max(TITLE_CHARS_MIN, Math.min(TITLE_CHARS, columns() - rest));
}

function tableWidth(): number {
  return titleChars() + RESULT_CHARS + TIME_CHARS + REMARK_CHARS;
}

function tableRow(title: string, result: string, time: string, remark = ''): string {
  const left = title + ' '.repeat(Math.max(1, titleChars() - visibleLength(title)));
  const middle = result + ' '.repeat(Math.max(1, RESULT_CHARS - visibleLength(result)));
  return `${left}${middle}${' '.repeat(Math.max(0, TIME_CHARS - visibleLength(time)))}${time}${remark === '' ? '' : paint('dim', `  ${remark}`)}`;
}

function resultOf(result: Result): string {
  if (result === 'ok') return `${paint('green', '✔')} ok`;
  return result === 'warn' ? `${paint('yellow', '▲')} warn` : `${paint('red', '✖')} error`;
}

function fitting(title: string, indent: number): string {
  const room = titleChars() - indent - 1;
  return title.length <= room ? title : `${title.slice(0, room - 1)}…`;
}
