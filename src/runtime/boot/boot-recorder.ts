import { nodeClock } from '../../adapters/node/clock.ts';
import {
  reportedFailure,
  type BootContext,
  type BootRecord,
  type BootReport,
  type LayerReport,
  type ReportedFailure,
  type StageReport,
} from '../../domains/boot/index.ts';
import type { Fingerprint } from '../../domains/learning/index.ts';
import { invariant, messageOf, type BootId, type JsonObject, type Logger } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { asStored } from '../lookback.ts';
import { writeReportFiles } from './report-files.ts';

export interface BootRecorderOptions {
  readonly config: Pick<GraceConfig, 'boot' | 'components' | 'dataDir' | 'name'>;
  readonly composed: Pick<Composed, 'audit' | 'boots' | 'incidents' | 'lookback' | 'redactedEmit' | 'redactor' | 'supervision'>;
  readonly bootId: BootId;
  readonly logger: Logger;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
}

/** A month of snapshots tells every trend Grace looks for. */
const METRICS_KEPT_MS = 30 * 86_400_000;
/** Explanations looked at for the report of a boot. */
const EXPLANATIONS_REPORTED_MAX = 200;
/** Boots that `grace diff` can compare; each may take a hundred kilobytes. */
const FINGERPRINTS_KEPT = 100;

/** Writes down how one boot goes: the row, its report, its end in the audit log, the event. */
export class BootRecorder {
  /** Filled by the boot as components come up. */
  readonly componentTimes: BootContext['componentTimes'] = new Map();
  private readonly options: BootRecorderOptions;
  private layers: readonly LayerReport[] = [];
  private failures: readonly ReportedFailure[] | null = null;
  private auditHead: BootReport['audit'];
  private ended: { readonly stages: readonly StageReport[]; readonly report: BootReport; readonly atMs: number } | null = null;

  constructor(options: BootRecorderOptions) {
    this.options = options;
  }

  /** A boot that is killed half way has said how far it came. */
  async running(stages: readonly StageReport[]): Promise<void> {
    await this.save(stages, 'running', null);
  }

  /** Report files for people and for training, the row, and the event [BP-5]. */
  async end(stages: readonly StageReport[], outcome: BootReport['outcome'], layers: readonly LayerReport[]): Promise<BootReport> {
    const { composed, config, bootId, logger, startedAtMs } = this.options;
    this.layers = layers;
    this.failures = await this.reportedFailures();
    const endedAtMs = nodeClock.nowMs();
    const fingerprint = outcome === 'success' ? {} : await this.fingerprintOf(outcome);
    await this.auditEnd(stages, outcome);
    const report = await this.save(stages, outcome, endedAtMs, { fingerprint });
    this.ended = { stages, report, atMs: endedAtMs };
    const text = await writeReportFiles(report, config.dataDir, logger);
    const metrics = stages.flatMap((s) => [
      ...Object.entries(s.metrics).flatMap(([name, value]) =>
        typeof value === 'number' ? [{ name, component: '', atMs: startedAtMs, value }] : [],
      ),
      { name: 'startup.stage_duration_ms', component: s.stage, atMs: startedAtMs, value: s.durationMs },
    ]);
    await composed.boots.saveMetrics(bootId, metrics);
    await composed.boots.forgetMetricsBefore(startedAtMs - METRICS_KEPT_MS);
    await composed.boots.forgetFingerprints(FINGERPRINTS_KEPT);
    composed.redactedEmit({ type: 'boot_ended', boot: bootId, outcome, durationMs: report.summary.duration_ms, report: text });
    return report;
  }

  /** A boot that has ended well was shown to be good: later ones are compared with it. */
  async verified(fingerprint: Fingerprint): Promise<void> {
    invariant(this.ended !== null, 'a boot is verified after its end was written down');
    const { stages, report, atMs } = this.ended;
    await this.save(stages, 'success', atMs, { isVerified: true, fingerprint: asStored(fingerprint), report });
  }

