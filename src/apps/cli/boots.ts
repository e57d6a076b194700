import type { BootRecord, StageResultKind } from '../../domains/boot/index.ts';
import type { PlaybookRun } from '../../domains/playbooks/index.ts';
import { formatDuration } from '../../kernel/index.ts';
import type { Answer } from './answer.ts';
import { theBoot } from './find.ts';
import type { Memory } from './memory.ts';
import { isDryRun } from '../../runtime/track-record.ts';
import { fixesIn, tookMs } from './past-boots.ts';
import { columns, fitted, paint, table, wrap } from './terminal.ts';
import { blame, type TimelineRow } from './timeline.ts';
import { count, iso, when } from './when.ts';

/** `grace boots`: newest first. */
export async function listBoots(memory: Memory, limit: number): Promise<Answer> {
  const boots = await memory.boots.list(limit);
  const rows = await Promise.all(
    boots.map(async (boot) => ({
      boot,
      failures: (await memory.incidents.failuresOf(boot.id)).length,
      fixes: await fixesIn(memory, boot),
    })),
  );
  const lastGood = (await memory.boots.lastVerified())?.id ?? null;
  const data = rows.map(({ boot, failures, fixes }) => ({ ...summary(boot, fixes), failures, last_good: boot.id === lastGood }));
  const lines = [
    fitted([
      ['boot', 'when', 'outcome', 'took', 'failures', 'fixes'].map((title) => paint('dim', title)),
      ...rows.map(({ boot, failures, fixes }) => [
        boot.id,
        when(boot.startedAtMs, memory.nowMs),
        outcomeOf(boot) + (boot.id === lastGood ? paint('green', ' ← last good') : ''),
        formatDuration(tookMs(boot)),
        failures === 0 ? paint('dim', '-') : String(failures),
        fixes.length === 0 ? paint('dim', '-') : String(fixes.length),
      ]),
    ]),
  ];
  return { exitCode: 0, data, lines };
}

/** `grace boots show`: its stages and components; with `--blame`, what took how long and what it waited for. */
export async function showBoot(memory: Memory, name: string, withBlame: boolean): Promise<Answer> {
  const boot = await theBoot(memory, name);
  const failures = await memory.incidents.failuresOf(boot.id);
  const fixes = await fixesIn(memory, boot);
  if (withBlame) return showBlame(boot, fixes, memory.nowMs);
  const { report } = boot;
  const lines = [
    heading(boot, memory.nowMs),
    '',
    table(
      report.stages.map((s) => [
        MARK[s.result](),
        s.result === 'skipped' ? paint('dim', s.stage) : s.stage,
        s.result === 'skipped' ? paint('dim', 'skipped') : formatDuration(s.durationMs),
        [s.failure, ...s.fixes.map((f) => `fixed: ${f}`)].filter((t) => t !== null).join('; '),
      ]),
    ),
  ];
  const findings = report.stages.flatMap((s) => s.findings.filter((f) => f.severity !== 'info'));
  if (findings.length > 0)
    lines.push(
      '',
      paint('bold', 'findings'),
      ...findings.map(
        (f) =>
          `  ${f.severity === 'error' ? paint('red', 'error') : paint('yellow', 'warn ')}  ${wrap(`${f.component}: ${f.message}`, columns() - 9, ' '.repeat(9))}`,
      ),
    );
  if (report.components.length > 0)
    lines.push(
      '',
      paint('bold', 'components'),
      table(
        report.components.map((c) => [
          `  ${c.name}`,
          c.state,
          c.readyAfterMs === null ? '' : `ready after ${formatDuration(c.readyAfterMs)}`,
          c.port === null ? '' : `port ${c.port}`,
          [c.waitedFor === null ? '' : `waited for ${c.waitedFor}`, c.starts > 1 ? `${c.starts} starts` : ''].filter(Boolean).join(', '),
        ]),
      ),
    );
  for (const fix of fixes) lines.push('', `${paint('green', 'fixed')}  ${fix.component}: ${fix.playbook}, ${fix.state}`);
  if (failures.length > 0) lines.push('', `${count(failures.length, 'failure')}: ${paint('bold', `grace explain ${boot.id}`)}`);
  const data = { ...summary(boot, fixes), failures: failures.length, stages: report.stages, components: report.components };
  return { exitCode: 0, data, lines };
}

