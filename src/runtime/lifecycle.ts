import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { sweepLeftFolders } from '../adapters/databases/left-folders.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { compactMemory } from '../adapters/node/compact-memory.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lockInstance } from '../adapters/node/instance-lock.ts';
import { rotateLog } from '../adapters/node/log-rotation.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { openStore, StoreForeign, StoreTooNew, StoreUnwritable, type OpenedStore } from '../adapters/store/index.ts';
import {
  LAYERS,
  renderReport,
  reportedFailure,
  runPipeline,
  runSchedules,
  validateAgain,
  validateAnswered,
  type BootContext,
  type BootRecord,
  type BootReport,
  type LayerReport,
  type ReportedFailure,
  type SchedulePorts,
  type StageReport,
  type ValidationPorts,
} from '../domains/boot/index.ts';
import { sweepOwnHalves, type Emit } from '../domains/healing/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { isExpiringSoon } from '../domains/governance/index.ts';
import { nextPatternState } from '../domains/incidents/index.ts';
import type { Fingerprint } from '../domains/learning/index.ts';
import { bootId, messageOf, type BootId, type JsonObject, type Logger } from '../kernel/index.ts';
import { payAttention } from './attention.ts';
import { compose, type Composed } from './compose.ts';
import { keepFromOthers, makeDataDir } from './data-dir.ts';
import { knowledge } from './load-knowledge.ts';
import { asStored } from './lookback.ts';
import type { GraceConfig } from './config/index.ts';
import { changedKeys, configDigests, readConfigDigests } from './config-digests.ts';
import { NOTHING_RUNS, openPolicies, type Policies } from './policy.ts';
import { repositories } from './repositories.ts';

export interface ServeOptions {
  readonly config: GraceConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly emit: Emit;
  readonly logger: Logger;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** `boot`: report and stop again. `dry-run`: checks only. */
  readonly until: 'stopped' | 'booted' | 'dry-run';
}

export interface ServeResult {
  readonly report: BootReport;
  readonly isHealthy: boolean;
}

/** A month of snapshots tells every trend Grace looks for. */
const METRICS_KEPT_MS = 30 * 86_400_000;
/** Explanations looked at for the report of a boot. */
const EXPLANATIONS_REPORTED_MAX = 200;
/** Boots that `grace diff` can compare; each may take a hundred kilobytes. */
const FINGERPRINTS_KEPT = 100;
const DAY_MS = 86_400_000;
/** After an orderly stop the copies of what was good are waited for, but not for ever. */
const KEEP_MS_MAX = 15_000;

/**
 * Boots the service and stays in front of it until told to stop.
 * @throws StoreForeign, StoreTooNew, StoreUnwritable, AlreadyRunning: before anything was started
 */
export async function serve(options: ServeOptions): Promise<ServeResult> {
  const { config } = options;
  // Before anything is made or opened: a policy with a mistake leaves everything as it was.
  const policies = await openPolicies(config);
  if (options.until === 'dry-run') return rehearse(options, policies);
  const startedMs = nodeClock.monotonicMs();
  try {
    return await serveInFront(options, policies);
  } catch (error) {
    // Everything stands on the store: without it there is no boot whose report could say so.
    if (config.boot.mode === 'layered' && isAboutStore(error)) {
      const [{ number, title: layer } = { number: 1, title: '' }] = LAYERS;
      const durationMs = nodeClock.monotonicMs() - startedMs;
      options.emit({ type: 'layer_ended', number, layer, state: 'failed', durationMs, reasons: [messageOf(error)] });
    }
    throw error;
  }
}

function isAboutStore(error: unknown): boolean {
  return error instanceof StoreUnwritable || error instanceof StoreForeign || error instanceof StoreTooNew;
}

