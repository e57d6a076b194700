import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { nodeIds } from '../../adapters/node/ids.ts';
import type { OpenedStore } from '../../adapters/store/index.ts';
import { reportedFailure } from '../../domains/boot/index.ts';
import { propose } from '../../domains/healing/index.ts';
import { cleanLines, mergedInto, type Failure, type Pattern } from '../../domains/incidents/index.ts';
import { generatePlaybookSource, observe, portableSteps, record, type Captured } from '../../domains/learning/index.ts';
import type { ComponentSpec, Problem } from '../../domains/supervisor/index.ts';
import { messageOf, type BootId, type JsonObject, type Logger } from '../../kernel/index.ts';
import { NOTHING_RUNS } from '../../runtime/policy.ts';
import { compose, type Composed } from '../../runtime/compose.ts';
import type { GraceConfig } from '../../runtime/config/index.ts';
import { NO_BOOT } from '../../runtime/cut-off.ts';
import { knowledge } from '../../runtime/load-knowledge.ts';
import { IncidentUnknown, InputInvalid, NoRemedy } from './errors.ts';
import type { FailureInput, GeneratedPlaybook, RecordedFailure } from './contract.ts';

export interface WorkshopOptions {
  readonly config: GraceConfig;
  readonly store: OpenedStore;
  /** Whether a Grace looks after the service now. */
  readonly isBesideGrace: () => boolean;
}

/** Where failures are read and playbooks are written: everything that takes a tenth of a second to load. */
export interface Workshop {
  record(input: FailureInput): Promise<RecordedFailure>;
  generate(incident: string, write: boolean): Promise<GeneratedPlaybook>;
  close(): Promise<void>;
}

/** Read of what a program wrote: its beginning and its end. */
const OUTPUT_CHARS_MAX = 128 * 1024;
const STAGE_CHARS_MAX = 80;

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export async function openWorkshop(options: WorkshopOptions): Promise<Workshop> {
  const { config, store } = options;
  const composed = await compose({
    config,
    store,
    environment: process.env,
    bootId: NO_BOOT,
    emit: () => undefined,
    logger: SILENT,
    signal: new AbortController().signal,
    // What a Grace beside this one runs is well kept, and nothing here starts or ends anything.
    isDryRun: true,
    policy: NOTHING_RUNS,
    policyFiles: [],
    home: config.dataDir,
  });
  // A Grace that runs has read the folder; without one, what people wrote counts all the same.
  if (!options.isBesideGrace()) await composed.core.syncPlaybooks();
  return new LibraryWorkshop(options, composed);
}