  private async save(
    stages: readonly StageReport[],
    outcome: BootReport['outcome'],
    endedAtMs: number | null,
    more: Partial<BootRecord> = {},
  ): Promise<BootReport> {
    const { composed, bootId, startedAtMs } = this.options;
    const report = this.report(stages, outcome);
    await composed.boots.save({
      id: bootId,
      startedAtMs,
      endedAtMs,
      outcome,
      mode: report.mode,
      isVerified: false,
      report,
      fingerprint: {},
      ...more,
    });
    return report;
  }

  private report(stages: readonly StageReport[], outcome: BootReport['outcome']): BootReport {
    const { config, bootId, startedAtMs, startedMonotonicMs } = this.options;
    const { supervision, redactor } = this.options.composed;
    const report: BootReport = redactor.redactReport({
      boot_id: bootId,
      boot_timestamp: new Date(startedAtMs).toISOString(),
      service: config.name,
      mode: config.boot.mode,
      outcome,
      stages,
      ...(this.layers.length === 0 ? {} : { layers: this.layers }),
      components: config.components.map((spec) => {
        const times = this.componentTimes.get(spec.name);
        const runner = supervision.runners.get(spec.name);
        return {
          name: spec.name,
          state: times?.state ?? 'waiting',
          startedAfterMs: times?.startedAfterMs ?? 0,
          readyAfterMs: times?.readyAfterMs ?? null,
          waitedFor: times?.waitedFor ?? null,
          starts: runner?.starts ?? 0,
          pid: runner?.process?.identity.pid ?? null,
          port: runner?.port ?? spec.port,
        };
      }),
      ...(this.failures === null ? {} : { failures: this.failures }),
      incidents: [...new Set(supervision.desk.captured.map((c) => c.pattern.incidentId as string))],
      playbooks: [...new Set(supervision.fixes.map((f) => f.split(': ').at(-1) ?? f))],
      summary: {
        success: outcome === 'success',
        stages_passed: stages.filter((s) => s.success).length,
        stages_failed: stages.filter((s) => s.result === 'failed').length,
        fixes: supervision.fixes.length,
        duration_ms: Math.round(nodeClock.monotonicMs() - startedMonotonicMs),
      },
    });
    // After the redactor: a signature looks like a secret, and is none.
    return this.auditHead === undefined ? report : { ...report, audit: this.auditHead };
  }

  /** What is said of each pattern that failed in this boot, as it ended: a crash loop is told once. */
  private async reportedFailures(): Promise<readonly ReportedFailure[]> {
    const { incidents } = this.options.composed;
    const newestFirst = await incidents.explanations({ bootId: this.options.bootId, limit: EXPLANATIONS_REPORTED_MAX });
    const names = new Map((await incidents.patterns()).map((p) => [p.signature, p.incidentId as string]));
    const last = new Map(newestFirst.toReversed().map((e) => [e.signature, e]));
    return [...last.values()].map((e) => reportedFailure(e, names.get(e.signature) ?? ''));
  }

  /** A boot that failed is the one somebody wants to compare: as of the failure, before Grace or anybody else changed something. */
  private async fingerprintOf(outcome: BootReport['outcome']): Promise<JsonObject> {
    const { lookback } = this.options.composed;
    try {
      const known = lookback.failedFingerprint();
      if (known !== null) return asStored(known);
      return outcome === 'failed' ? asStored(await lookback.fingerprint('now')) : {};
    } catch (error) {
      this.options.logger.warn('what the world looks like could not be kept', { error: messageOf(error) });
      return {};
    }
  }

  /** How it ended, in the log; and its head, which then covers this boot, for the report. */
  private async auditEnd(stages: readonly StageReport[], outcome: BootReport['outcome']): Promise<void> {
    const { audit, supervision } = this.options.composed;
    if (audit === null) return;
    audit.note({
      actor: 'grace',
      action: 'boot.ended',
      resource: `boot/${this.options.bootId}`,
      subsystem: 'boot',
      result: outcome === 'success' ? 'ok' : outcome === 'stopped' ? 'partial' : 'failed',
      payload: {
        outcome,
        stages_passed: stages.filter((s) => s.success).length,
        stages_failed: stages.filter((s) => s.result === 'failed').length,
        fixes: supervision.fixes,
      },
    });
    this.auditHead = { checkpoint: await audit.head(), problem: audit.trouble };
  }
}