async function serveInFront(options: ServeOptions, policies: Policies): Promise<ServeResult> {
  const { config, signal } = options;
  try {
    makeDataDir(config.dataDir);
  } catch (error) {
    throw new StoreUnwritable(join(config.dataDir, 'grace.db'), error);
  }
  const release = lock(config.dataDir);
  let store: OpenedStore | undefined;
  let composed: Composed | undefined;
  const givenUp = new AbortController();
  try {
    store = await openStore(join(config.dataDir, 'grace.db'));
    keepFromOthers(config.dataDir);
    const id = await nextBootId(store);
    const either = AbortSignal.any([signal, givenUp.signal]);
    composed = await compose({ ...options, signal: either, ...policies, store, bootId: id, isDryRun: false, home: config.dataDir });
    return await new Session(options, composed, id, givenUp).run(signal);
  } finally {
    await composed?.close();
    store?.close();
    release();
  }
}

/** A dry run looks at a copy of what Grace remembers: it takes no lock, changes nothing and leaves nothing behind. */
function rehearse(options: ServeOptions, policies: Policies): Promise<ServeResult> {
  return onACopy(options, policies, (copied, composed, id) => new Session(copied, composed, id).run(options.signal));
}

/** What the world looks like now, as a boot would see it; nothing is started and nothing is remembered. */
export function fingerprintNow(options: Pick<ServeOptions, 'config' | 'environment' | 'logger'>): Promise<Fingerprint> {
  const silent = { ...options, emit: () => undefined, signal: new AbortController().signal, until: 'dry-run' as const };
  return onACopy(silent, { policy: NOTHING_RUNS, policyFiles: [] }, (_, composed) => composed.lookback.fingerprint('now'));
}

const COPY_PREFIX = 'grace-check-';
/** A dry run ends within minutes; an older copy, with all that Grace remembers in it, was left by one that was killed. */
const COPY_LEFT_MS = 60 * 60_000;

/**
 * Works with a copy of what Grace remembers of the service, as it is this moment. Nothing of it is kept, and what is really
 * there stays as it is, to the last byte.
 */
