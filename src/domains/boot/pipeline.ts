import { messageOf } from '../../kernel/index.ts';
import { stageTitle, type BootContext, type Stage, type StageOutcome } from './boot-context.ts';
import { BOOT_PLANS, type BootPlan } from './boot-plan.ts';
import { isFatal, layerReport, type Layer, type LayerReport } from './layers.ts';
import type { BootReport, ReportedFailure, StageReport } from './report.ts';
import { autonomyLoad } from './stages/autonomy-load.ts';
import { codecValidation } from './stages/codec-validation.ts';
import { continuousMonitor } from './stages/continuous-monitor.ts';
import { coreServices } from './stages/core-services.ts';
import { preflightGate } from './stages/preflight-gate.ts';
import { schemaAndSecrets } from './stages/schema-and-secrets.ts';
import { smokeTests } from './stages/smoke-tests.ts';
import { startupPlaybooks } from './stages/startup-playbooks.ts';

/** What a boot consists of, by number; in which order they run is said in `boot-plan.ts`. */
export const STAGES: readonly Stage[] = [
  preflightGate,
  schemaAndSecrets,
  coreServices,
  startupPlaybooks,
  codecValidation,
  autonomyLoad,
  smokeTests,
  continuousMonitor,
];

export type SaveProgress = (stages: readonly StageReport[]) => Promise<void>;

/** Stages that start or judge the service's components: a dry run leaves them out. */
const STARTING = new Set([4, 6, 7, 8]);

export interface PipelineOptions {
  /** Every check, nothing started, nothing changed in the service. */
  readonly isDryRun: boolean;
  /** Called after each stage: a boot that is killed half way has said how far it came. */
  readonly onStage: SaveProgress;
}

export interface PipelineResult {
  /** A report for each stage, in the order of their numbers; the ones not reached as skipped. */
  readonly stages: readonly StageReport[];
  /** Where the plan of the mode draws them. */
  readonly layers: readonly LayerReport[];
  readonly failed: StageReport | null;
}

/** Runs the stages as the plan of the mode says, until one that aborts fails; a dry run goes on, since it is there to tell everything. */
export async function runPipeline(context: BootContext, options: PipelineOptions): Promise<PipelineResult> {
  // Whatever the mode leaves out: somebody asks what is wrong.
  const plan = BOOT_PLANS[options.isDryRun ? 'resilient' : context.mode];
  const reports = new Map<number, StageReport>();
  const layers: LayerReport[] = [];
  let failed: StageReport | null = null;
  const inOrder = (): StageReport[] => [...reports.values()].toSorted((a, b) => a.number - b.number);

  const conclude = async (stage: Stage, report: StageReport): Promise<void> => {
    reports.set(stage.number, report);
    for (const found of report.findings) context.emit({ type: 'finding', stage: report.stage, finding: found });
    const { number, result, durationMs, detail } = report;
    context.emit({ type: 'stage_ended', number, stage: report.stage, result, durationMs, detail });
    if (result === 'failed' && stopsBoot(stage, report, plan, options)) failed ??= report;
    for (const layer of plan.layers) if (layer.lastStage === number && failed === null) endLayer(layer);
    await options.onStage(inOrder());
  };
  const endLayer = (layer: Layer): void => {
    const report = layerReport(
      layer,
      inOrder().flatMap(({ parts }) => parts ?? []),
    );
    layers.push(report);
    if (report.state === 'not_reached') return;
    const { number, state, durationMs, reasons } = report;
    context.emit({ type: 'layer_ended', number, layer: report.layer, state, durationMs, reasons });
  };

  for (const step of plan.steps) {
    const stages = step
      .map((number) => STAGES[number - 1] as Stage)
      .filter(({ number }) => (options.isDryRun ? !STARTING.has(number) : failed === null));
    // The last one first: it starts the service, which is what everybody waits for.
    const running = stages.toReversed().map((stage) => ({ stage, report: timed(stage, context) }));
    const ended = await Promise.all(running.map(async ({ stage, report }) => ({ stage, report: await report })));
    for (const { stage, report } of ended.toReversed()) await conclude(stage, report);
  }
  for (const layer of plan.layers) if (!layers.some(({ number }) => number === layer.number)) endLayer(layer);
  for (const stage of STAGES) if (!reports.has(stage.number)) reports.set(stage.number, skipped(stage, context));
  return { stages: inOrder(), layers, failed };
}

/** Where layers are drawn, what is not essential may fail. A dry run is there to say what fails. */
function stopsBoot(stage: Stage, { parts = [] }: StageReport, plan: BootPlan, { isDryRun }: PipelineOptions): boolean {
  const failed = parts.filter(({ state }) => state === 'failed');
  if (plan.layers.length === 0 || isDryRun || failed.length === 0) return stage.onFailure === 'abort';
  return failed.some(isFatal);
}

async function timed(stage: Stage, context: BootContext): Promise<StageReport> {
  const { clock, startedMonotonicMs } = context;
  const title = stageTitle(stage);
  const startedAfterMs = clock.monotonicMs() - startedMonotonicMs;
  context.emit({ type: 'stage_started', number: stage.number, stage: title });
  const outcome = await runStage(stage, context);
  return {
    number: stage.number,
    stage: title,
    success: outcome.result === 'success' || outcome.result === 'warned',
    startedAfterMs: Math.round(startedAfterMs),
    durationMs: Math.round((clock.monotonicMs() - startedMonotonicMs - startedAfterMs) * 10) / 10,
    ...outcome,
    metrics: { ...outcome.metrics, 'startup.boot_pipeline_stage': stage.number },
  };
}