class LibraryWorkshop implements Workshop {
  private readonly options: WorkshopOptions;
  private readonly composed: Composed;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: WorkshopOptions, composed: Composed) {
    this.options = options;
    this.composed = composed;
  }

  async close(): Promise<void> {
    await this.composed.close();
  }

  /** One after the other: each reads how often a pattern was seen, and counts on from there. */
  record(input: FailureInput): Promise<RecordedFailure> {
    const recorded = this.turn.then(() => this.recordNow(input));
    this.turn = recorded.catch(() => undefined);
    return recorded;
  }

  private async recordNow(input: FailureInput): Promise<RecordedFailure> {
    const said = checked(input);
    const spec = componentOf(this.options.config, input.component);
    // Tells the redactor what the component is started with, and what its env files hold.
    await this.composed.launchOf(spec);
    const { incidents, groupingRules, templates, redactor } = this.composed;
    const problem: Problem = {
      symptom: input.exitCode === undefined ? 'check' : 'exit',
      // Redacted before it is cut: half a secret is recognised by nobody.
      message: cleanLines(redactor.redact(said.message))[0] ?? 'it failed',
      exit: input.exitCode === undefined ? null : { exitCode: input.exitCode, signal: null },
      spawnCode: null,
      afterMs: null,
      probeDetail: '',
      vitals: null,
    };
    const capture = {
      clock: nodeClock,
      ids: nodeIds,
      files: nodeFiles,
      redactor,
      readFacts: async (lines: readonly string[]) => (await knowledge()).readFacts(lines),
      incidents,
      groupingRules,
      templates,
    };
    const failure = await observe(
      {
        bootId: await this.presentBoot(),
        stage: said.stage,
        component: spec,
        problem,
        log: null,
        saidElsewhere: said.output,
        // The first line of an output may be anything.
        toldAs: input.error === undefined && !input.message ? '' : problem.message,
        facts: [],
        context: said.context,
      },
      capture,
    );
    const captured = await record(failure, capture);
    const { explanation, playbook } = await this.propose(captured, spec);
    const told = redactor.redactDeep(reportedFailure(explanation, captured.pattern.incidentId));
    return {
      incident: captured.pattern.incidentId,
      isNew: captured.isNew,
      signature: captured.failure.signature,
      cause: told.cause,
      suggestedPlaybook: playbook,
      explanation: told,
    };
  }

  async generate(incident: string, write: boolean): Promise<GeneratedPlaybook> {
    const { pattern, failure } = await this.latest(incident);
    const spec = componentOf(this.options.config, failure.component);
    await this.composed.launchOf(spec);
    const captured: Captured = { failure, pattern, isNew: false };
    const { verdict, registered } = await this.propose(captured, spec);
    const own = registered === null ? null : sourceOf(registered.file);
    if (registered !== null && own !== null) return { name: registered.name, source: own, file: registered.file };
    const shown = verdict.chosen;
    if (shown?.remedy === undefined || shown.remedy === null) throw new NoRemedy(incident, verdict.best.cause, verdict.best.advice);
    if (!write) {
      const source = generatePlaybookSource(shown.remedy.playbook, shown, failure, pattern, portableSteps(shown.remedy.steps, spec));
      return { name: shown.remedy.playbook, source: this.composed.redactor.redact(source), file: null };
    }
    const written = await this.composed.healer.remedies.find(captured, spec, shown, shown.remedy);
    await this.composed.incidents.savePattern({
      ...pattern,
      familyName: shown.family,
      rootCause: shown.cause,
      playbook: written.registered.name,
    });
    return { name: written.registered.name, source: sourceOf(written.registered.file) ?? '', file: written.registered.file };
  }

  private propose(captured: Captured, spec: ComponentSpec): ReturnType<typeof propose> {
    const { incidents, playbooks, caseFile } = this.composed;
    return propose(captured, spec, {
      incidents,
      playbooks,
      knowledge,
      caseFile,
      logger: SILENT,
      projectDir: this.options.config.projectDir,
    });
  }

  /** @throws IncidentUnknown */
  private async latest(incident: string): Promise<{ readonly pattern: Pattern; readonly failure: Failure }> {
    const { incidents, groupingRules } = this.composed;
    const named = await incidents.patternByIncident(incident);
    const pattern = named === null ? null : await incidents.pattern(mergedInto(named.signature, await groupingRules.list()));
    const [failure] = pattern === null ? [] : await incidents.failuresLike(pattern.signature, 1);
    if (pattern === null || failure === undefined) throw new IncidentUnknown(incident);
    return { pattern, failure };
  }

  /** While a Grace looks after the service, what happens belongs to the boot it is in. */
  private async presentBoot(): Promise<BootId> {
    if (!this.options.isBesideGrace()) return NO_BOOT;
    return (await this.composed.boots.list(1))[0]?.id ?? NO_BOOT;
  }
}

interface Said {
  readonly stage: string;
  /** One line, not redacted and not cut yet. */
  readonly message: string;
  readonly output: string;
  readonly context: JsonObject;
}