export async function onACopy<T>(
  options: ServeOptions,
  policies: Policies,
  work: (options: ServeOptions, composed: Composed, id: BootId) => Promise<T>,
): Promise<T> {
  const { config } = options;
  await sweepLeftFolders(COPY_PREFIX, COPY_LEFT_MS, nodeClock.nowMs());
  const dataDir = mkdtempSync(join(tmpdir(), COPY_PREFIX));
  let store: OpenedStore | undefined;
  try {
    const real = join(config.dataDir, 'grace.db');
    if (existsSync(real)) await copyStore(real, join(dataDir, 'grace.db'));
    const kept = join(config.dataDir, 'storage');
    mkdirSync(join(dataDir, 'storage'));
    // What is moved aside would go to the copy; only what is read is shared.
    for (const name of existsSync(kept) ? readdirSync(kept) : [])
      if (name !== 'aside') symlinkSync(join(kept, name), join(dataDir, 'storage', name));
    store = await openStore(join(dataDir, 'grace.db'), false);
    const id = await nextBootId(store);
    const copied = { ...options, config: { ...config, dataDir } };
    return await work(
      copied,
      await compose({ ...copied, ...policies, store, bootId: id, isDryRun: true, isCopy: true, home: config.dataDir }),
      id,
    );
  } finally {
    store?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** A database that nobody has open is copied as it lies: opening one leaves files beside it. */
async function copyStore(from: string, to: string): Promise<void> {
  if (!existsSync(`${from}-wal`)) return copyFileSync(from, to);
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(source, to);
  } finally {
    source.close();
  }
}

function lock(dir: string): () => void {
  try {
    return lockInstance(dir);
  } catch (error) {
    if ((error as { code?: string }).code === 'GRACE_RUNTIME_ALREADY_RUNNING') throw error;
    throw new StoreUnwritable(join(dir, 'grace.db'), error);
  }
}

/** `boot_YYYYMMDD_HHMMSS`, UTC; with a suffix when that second has one already. */
async function nextBootId(store: OpenedStore): Promise<BootId> {
  const stamp = new Date(nodeClock.nowMs()).toISOString().replace(/[-:]/g, '').slice(0, 15).replace('T', '_');
  const { boots } = repositories(store);
  for (let n = 1; ; n++) {
    const id = `boot_${stamp}${n === 1 ? '' : `_${n}`}`;
    if ((await boots.get(id)) === null) return bootId(id);
  }
}

/** One run of Grace over one service. */
class Session {
  private readonly options: ServeOptions;
  private readonly composed: Composed;
  private readonly bootId: BootId;
  private readonly startedAtMs = nodeClock.nowMs();
  private readonly startedMonotonicMs = nodeClock.monotonicMs();
  private keeping: Promise<void> = Promise.resolve();
  /** Ends with the session, however it ends: the store is closed then. */
  private readonly attending = new AbortController();
  /** From stage 8 on what happens to components is no longer the boot's. */
  private isWatching = false;
  /** This boot was shown to be good: only then may its files take the place of those that were. */
  private isVerified = false;
  private attention: Promise<void> = Promise.resolve();
  private validating: Promise<unknown> = Promise.resolve();
  /** Components that are ready again and have to stay so for their soak time. */
  private readonly proving = new Set<string>();
  private context: BootContext | null = null;
  private failures: readonly ReportedFailure[] | null = null;
  private auditHead: BootReport['audit'];
  /** Retention and anchors, once a day. */
  private upkeep: Promise<void> = Promise.resolve();
  private layers: readonly LayerReport[] = [];
  /** Ends what the boot has begun, without a word from outside. */
  private readonly givenUp: AbortController;
  private ended: { readonly report: BootReport; readonly atMs: number } | null = null;

  constructor(options: ServeOptions, composed: Composed, id: BootId, givenUp = new AbortController()) {
    this.givenUp = givenUp;
    this.options = options;
    this.composed = composed;
    this.bootId = id;
  }

  /** Whatever breaks it off, nothing it has started goes on without it. */
  async run(signal: AbortSignal): Promise<ServeResult> {
    try {
      return await this.bootAndStay(signal);
    } catch (error) {
      // The first error is the one to tell.
      if (this.options.until !== 'dry-run') await this.composed.supervision.stopAll(this.composed.layers).catch(() => undefined);
      throw error;
    } finally {
      this.attending.abort();
      await this.attention;
      await this.upkeep;
      // What happened since the last one, orderly stop included.
      await this.anchor();
    }
  }

  private async bootAndStay(signal: AbortSignal): Promise<ServeResult> {
    const { config, until } = this.options;
    const { redactedEmit: emit, supervision, layers } = this.composed;
    const interrupted = await this.markInterrupted();
    if (until !== 'dry-run') {
      await this.composed.endCutOff();
      await this.sweepHalves();
    }
    const undone =
      until === 'dry-run'
        ? []
        : await this.composed.healer.undoUnfinished((name) => config.components.find((c) => c.name === name) ?? null, signal);
    const { adopted, ended } = until === 'dry-run' ? { adopted: [], ended: [] } : await supervision.reconcile();
    if (until !== 'dry-run')
      supervision.carryOver(await this.composed.healer.unproven((name) => config.components.find((c) => c.name === name) ?? null));
    if (until !== 'dry-run') supervision.carryAsked(await this.composed.healer.askedRollbacks());
    // Before anything can be healed: what people wrote or edited counts, and is never written over.
    if (until !== 'dry-run') await this.composed.core.syncPlaybooks();
    emit({
      type: 'boot_started',
      boot: this.bootId,
      service: config.name,
      mode: config.boot.mode,
      components: config.components.map((c) => c.name),
    });
    await this.warnOfExpiry();
    if (until !== 'dry-run') {
      await this.noteCircumstances();
      await this.composed.governance.settlePolicies();
      await this.composed.personRequests.expireLeft();
      this.attention = payAttention({
        composed: this.composed,
        config,
        bootId: this.bootId,
        logger: this.options.logger,
        signal: this.attending.signal,
        stopped: signal,
        isWatching: () => this.isWatching,
        lookAgain: (approval) => this.validate((context, ports) => validateAnswered(context, ports, approval)),
      });
    }
    await this.save([], 'running', null);
    const context = this.contextFor({ adopted, ended, undone, interrupted });
    this.context = context;
    let stages: readonly StageReport[] = [];
    let failedStage: StageReport | null = null;
    try {
      const result = await runPipeline(context, {
        isDryRun: until === 'dry-run',
        onStage: async (soFar) => {
          stages = soFar;
          // A boot that is killed half way has said how far it came; the first stages take milliseconds altogether.
          if (soFar.length < 4) return;
          await this.save(soFar, 'running', null);
        },
      });
      ({ stages, failed: failedStage, layers: this.layers } = result);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    const isCut = signal.aborted;
    const outcome = isCut ? 'stopped' : failedStage === null ? 'success' : 'failed';
    const report = await this.finish(stages, outcome);
    if (outcome === 'success' && until === 'stopped') {
      this.keeping = this.settle(stages);
      await aborted(signal);
      await this.beforeStop();
    } else if (outcome === 'success' && until === 'booted') {
      await nodeClock.sleep(this.soakMs(), signal).catch(() => undefined); // cut short: then what was seen so far counts
      if (await this.allReady()) await this.verified(stages);
    }
    // A dry run has started nothing: what runs belongs to the Grace that it looks beside.
    if (until !== 'dry-run') await supervision.stopAll(layers);
    return { report, isHealthy: outcome === 'success' };
  }

  /** Half files of a Grace that was killed as it wrote them: nothing refers to them, and one may hold a secret. */
  private async sweepHalves(): Promise<void> {
    const { config, logger } = this.options;
    try {
      await sweepOwnHalves(nodeFiles, [config.dataDir, config.playbooksDir], this.startedAtMs);
    } catch (error) {
      logger.warn('half files of an earlier Grace could not be removed', { error: messageOf(error) });
    }
  }

  /** One whole look, or one at what was answered, at a time: both read what stands, and write what they make of it. */
  private validate(look: (context: BootContext, ports: ValidationPorts) => Promise<boolean>): Promise<boolean> {
    const { missions, approvals, ids, redactor } = this.composed;
    const ports: ValidationPorts = { missions, approvals, ids, redact: (found) => redactor.redactReport(found) };
    const mine = this.validating.then(() => (this.context === null ? true : look(this.context, ports)));
    this.validating = mine.catch(() => undefined); // whoever asked for it hears of it
    return mine;
  }

  /** A request that nobody answers becomes a no: those who could still answer hear of it before. */
  private async warnOfExpiry(): Promise<void> {
    for (const a of await this.composed.approvals.list())
      if (isExpiringSoon(a, this.startedAtMs)) {
        const { component, playbook, expiresAtMs } = a;
        this.composed.redactedEmit({ type: 'approval_expiring', component, playbook, approval: a.id, expiresAtMs });
      }
  }

  /** Boots that still say they run were cut off with their Grace. */
  private async markInterrupted(): Promise<readonly string[]> {
    const cut = await this.composed.boots.running();
    for (const boot of cut) {
      const report: BootReport = { ...boot.report, outcome: 'interrupted' };
      await this.composed.boots.save({ ...boot, outcome: 'interrupted', endedAtMs: boot.endedAtMs ?? this.startedAtMs, report });
      await this.writeFiles(report);
    }
    return cut.map((b) => b.id);
  }

  private contextFor(reconciled: BootContext['reconciled']): BootContext {
    const { config, logger } = this.options;
    const { supervision, core, view, redactedEmit } = this.composed;
    return {
      bootId: this.bootId,
      service: config.name,
      mode: config.boot.mode,
      isDryRun: this.options.until === 'dry-run',
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
      signal: this.options.signal,
      supervision,
      core,
      startedMonotonicMs: this.startedMonotonicMs,
      giveUp: (reason) => this.givenUp.abort(new Error(reason)),
      startSchedules: () => this.startSchedules(),
      guardFindings: [],
      componentTimes: new Map(),
      reconciled,
    };
  }

  private startSchedules(): number {
    const { config, until, signal } = this.options;
    if (until !== 'stopped') return 0;
    this.isWatching = true;
    const { supervision, core, host, redactedEmit, boots } = this.composed;
    const ports: SchedulePorts = {
      clock: nodeClock,
      emit: redactedEmit,
      host,
      supervision,
      storeLatencyMs: async () => (await core.storeRoundTrip('health')).ms,
      validate: async () => {
        await this.validate((context, given) => validateAgain(context, given).then(() => true));
      },
      saveMetrics: (samples) => boots.saveMetrics(this.bootId, samples),
      // A log that somebody named is theirs to rotate; Grace looks after those in its own directory.
      rotateLogs: async () => {
        for (const { logFile } of config.components) if (logFile.startsWith(config.dataDir + sep)) await rotateLog(logFile);
      },
    };
    return runSchedules(config.monitor, ports, signal).started;
  }

  private report(stages: readonly StageReport[], outcome: BootReport['outcome']): BootReport {
    const { config } = this.options;
    const { supervision } = this.composed;
    const failed = stages.filter((s) => s.result === 'failed').length;
    const report: BootReport = this.composed.redactor.redactReport({
      boot_id: this.bootId,
      boot_timestamp: new Date(this.startedAtMs).toISOString(),
      service: config.name,
      mode: config.boot.mode,
      outcome,
      stages,
      ...(this.layers.length === 0 ? {} : { layers: this.layers }),
      components: config.components.map((spec) => {
        const times = this.context?.componentTimes.get(spec.name);
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
        stages_failed: failed,
        fixes: supervision.fixes.length,
        duration_ms: Math.round(nodeClock.monotonicMs() - this.startedMonotonicMs),
      },
    });
    // After the redactor: a signature looks like a secret, and is none.
    return this.auditHead === undefined ? report : { ...report, audit: this.auditHead };
  }

  private async save(
    stages: readonly StageReport[],
    outcome: BootReport['outcome'],
    endedAtMs: number | null,
    more: Partial<BootRecord> = {},
  ): Promise<BootReport> {
    const report = this.report(stages, outcome);
    await this.composed.boots.save({
      id: this.bootId,
      startedAtMs: this.startedAtMs,
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

  /** Report files for people and for training, the row, and the event [BP-5]. */
  private async finish(stages: readonly StageReport[], outcome: BootReport['outcome']): Promise<BootReport> {
    this.failures = await this.reportedFailures();
    const endedAtMs = nodeClock.nowMs();
    const fingerprint = outcome === 'success' ? {} : await this.fingerprintOf(outcome);
    await this.auditEnd(stages, outcome);
    const report = await this.save(stages, outcome, endedAtMs, { fingerprint });
    this.ended = { report, atMs: endedAtMs };
    const text = await this.writeFiles(report);
    const metrics = stages.flatMap((s) => [
      ...Object.entries(s.metrics).flatMap(([name, value]) =>
        typeof value === 'number' ? [{ name, component: '', atMs: this.startedAtMs, value }] : [],
      ),
      { name: 'startup.stage_duration_ms', component: s.stage, atMs: this.startedAtMs, value: s.durationMs },
    ]);
    await this.composed.boots.saveMetrics(this.bootId, metrics);
    await this.composed.boots.forgetMetricsBefore(this.startedAtMs - METRICS_KEPT_MS);
    await this.composed.boots.forgetFingerprints(FINGERPRINTS_KEPT);
    this.composed.redactedEmit({ type: 'boot_ended', boot: this.bootId, outcome, durationMs: report.summary.duration_ms, report: text });
    return report;
  }

  /** How it ended, in the log; and its head, which then covers this boot, for the report. */
  private async auditEnd(stages: readonly StageReport[], outcome: BootReport['outcome']): Promise<void> {
    const { audit, supervision } = this.composed;
    if (audit === null) return;
    audit.note({
      actor: 'grace',
      action: 'boot.ended',
      resource: `boot/${this.bootId}`,
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

  /** What this boot starts with that is not its own doing: another configuration, keys that others can read. */
  private async noteCircumstances(): Promise<void> {
    const { config } = this.options;
    const { audit, portable, digest } = this.composed;
    if (audit === null) return;
    try {
      const now = configDigests(config, digest);
      const before = readConfigDigests(await portable.get('grace', 'config'));
      if (before?.whole !== now.whole) {
        const payload = { before: before?.whole ?? null, after: now.whole, file: config.configFile, changed: changedKeys(before, now) };
        audit.note({ actor: 'grace', action: 'config.changed', resource: 'grace/config', subsystem: 'config', result: 'ok', payload });
        await portable.put('grace', 'config', this.bootId, JSON.stringify(now));
      }
      for (const file of [join('storage', 'key'), 'audit.key']) {
        const mode = (await nodeFiles.stat(join(config.dataDir, file)))?.mode ?? 0;
        if ((mode & 0o077) === 0) continue;
        const payload = { mode: mode.toString(8).padStart(4, '0') };
        audit.note({ actor: 'grace', action: 'security.key_readable', resource: file, subsystem: 'security', result: 'failed', payload });
        const path = join(config.dataDir, file);
        this.composed.redactedEmit({ type: 'notice', level: 'error', text: `others than its owner have rights on ${path}: chmod 600 it` });
      }
    } catch (error) {
      this.options.logger.warn('what this boot starts with could not be looked at', { error: messageOf(error) });
    }
  }

  /** Once after a good boot, then daily: old payloads go under the policy, and the head goes to the places outside. */
  private async keepAudit(): Promise<void> {
    const { signal } = this.attending;
    const { audit } = this.composed;
    const { keepPayloadsMs } = this.options.config.audit;
    if (audit === null) return;
    while (!signal.aborted) {
      await this.anchor();
      try {
        if (keepPayloadsMs !== null) await audit.dropPayloads(keepPayloadsMs);
      } catch (error) {
        this.options.logger.warn('old contents of the audit log could not be dropped', { error: messageOf(error) });
      }
      await nodeClock.sleep(DAY_MS, signal).catch(() => undefined); // aborted
    }
  }

  private async anchor(): Promise<void> {
    const { config, logger } = this.options;
    const { audit } = this.composed;
    if (audit === null || (config.audit.anchorFile === null && !config.audit.anchorGit)) return;
    const before = audit.lastAnchored;
    const head = await audit.head();
    if (head === null || head === before) return;
    const { anchorHead } = await import('./audit-anchors.ts');
    const problems = await anchorHead(head, config.audit, config.projectDir);
    if (problems.length === 0) audit.lastAnchored = head;
    for (const problem of problems) {
      logger.warn('the head of the audit log could not be kept outside', { problem });
      this.composed.redactedEmit({
        type: 'notice',
        level: 'warn',
        text: `the head of the audit log could not be kept outside: ${problem}`,
      });
    }
  }

  /** A boot that failed is the one somebody wants to compare: as of the failure, before Grace or anybody else changed something. */
  private async fingerprintOf(outcome: BootReport['outcome']): Promise<JsonObject> {
    const { lookback } = this.composed;
    try {
      const known = lookback.failedFingerprint();
      if (known !== null) return asStored(known);
      return outcome === 'failed' ? asStored(await lookback.fingerprint('now')) : {};
    } catch (error) {
      this.options.logger.warn('what the world looks like could not be kept', { error: messageOf(error) });
      return {};
    }
  }

  /** @returns the path of the report for people */
  private async writeFiles(report: BootReport): Promise<string> {
    const training = join(this.options.config.dataDir, 'training', 'startup_failures');
    const text = join(this.options.config.dataDir, 'logs', 'last_boot_report.txt');
    try {
      await nodeFiles.makeDir(training);
      await nodeFiles.makeDir(join(this.options.config.dataDir, 'logs'));
      await nodeFiles.writeAtomic(join(training, `${report.boot_id}.json`), `${JSON.stringify(report, null, 2)}\n`);
      await nodeFiles.writeAtomic(text, renderReport(report));
    } catch (error) {
      this.options.logger.warn('the boot report could not be written', { error: messageOf(error) });
    }
    return text;
  }

  /** What is said of each pattern that failed in this boot, as it ended: a crash loop is told once. */
  private async reportedFailures(): Promise<readonly ReportedFailure[]> {
    const { incidents } = this.composed;
    const newestFirst = await incidents.explanations({ bootId: this.bootId, limit: EXPLANATIONS_REPORTED_MAX });
    const names = new Map((await incidents.patterns()).map((p) => [p.signature, p.incidentId as string]));
    const last = new Map(newestFirst.toReversed().map((e) => [e.signature, e]));
    return [...last.values()].map((e) => reportedFailure(e, names.get(e.signature) ?? ''));
  }

  /** After a good boot, beside the running service: after the soak time it counts as verified, and what good looks like is kept. */
  private async settle(stages: readonly StageReport[]): Promise<void> {
    try {
      await nodeClock.sleep(this.soakMs(), this.options.signal).catch(() => undefined); // an orderly stop ends the soak time early
      if (await this.allReady()) await this.verified(stages);
      if (this.options.signal.aborted) return;
      this.upkeep = this.keepAudit();
      this.watchForPeople();
      // While its files are sure to be there: an upgrade in place must not take the healing from a Grace that runs.
      await knowledge();
      compactMemory();
    } catch (error) {
      this.options.logger.warn('the boot could not be kept as good', { error: messageOf(error) });
    }
  }

  private async keepAsGood(components: readonly ComponentSpec[]): Promise<void> {
    for (const spec of components) await this.composed.shadow.lookAhead(spec);
    await this.composed.keepAsGood(components);
  }

  private soakMs(): number {
    return Math.max(0, ...this.options.config.components.map((c) => c.soakMs));
  }

  private async allReady(): Promise<boolean> {
    const ready = await Promise.all([...this.composed.supervision.runners.values()].map((r) => r.isReadyNow()));
    return ready.every(Boolean);
  }

  private async verified(stages: readonly StageReport[]): Promise<void> {
    const { incidents, supervision } = this.composed;
    // Not before: until a boot is shown to be good, the copies of the last one that was are the way back.
    await this.keepAsGood(this.options.config.components);
    this.isVerified = true;
    const fingerprint = asStored(await this.composed.lookback.fingerprint('verified'));
    const ended = this.ended ?? { report: this.report(stages, 'success'), atMs: nodeClock.nowMs() };
    await this.save(stages, 'success', ended.atMs, { isVerified: true, fingerprint, report: ended.report });
    const { playbooks } = this.composed;
    for (const run of await playbooks.runsOf(this.bootId)) {
      // What a guard did before the start has held as well; what a person had done meanwhile says nothing yet.
      if (run.state !== 'applied' || run.scope === 'person') continue;
      await playbooks.saveRun({ ...run, state: 'verified' }, 'what it changed before the start held for the soak time');
    }
    const seen = new Set(supervision.desk.captured.flatMap((c) => [c.failure.signature, ...(c.alike ?? [])]));
    for (const pattern of await incidents.patterns())
      if (!seen.has(pattern.signature)) await incidents.savePattern({ ...pattern, ...nextPatternState(pattern, 'clean_boot') });
    await this.learnFromPeople(this.options.config.components);
  }

  /** What works now and had failed: somebody may have mended it. */
  private async learnFromPeople(components: readonly ComponentSpec[]): Promise<void> {
    for (const spec of components) {
      const lessons = await this.composed.lookback.people.learn(spec, this.options.config.components);
      await this.composed.shadow.score(spec, lessons);
    }
  }

  /** While it runs, a component that failed and is ready again may have been mended by hand too. */
  private watchForPeople(): void {
    const { signal, logger } = this.options;
    this.composed.onEvent((event) => {
      if (event.type !== 'component_ready' || signal.aborted) return;
      const spec = this.options.config.components.find((c) => c.name === event.component);
      if (spec !== undefined)
        void this.afterRecovery(spec).catch((error: unknown) => {
          if (!signal.aborted) logger.warn('a recovery could not be learned from', { component: spec.name, error: messageOf(error) });
        });
    });
  }

  private async afterRecovery(spec: ComponentSpec): Promise<void> {
    const { lookback, shadow, supervision } = this.composed;
    if (this.proving.has(spec.name)) return;
    if (!(await lookback.people.isWaiting(spec.name)) && !(await shadow.isOpen(spec.name))) return;
    this.proving.add(spec.name);
    try {
      await nodeClock.sleep(spec.soakMs, this.options.signal);
      if ((await supervision.runners.get(spec.name)?.isReadyNow()) !== true) return;
      await this.composed.shadow.lookAhead(spec);
      if (this.isVerified) await this.composed.keepAsGood([spec]);
      await this.learnFromPeople([spec]);
    } finally {
      this.proving.delete(spec.name);
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