function skipped(stage: Stage, context: BootContext): StageReport {
  const startedAfterMs = Math.round(context.clock.monotonicMs() - context.startedMonotonicMs);
  return { number: stage.number, stage: stageTitle(stage), success: false, startedAfterMs, durationMs: 0, ...SKIPPED };
}

const SKIPPED: StageOutcome = { result: 'skipped', metrics: {}, findings: [], fixes: [], failure: null, detail: '' };

async function runStage(stage: Stage, context: BootContext): Promise<StageOutcome> {
  try {
    return await stage.run(context);
  } catch (error) {
    context.signal.throwIfAborted();
    context.logger.error(`stage ${stageTitle(stage)} broke`, {
      error: messageOf(error),
      stack: error instanceof Error ? (error.stack ?? '') : '',
    });
    return { result: 'failed', metrics: {}, findings: [], fixes: [], failure: messageOf(error), detail: messageOf(error) };
  }
}

/** The report in words, for people [BP-5]. */
export function renderReport(report: BootReport): string {
  const rule = '='.repeat(80);
  const lines = [
    rule,
    'GRACE BOOT PIPELINE REPORT',
    rule,
    `Service:       ${report.service}`,
    `Boot:          ${report.boot_id}`,
    `Timestamp:     ${report.boot_timestamp}`,
    `Success:       ${report.summary.success ? 'YES' : 'NO'} (${report.outcome})`,
    `Stages Passed: ${report.summary.stages_passed}/${report.stages.length}`,
    `Stages Failed: ${report.summary.stages_failed}`,
    `Duration:      ${report.summary.duration_ms} ms`,
    '',
  ];
  if ((report.layers ?? []).length > 0) {
    lines.push('Layers', '-'.repeat(40));
    for (const { number, layer, state, durationMs, reasons } of report.layers ?? [])
      lines.push(
        `${number}. ${layer.padEnd(22)} ${state.replace('_', ' ').padEnd(11)} ${durationMs} ms`,
        ...reasons.map((why) => `   ${why}`),
      );
    lines.push('');
  }
  for (const stage of report.stages) {
    lines.push(stage.stage, '-'.repeat(40), `Result: ${stage.result}   ${stage.durationMs} ms`);
    if (stage.failure !== null) lines.push(`Failure: ${stage.failure}`);
    for (const fix of stage.fixes) lines.push(`Fix applied: ${fix}`);
    for (const { title, summary } of stage.checks ?? []) if (summary !== undefined) lines.push(`Coverage (${title}): ${summary}`);
    for (const f of stage.findings) lines.push(`Finding (${f.severity}): ${f.component}: ${f.message}`);
    lines.push('');
  }
  for (const failure of report.failures ?? []) lines.push(...renderFailure(failure));
  if (report.components.length > 0) {
    lines.push('Components', '-'.repeat(40));
    for (const c of report.components) {
      const when = c.readyAfterMs === null ? '' : `ready after ${Math.round(c.readyAfterMs)} ms`;
      lines.push(
        `${c.name}: ${c.state} ${when}${c.waitedFor === null ? '' : `, waited for ${c.waitedFor}`}${c.starts > 1 ? `, ${c.starts} starts` : ''}`,
      );
    }
    lines.push('');
  }
  if (report.incidents.length > 0) lines.push(`Incidents: ${report.incidents.join(', ')}`);
  if (report.playbooks.length > 0) lines.push(`Playbooks: ${report.playbooks.join(', ')}`);
  if (report.audit !== undefined) {
    const { checkpoint, problem } = report.audit;
    lines.push('', 'Audit Log', '-'.repeat(40));
    if (problem !== null) lines.push(`Not written: ${problem}`);
    // As it is, unindented: the report is an anchor for grace audit verify --anchor.
    if (checkpoint !== null)
      lines.push('Its signed head, which shows later whether somebody rewrote it:', '', ...checkpoint.trimEnd().split('\n'), '');
  }
  return `${lines.join('\n')}\n`;
}

/** The whole explanation: the terminal shows less. */
function renderFailure(f: ReportedFailure): readonly string[] {
  const listed = (label: string, values: readonly string[]): readonly string[] =>
    values.map((value, i) => `${(i === 0 ? `${label}:` : '').padEnd(15)}${value}`);
  return [
    `Failure of ${f.component}: ${f.what}`,
    '-'.repeat(40),
    ...listed('Incident', [
      `${f.incident} (${f.class}${f.confidence > 0 ? `, ${Math.round(f.confidence * 100)} % sure` : ''}), at ${f.at}`,
    ]),
    ...listed('Cause', [f.cause]),
    ...listed('Evidence', f.evidence),
    ...listed('Changed', f.changes),
    ...listed('Grace', f.action === '' ? [] : [f.action]),
    ...listed('Playbook', f.playbook === null ? [] : [`${f.playbook}${f.risk === null ? '' : ` (risk ${f.risk})`}`]),
    ...listed('Outcome', [f.outcome.replaceAll('_', ' ')]),
    ...listed('You can', f.outcome === 'healed' && f.playbook !== null ? [] : f.advice),
    ...listed(
      'Commands',
      f.commands.map(({ command, why }) => `${command}    (${why})`),
    ),
    ...listed('Or else', f.alternatives),
    '',
  ];
}