/** @throws InputInvalid */
function checked(input: FailureInput): Said {
  // A service in JavaScript has no types that keep it from calling with nothing, while it handles a failure of its own.
  const { stage, component, error, message, output, exitCode, context = {} } = (input as FailureInput | null | undefined) ?? { stage: '' };
  const place = typeof stage === 'string' ? cleanLines(stage.slice(0, STAGE_CHARS_MAX)).join(' ').trim() : '';
  if (place === '')
    throw new InputInvalid(
      'a failure needs a stage: where in the life of the service it happened',
      "recordFailure({ stage: 'Import orders', error })",
    );
  if (component !== undefined && !COMPONENT.test(component))
    throw new InputInvalid('a component is named with letters, digits, dots, dashes and underscores', 'use its name in grace.config.ts');
  if (error === undefined && (message ?? '') === '' && (output ?? '') === '')
    throw new InputInvalid('a failure needs an error, a message or an output', 'recordFailure({ stage, error }) with what was thrown');
  for (const [name, value] of Object.entries({ message, output }))
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw new InputInvalid(`${name} is no text`, 'give what was thrown as error, and plain data as context');
  if (exitCode !== undefined && !Number.isInteger(exitCode))
    throw new InputInvalid('exitCode is no whole number', 'leave it out for what did not end');
  const thrown =
    error === undefined ? '' : inspect(error, { depth: 4, colors: false, maxStringLength: OUTPUT_CHARS_MAX, maxArrayLength: 20 });
  const text = [thrown === '' ? (message ?? '') : thrown, output ?? ''].filter((part) => part !== '').join('\n');
  return {
    stage: place,
    message: firstLine(message ?? (error === undefined ? (output ?? '') : messageOf(error))),
    output: bothEnds(text),
    context: plain(context),
  };
}

/** As in a configuration. */
const COMPONENT = /^[A-Za-z0-9][\w.-]{0,62}$/;

/** Where a part was cut out of a line half a secret may stand: that line is left out. */
function bothEnds(text: string): string {
  if (text.length <= OUTPUT_CHARS_MAX * 2) return text;
  const [head, tail] = [text.slice(0, OUTPUT_CHARS_MAX), text.slice(-OUTPUT_CHARS_MAX)];
  const [end, start] = [head.lastIndexOf('\n'), tail.indexOf('\n')];
  // A line this long is cut to its beginning in any case.
  return `${end < 0 ? head : head.slice(0, end)}\n${start < 0 ? '' : tail.slice(start + 1)}`;
}

function plain(context: JsonObject): JsonObject {
  try {
    return JSON.parse(JSON.stringify(context)) as JsonObject;
  } catch (error) {
    throw new InputInvalid(
      `the context cannot be stored: ${messageOf(error)}`,
      'give plain data: text, numbers, lists and objects of them',
    );
  }
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}

/** The one that is named, also when the configuration has no such component: then it lives where the service does. */
function componentOf({ components, name, dataDir }: GraceConfig, asked: string | undefined): ComponentSpec {
  const processes = components.filter((c) => c.kind === 'process');
  const wanted =
    asked ??
    processOf(process.env['GRACE_MARK']) ??
    (processes.length === 1 ? processes[0]?.name : undefined) ??
    (COMPONENT.test(name) ? name : 'service');
  const found = components.find((c) => c.name === wanted);
  if (found !== undefined) return found;
  const [like] = processes;
  if (like === undefined) throw new InputInvalid('the configuration has no component', 'name one in grace.config.ts');
  return {
    ...like,
    name: wanted,
    command: [],
    port: null,
    dependsOn: [],
    requiredEnv: [],
    migrate: [],
    readiness: null,
    liveness: null,
    startup: null,
    logFile: join(dataDir, 'logs', `${wanted}.log`),
  };
}

/** Grace marks what it starts with its installation and the component. */
function processOf(mark: string | undefined): string | undefined {
  const name = mark?.split('/')[1];
  return name === undefined || name === '' || name.startsWith('.') ? undefined : name;
}

function sourceOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null; // gone, or one that ships with Grace and has no file
  }
}
