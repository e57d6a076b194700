import { join } from 'node:path';
import { openAuditReader, whyClosed } from '../../adapters/store/audit/index.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { isAlive, startedAtMs } from '../../adapters/node/proc.ts';
import { parseCheckpoint, parseNote } from '../../domains/audit/index.ts';
import type { BootRecord, ComponentReport } from '../../domains/boot/index.ts';
import { modeInForce } from '../../domains/governance/index.ts';
import type { PlaybookRun } from '../../domains/playbooks/index.ts';
import type { ProcessRecord } from '../../domains/supervisor/index.ts';
import type { Answer } from './answer.ts';
import { outcomeOf } from './boots.ts';
import type { Memory } from './memory.ts';
import { isDryRun, scoreOf } from '../../runtime/track-record.ts';
import { scoreJson, scoreLine } from './past-boots.ts';
import { paint, table } from './terminal.ts';
import { iso, when } from './when.ts';

interface ComponentStatus {
  readonly name: string;
  /** `external`: not a process of ours, so its last boot's word stands. `unwatched`: alive, but no Grace looks after it. */
  readonly state: 'up' | 'unwatched' | 'down' | 'starting' | 'failed' | 'skipped' | 'external';
  readonly pid: number | null;
  readonly port: number | null;
  readonly sinceMs: number | null;
}

/**
 * `grace status`: is a Grace here, what lives, and how well boots went. Not healthy without Grace, with a part down, with a breaker
 * or a storm open, while something that a playbook changed could not be put back, or while the audit log takes no entries.
 */
export async function status(memory: Memory): Promise<Answer> {
  const holder = lockHolder(memory.dataDir);
  const boot = (await memory.boots.list(50)).find((b) => !isDryRun(b)) ?? null;
  const records = new Map((await memory.processes.list()).map((r) => [r.component, r]));
  const components = boot === null ? [] : boot.report.components.map((c) => statusOf(c, records.get(c.name), holder !== null));
  const { score } = await scoreOf(memory);
  const { mode } = modeInForce((await memory.modes.history(1))[0] ?? null, memory.nowMs);
  const open = (await memory.limits.breakers()).filter((b) => b.closedAtMs === null);
  const missions = (await memory.missions.standing()).filter(({ state }) => state === 'open');
  const notPutBack = await runsNotPutBack(memory);
  const isUp = holder !== null && components.every((c) => c.state === 'up' || c.state === 'external' || c.state === 'skipped');
  const auditProblem = await whyClosed(join(memory.dataDir, 'grace.db'));
  const isWell = isUp && open.length === 0 && notPutBack.length === 0 && auditProblem === null;
  const sinceMs = holder === null ? null : Math.round(startedAtMs(holder.startTicks));
  const head = await auditHeadOf(memory.dataDir);
  const data = {
    running: holder !== null,
    healthy: isWell,
    pid: holder?.pid ?? null,
    since: sinceMs === null ? null : iso(sinceMs),
    service: boot?.report.service ?? null,
    mode,
    boot: boot === null ? null : { id: boot.id, at: iso(boot.startedAtMs), outcome: boot.outcome, verified: boot.isVerified },
    components: components.map(({ sinceMs: since, ...c }) => ({ ...c, since: since === null ? null : iso(since) })),
    breakers: open.map((b) => ({ id: b.id, kind: b.kind, playbook: b.playbook, component: b.component, reason: b.reason })),
    not_put_back: notPutBack.map((r) => ({ run: r.id, playbook: r.playbook, component: r.component, boot: r.bootId })),
    missions: missions.map((m) => ({ id: m.id, component: m.component, code: m.code, severity: m.severity, message: m.message })),
    health: scoreJson(score),
    audit: head,
    audit_problem: auditProblem,
  };
  const lines = [
    `${paint('bold', boot?.report.service ?? 'grace')}  ${graceLine(holder?.pid ?? null, sinceMs, memory.nowMs)}`,
    '',
    ...(components.length === 0 ? [] : [table(components.map((c) => row(c, memory.nowMs))), '']),
    ...notPutBack.map((r) => `  ${paint('red', '✖')} ${r.playbook} could not be put back on ${r.component}: grace explain ${r.bootId}`),
    ...open.map((b) => `  ${paint('red', '●')} ${b.reason}: ${b.kind === 'storm' ? 'storm' : 'breaker'} ${b.id}, grace breakers list`),
    ...(auditProblem === null
      ? []
      : [`  ${paint('red', '✖')} the audit log takes no entries, so nothing is healed and nobody can decide: ${auditProblem}`]),
    ...(open.length + notPutBack.length === 0 && auditProblem === null ? [] : ['']),
    table([
      ['mode', mode],
      ...(boot === null ? [] : [['last boot', lastBoot(boot, memory.nowMs)]]),
      ['health', scoreLine(score)],
      ...(missions.length === 0 ? [] : [['missions', `${missions.length} open: grace missions list`]]),
      ...(head === null ? [] : [['audit log', headLine(head)]]),
    ]),
  ];
  return { exitCode: isWell ? 0 : 1, data, lines };
}

