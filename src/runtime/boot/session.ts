import { nodeClock } from '../../adapters/node/clock.ts';
import { compactMemory } from '../../adapters/node/compact-memory.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import { runPipeline, type BootContext, type BootReport, type LayerReport, type StageReport } from '../../domains/boot/index.ts';
import { isExpiringSoon } from '../../domains/governance/index.ts';
import { messageOf, type BootId, type Logger } from '../../kernel/index.ts';
import { payAttention } from '../attention.ts';
import type { Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { knowledge } from '../load-knowledge.ts';
import { anchorAudit, keepAudit, type AuditUpkeepPorts } from './audit-upkeep.ts';
import { BootRecorder } from './boot-recorder.ts';
import { BootVerification } from './boot-verification.ts';
import { noteCircumstances } from './circumstances.ts';
import { ContinuousMonitor } from './continuous-monitor.ts';
import { Recoveries } from './recoveries.ts';
import { takeOver } from './take-over.ts';

export interface SessionOptions {
  readonly config: GraceConfig;
  readonly logger: Logger;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** `boot`: report and stop again. `dry-run`: checks only. */
  readonly until: 'stopped' | 'booted' | 'dry-run';
}

export interface SessionResult {
  readonly report: BootReport;
  readonly isHealthy: boolean;
}

/** After an orderly stop the copies of what was good are waited for, but not for ever. */
const KEEP_MS_MAX = 15_000;

/** One run of Grace over one service. */
export class Session {
  private readonly options: SessionOptions;
  private readonly composed: Composed;
  private readonly bootId: BootId;
  private readonly startedAtMs = nodeClock.nowMs();
  private readonly startedMonotonicMs = nodeClock.monotonicMs();
  private readonly recorder: BootRecorder;
  private readonly monitor: ContinuousMonitor;
  private readonly verification: BootVerification;
  private readonly auditUpkeep: AuditUpkeepPorts;
  /** Ends what the boot has begun, without a word from outside. */
  private readonly givenUp: AbortController;
  /** Ends with the session, however it ends: the store is closed then. */
  private readonly attending = new AbortController();
  private attention: Promise<void> = Promise.resolve();
  private keeping: Promise<void> = Promise.resolve();
  /** Retention and anchors, once a day. */
  private upkeep: Promise<void> = Promise.resolve();
  private context: BootContext | null = null;

  constructor(options: SessionOptions, composed: Composed, id: BootId, givenUp = new AbortController()) {
    this.givenUp = givenUp;
    this.options = options;
    this.composed = composed;
    this.bootId = id;
    const { config, logger, signal } = options;
    const { startedAtMs, startedMonotonicMs } = this;
    this.recorder = new BootRecorder({ config, composed, bootId: id, logger, startedAtMs, startedMonotonicMs });
    this.monitor = new ContinuousMonitor({ config, composed, bootId: id, signal, context: () => this.context });
    this.verification = new BootVerification({ components: config.components, composed, recorder: this.recorder, bootId: id, signal });
    this.auditUpkeep = { config, audit: composed.audit, emit: composed.redactedEmit, logger };
  }

  /** Whatever breaks it off, nothing it has started goes on without it. */
  async run(): Promise<SessionResult> {
    try {
      return await this.bootAndStay();
    } catch (error) {
      // The first error is the one to tell.
      if (this.options.until !== 'dry-run') await this.composed.supervision.stopAll(this.composed.layers).catch(() => undefined);
      throw error;
    } finally {
      this.attending.abort();
      await this.attention;
      await this.upkeep;
      // What happened since the last one, orderly stop included.
      await anchorAudit(this.auditUpkeep);
    }
  }

  private async bootAndStay(): Promise<SessionResult> {
    const { config, logger, signal, until } = this.options;
    const { composed, bootId, recorder, startedAtMs } = this;
    const isDryRun = until === 'dry-run';
    const reconciled = await takeOver({ config, composed, startedAtMs, isDryRun, logger, signal });
    // Before anything can be healed: what people wrote or edited counts, and is never written over.
    if (!isDryRun) await composed.core.syncPlaybooks();
    composed.redactedEmit({
      type: 'boot_started',
      boot: bootId,
      service: config.name,
      mode: config.boot.mode,
      components: config.components.map((c) => c.name),
    });
    await this.warnOfExpiry();
    if (!isDryRun) {
      await noteCircumstances({ config, composed, bootId, logger });
      await composed.governance.settlePolicies();
      await composed.personRequests.expireLeft();
      this.attention = payAttention({
        composed,
        config,
        bootId,
        logger,
        signal: this.attending.signal,
        stopped: signal,
        isWatching: () => this.monitor.isWatching,
        lookAgain: (approval) => this.monitor.lookAgain(approval),
      });
    }
    await recorder.running([]);
    const context = this.contextFor(reconciled);
    this.context = context;
    let stages: readonly StageReport[] = [];
    let layers: readonly LayerReport[] = [];
    let failedStage: StageReport | null = null;
    try {
      const result = await runPipeline(context, {
        isDryRun,
        onStage: async (soFar) => {
          stages = soFar;
          // A boot that is killed half way has said how far it came; the first stages take milliseconds altogether.
          if (soFar.length < 4) return;
          await recorder.running(soFar);
        },
      });
      ({ stages, failed: failedStage, layers } = result);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    const isCut = signal.aborted;
    const outcome = isCut ? 'stopped' : failedStage === null ? 'success' : 'failed';
    const report = await recorder.end(stages, outcome, layers);
    if (outcome === 'success' && until === 'stopped') {
      this.keeping = this.settle();
      await aborted(signal);
      await this.beforeStop();
    } else if (outcome === 'success' && until === 'booted') {
      await this.verification.afterSoak();
    }
    // A dry run has started nothing: what runs belongs to the Grace that it looks beside.
    if (!isDryRun) await composed.supervision.stopAll(composed.layers);
    return { report, isHealthy: outcome === 'success' };
  }

  /** A request that nobody answers becomes a no: those who could still answer hear of it before. */
  private async warnOfExpiry(): Promise<void> {
    for (const a of await this.composed.approvals.list())
      if (isExpiringSoon(a, this.startedAtMs)) {
        const { component, playbook, expiresAtMs } = a;
        this.composed.redactedEmit({ type: 'approval_expiring', component, playbook, approval: a.id, expiresAtMs });
      }
  }

  private contextFor(reconciled: BootContext['reconciled']): BootContext {
    const { config, logger, signal, until } = this.options;
    const { supervision, core, view, redactedEmit } = this.composed;
    return {
      bootId: this.bootId,
      service: config.name,
      mode: config.boot.mode,
      isDryRun: until === 'dry-run',
      projectDir: config.projectDir,
      dataDir: config.dataDir,
      components: config.components,
      smoke: config.smoke,
      clock: nodeClock,
      files: nodeFiles,
      spawner: nodeSpawner,
      logger,
      view,
      emit: redactedEmit,
      signal,
      supervision,
      core,
      startedMonotonicMs: this.startedMonotonicMs,
      giveUp: (reason) => this.givenUp.abort(new Error(reason)),
      startSchedules: () => (until === 'stopped' ? this.monitor.start() : 0),
      guardFindings: [],
      componentTimes: this.recorder.componentTimes,
      reconciled,
    };
  }

  /** After a good boot, beside the running service: after the soak time it counts as verified, and what good looks like is kept. */
  private async settle(): Promise<void> {
    const { config, logger, signal } = this.options;
    const { composed, verification } = this;
    try {
      await verification.afterSoak();
      if (signal.aborted) return;
      this.upkeep = keepAudit(this.auditUpkeep, this.attending.signal);
      new Recoveries({ components: config.components, composed, logger, signal, isVerified: () => verification.isVerified }).watch();
      // While its files are sure to be there: an upgrade in place must not take the healing from a Grace that runs.
      await knowledge();
      compactMemory();
    } catch (error) {
      logger.warn('the boot could not be kept as good', { error: messageOf(error) });
    }
  }

  private async beforeStop(): Promise<void> {
    const patience = new AbortController();
    await Promise.race([this.keeping, nodeClock.sleep(KEEP_MS_MAX, patience.signal).catch(() => undefined)]);
    patience.abort();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
