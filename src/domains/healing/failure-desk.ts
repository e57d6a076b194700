import { messageOf, type JsonObject } from '../../kernel/index.ts';
import { spokenAnswer, type Fact, type Failure } from '../incidents/index.ts';
import { diagnose, observe, record, type Captured, type LogPart } from '../learning/index.ts';
import type { ComponentRunner, ComponentSpec, Problem } from '../supervisor/index.ts';
import type { SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';

/** A diagnosis this sure, with a remedy, ends the waiting for a component that will not get ready. */
const SURE = 0.8;
/** Enough to act on after a long silence. */
const PLAUSIBLE = 0.75;
/** A component that says nothing and is not ready gets this long before its files are looked at. */
const SILENCE_MS = 8000;

/** With nothing surer at hand, what has changed is tried after this long, and this many times its usual start. */
const OVERDUE_MS = 15_000;
const OVERDUE_TIMES = 12;
const GUESS = 0.3;

/** Said by a component that is up, these mean that it goes on without something. */
const COMPLAINTS: ReadonlySet<string> = new Set(['secret_mismatch', 'data_corrupt', 'permission_denied', 'config_invalid', 'syntax_error']);
const COMPLAINING = /decrypt|fernet|denied|EACCES|corrupt|damaged|malformed|invalid|unexpected|unreadable|syntax/i;
const COMPLAINT_BYTES = 256 * 1024;
/** Only what was at the last good boot comes back for a mere complaint; nothing is built, ended or restarted for it. */
const PUTS_BACK: ReadonlySet<string> = new Set(['restore_file', 'restore_permissions', 'add_env_keys']);

/** Where problems become failures: read, recorded, or only looked at. */
export class FailureDesk {
  /** Failures of this run of Grace, oldest first. */
  readonly captured: Captured[] = [];
  private readonly ports: Pick<
    SupervisionPorts,
    'capture' | 'caseFile' | 'knowledge' | 'logger' | 'clock' | 'host' | 'files' | 'usualStartMs'
  >;
  private readonly settings: Pick<SupervisionSettings, 'bootId'>;
  private readonly runners: ReadonlyMap<string, ComponentRunner>;

  constructor(ports: FailureDesk['ports'], settings: FailureDesk['settings'], runners: ReadonlyMap<string, ComponentRunner>) {
    this.ports = ports;
    this.settings = settings;
    this.runners = runners;
  }

  observe(
    spec: ComponentSpec,
    stage: string,
    problem: Problem,
    log: LogPart | null,
    said: string,
    facts: readonly Fact[] = [],
  ): Promise<Failure> {
    const pid = this.runners.get(spec.name)?.process?.identity.pid ?? null;
    const listens = problem.symptom === 'not_ready' ? this.ports.host.portsOf(spec.name) : [];
    const context: JsonObject = { pid, port: this.runners.get(spec.name)?.port ?? spec.port, listens };
    return observe(
      {
        bootId: this.settings.bootId,
        stage,
        component: spec,
        problem,
        log,
        saidElsewhere: `${said}\n${spokenBy(problem)}`,
        facts,
        context,
      },
      this.ports.capture,
    );
  }

  async capture(
    spec: ComponentSpec,
    stage: string,
    problem: Problem,
    log: LogPart | null,
    said: string,
    facts: readonly Fact[] = [],
  ): Promise<Captured> {
    const captured = await record(await this.observe(spec, stage, problem, log, said, facts), this.ports.capture);
    this.captured.push(captured);
    return captured;
  }

  /** What would be said and done about a problem, without saying or doing it. */
  async causeOf(
    spec: ComponentSpec,
    stage: string,
    problem: Problem,
    facts: readonly Fact[],
  ): Promise<{ readonly cause: string; readonly advice: readonly string[] }> {
    const failure = await this.observe(spec, stage, problem, null, '', facts);
    const c = await this.ports.caseFile({ failure, isNew: true, pattern: patternOfALook(failure) }, spec, []);
    const { best, chosen } = await diagnose(c, (await this.ports.knowledge()).families, this.ports.logger);
    const { advice } = chosen ?? best;
    const cause = chosen?.remedy ? `${chosen.cause}; grace up would ${chosen.remedy.description} (${chosen.remedy.tier})` : best.cause;
    return { cause, advice };
  }

  /** Whether the output of a component that is not ready yet already tells what to do. Looks, and stores nothing. */
  async isClear(spec: ComponentSpec, runner: ComponentRunner, stage: string, attempts: readonly string[]): Promise<boolean> {
    try {
      const failure = await this.observe(spec, stage, runner.problem('not_ready', 'not ready yet', 0), logOf(runner), '');
      const sinceMs = this.ports.clock.nowMs() - (runner.process?.launchedAtMs ?? this.ports.clock.nowMs());
      const isSilent = failure.facts.length === 0;
      if (isSilent && sinceMs < SILENCE_MS) return false;
      const c = await this.ports.caseFile({ failure, isNew: true, pattern: patternOfALook(failure) }, spec, attempts);
      // Without a word, only its own answer, or a file that is gone or cannot be read any more, speaks against patience.
      const answersBadly = /HTTP 5(?!03)\d\d/.test(runner.lastProbe);
      const isOverdue = await this.isOverdue(spec, sinceMs);
      const speaks = c.drift.some(
        (d) =>
          d.isBroken ||
          d.kind === 'env_key_changed' ||
          (d.kind === 'missing' && sinceMs > 2 * SILENCE_MS) ||
          (d.kind === 'changed' && (isOverdue || listensElsewhere(failure.context))),
      );
      if (isSilent && !speaks && !answersBadly) return false;
      const verdict = await diagnose(c, (await this.ports.knowledge()).families, this.ports.logger);
      // It says nothing at all, or it is up and says itself that it does not work: neither gets better by waiting.
      const isDecided = (answersBadly && sinceMs > SILENCE_MS) || (isSilent && sinceMs > 2 * SILENCE_MS);
      return verdict.chosen !== null && verdict.chosen.confidence >= (isOverdue ? GUESS : isDecided ? PLAUSIBLE : SURE);
    } catch (error) {
      this.ports.logger.warn('early look failed', { component: spec.name, error: messageOf(error) });
      return false;
    }
  }

  /**
   * What a component that is up says about itself, when that tells what would help: data it cannot decrypt, a file it may
   * not read. Many services go on without what they could not load.
   * @returns the line, or null
   */
  async complaintOf(spec: ComponentSpec, runner: ComponentRunner, stage: string): Promise<string | null> {
    try {
      const said = await this.ports.files.readRange(spec.logFile, runner.process?.logOffset ?? 0, COMPLAINT_BYTES);
      // Reading for facts loads all readers, which a good boot should not have to wait for.
      if (said === null || !COMPLAINING.test(new TextDecoder().decode(said))) return null;
      const failure = await this.observe(spec, stage, runner.problem('smoke', 'it is up', 0), logOf(runner), '');
      const facts = failure.facts.filter((f) => COMPLAINTS.has(f.kind));
      if (facts.length === 0) return null;
      const c = await this.ports.caseFile({ failure, isNew: true, pattern: patternOfALook(failure) }, spec, []);
      if (c.drift.length === 0) return null;
      const { chosen } = await diagnose(c, (await this.ports.knowledge()).families, this.ports.logger);
      const isMeant = chosen !== null && chosen.confidence >= SURE && facts.some((f) => chosen.evidence.includes(f.line));
      const isPutBack = chosen?.remedy?.steps.every((s) => PUTS_BACK.has(s.primitive)) ?? false;
      return isMeant && isPutBack ? (facts[0]?.line ?? null) : null;
    } catch (error) {
      this.ports.logger.warn('a look at what a component says failed', { component: spec.name, error: messageOf(error) });
      return null;
    }
  }

  /** It takes so much longer than when all was well that even a guess is better than more of the same. */
  private async isOverdue(spec: ComponentSpec, sinceMs: number): Promise<boolean> {
    if (sinceMs < OVERDUE_MS) return false;
    const usualMs = await this.ports.usualStartMs(spec.name);
    return usualMs !== null && sinceMs > OVERDUE_TIMES * usualMs;
  }
}

/** It listens, but not where it is expected. */
function listensElsewhere({ port, listens }: JsonObject): boolean {
  return typeof port === 'number' && Array.isArray(listens) && listens.length > 0 && !listens.includes(port);
}

/** The output of its present (or last) run. */
export function logOf(runner: ComponentRunner, to: number | null = null): LogPart | null {
  return runner.process === null ? null : { from: runner.process.logOffset, to };
}

/** What the component itself said to a probe. That nobody answered says nothing beyond the symptom. */
function spokenBy(problem: Problem): string {
  return problem.symptom === 'smoke' || /HTTP \d{3}/.test(problem.probeDetail) ? spokenAnswer(problem.probeDetail) : '';
}

/** For a look that stores nothing. */
function patternOfALook(failure: Failure): Captured['pattern'] {
  return {
    signature: failure.signature,
    incidentId: '' as Captured['pattern']['incidentId'],
    family: failure.family,
    component: failure.component,
    stage: failure.stage,
    familyName: null,
    template: '',
    rootCause: '',
    occurrences: 0,
    firstSeenMs: 0,
    lastSeenMs: 0,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
  };
}