/** A boot in which everything was verified since shows that nothing of it hurts. */
async function runsNotPutBack(memory: Memory): Promise<readonly PlaybookRun[]> {
  const goodSinceMs = (await memory.boots.lastVerified())?.startedAtMs ?? 0;
  return (await memory.playbooks.runsIn('failed')).filter((run) => run.startedAtMs > goodSinceMs);
}

/** The signed head, for whoever notes it down; null before there is one. */
async function auditHeadOf(dataDir: string): Promise<AuditHead | null> {
  const reader = openAuditReader(join(dataDir, 'grace.db'));
  try {
    const checkpoint = await reader.latestCheckpoint();
    if (checkpoint === null) return null;
    const { origin, size, root } = parseCheckpoint(parseNote(checkpoint).text);
    return { origin, size, root: Buffer.from(root).toString('base64'), checkpoint };
  } catch {
    return null; // grace audit verify says what is wrong with it
  } finally {
    reader.close();
  }
}

interface AuditHead {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly checkpoint: string;
}

function headLine({ origin, size, root }: AuditHead): string {
  return `${size} entries, root ${root}  ${paint('dim', origin)}`;
}

function statusOf(report: ComponentReport, record: ProcessRecord | undefined, isWatched: boolean): ComponentStatus {
  const { name, port } = report;
  if (record !== undefined && isAlive(record.identity))
    return { name, port, pid: record.identity.pid, state: isWatched ? 'up' : 'unwatched', sinceMs: record.launchedAtMs };
  const gone = { name, port, pid: null, sinceMs: null };
  if (report.state === 'skipped') return { ...gone, state: 'skipped' };
  if (report.state === 'failed') return { ...gone, state: 'failed' };
  if (record === undefined && report.pid === null && report.state === 'ready') return { ...gone, state: 'external' };
  return { ...gone, state: isWatched && report.state === 'waiting' ? 'starting' : 'down' };
}

const STATE_STYLE = {
  up: 'green',
  external: 'green',
  starting: 'cyan',
  unwatched: 'yellow',
  down: 'red',
  failed: 'red',
  skipped: 'dim',
} as const;

function row(c: ComponentStatus, nowMs: number): readonly string[] {
  return [
    `  ${paint(STATE_STYLE[c.state], '●')} ${c.name}`,
    c.state === 'unwatched' ? 'up, but no Grace looks after it' : c.state,
    c.pid === null ? '' : `pid ${c.pid}`,
    c.port === null ? '' : `port ${c.port}`,
    c.sinceMs === null ? '' : `since ${when(c.sinceMs, nowMs)}`,
  ];
}

function graceLine(pid: number | null, sinceMs: number | null, nowMs: number): string {
  if (pid === null) return paint('yellow', 'no Grace runs here: start it with grace up');
  return `${paint('green', 'Grace is running')}${paint('dim', `  pid ${pid}${sinceMs === null ? '' : `, since ${when(sinceMs, nowMs)}`}`)}`;
}

function lastBoot(boot: BootRecord, nowMs: number): string {
  return `${outcomeOf(boot)}, ${when(boot.startedAtMs, nowMs)}  ${paint('dim', boot.id)}`;
}