function showBlame(boot: BootRecord, fixes: readonly PlaybookRun[], nowMs: number): Answer {
  const { rows, chain } = blame(boot.report);
  const totalMs = Math.max(1, tookMs(boot));
  const lines = [
    heading(boot, nowMs),
    '',
    paint('bold', 'what took how long'),
    table(
      rows.map((r) => [
        formatDuration(r.tookMs).padStart(12),
        paint(r.kind === 'component' ? 'cyan' : 'reset', r.name),
        bar(r, totalMs),
        [r.waitedFor === null ? '' : `waited for ${r.waitedFor}`, r.result].filter(Boolean).join(', '),
      ]),
    ),
    '',
    paint('bold', 'critical chain') + paint('dim', '  (@ began after, + took)'),
    ...chain.map(
      (r) =>
        `  ${r.kind === 'component' ? '  └─ ' : ''}${r.name} ${paint('dim', `@${formatDuration(r.startedAfterMs)}`)} ${paint('yellow', `+${formatDuration(r.tookMs)}`)}`,
    ),
  ];
  const row = (r: TimelineRow): object => ({
    name: r.name,
    kind: r.kind,
    started_after_ms: r.startedAfterMs,
    took_ms: r.tookMs,
    waited_for: r.waitedFor,
    result: r.result,
  });
  return { exitCode: 0, data: { ...summary(boot, fixes), timeline: rows.map(row), critical_chain: chain.map(row) }, lines };
}

const BAR_WIDTH = 32;

/** Where in the boot it lay. */
function bar(row: TimelineRow, totalMs: number): string {
  const from = Math.min(BAR_WIDTH - 1, Math.round((row.startedAfterMs / totalMs) * BAR_WIDTH));
  const length = Math.max(1, Math.min(BAR_WIDTH - from, Math.round((row.tookMs / totalMs) * BAR_WIDTH)));
  return `${paint('dim', '·'.repeat(from))}${'█'.repeat(length)}${paint('dim', '·'.repeat(BAR_WIDTH - from - length))}`;
}

const MARK: Readonly<Record<StageResultKind, () => string>> = {
  success: () => paint('green', '✔'),
  failed: () => paint('red', '✖'),
  warned: () => paint('yellow', '▲'),
  skipped: () => paint('dim', '·'),
};

function heading(boot: BootRecord, nowMs: number): string {
  return `${paint('bold', boot.id)}  ${boot.report.service}  ${outcomeOf(boot)} after ${formatDuration(tookMs(boot))}${paint('dim', `, ${when(boot.startedAtMs, nowMs)}, ${boot.mode}`)}`;
}

/** How a boot ended, in colour. */
export function outcomeOf(boot: BootRecord): string {
  if (isDryRun(boot)) return paint('dim', 'checked only');
  switch (boot.outcome) {
    case 'success':
      return paint('green', boot.isVerified ? 'success, verified' : 'success');
    case 'failed':
      return paint('red', 'failed');
    case 'running':
      return paint('cyan', 'running');
    case 'interrupted':
    case 'stopped':
      return paint('yellow', boot.outcome);
  }
}

function summary(boot: BootRecord, fixes: readonly PlaybookRun[]): Readonly<Record<string, unknown>> {
  const { report } = boot;
  return {
    id: boot.id,
    at: iso(boot.startedAtMs),
    ended_at: boot.endedAtMs === null ? null : iso(boot.endedAtMs),
    service: report.service,
    mode: boot.mode,
    outcome: boot.outcome,
    dry_run: isDryRun(boot),
    verified: boot.isVerified,
    duration_ms: tookMs(boot),
    fixes: fixes.length,
    incidents: report.incidents,
    playbooks: [...new Set(fixes.map((f) => f.playbook))],
  };
}
