import type { BootId, Clock, Files, Ids, JsonObject, Signature } from '../../kernel/index.ts';
import {
  cleanLines,
  computeSignature,
  groupFailure,
  incidentIdOf,
  LINE_CHARS_MAX,
  nextPatternState,
  windowOf,
  type Fact,
  type FactReader,
  type Failure,
  type GroupingRuleStore,
  type IncidentStore,
  type Pattern,
  type Redactor,
} from '../incidents/index.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';

/** Read from each end of a run's output: the first error line matters as much as the last. */
const END_BYTES = 96 * 1024;

/** Read for facts from each end: of ordinary lines all that `END_BYTES` holds, of lines with two letters not. */
const READ_LINES_MAX = 2000;

/** A part of a log file in bytes; `to` null reaches to its end. */
export interface LogPart {
  readonly from: number;
  readonly to: number | null;
}

export interface CaptureInput {
  readonly bootId: BootId;
  readonly stage: string;
  readonly component: ComponentSpec;
  readonly problem: Problem;
  /** Where this run's output is in the component's log; null when it has none (a check, a start command). */
  readonly log: LogPart | null;
  /** Text that belongs to the failure but is in no log: what a smoke test or a start command said. */
  readonly saidElsewhere: string;
  /** Facts that Grace itself found out. */
  readonly facts: readonly Fact[];
  readonly context: JsonObject;
}

export interface CapturePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly files: Files;
  readonly redactor: Redactor;
  /** Loaded when the first failure needs it. */
  readFacts(lines: readonly string[]): Promise<ReturnType<FactReader>>;
  readonly incidents: IncidentStore;
  readonly groupingRules: GroupingRuleStore;
}

/** What is needed to read a failure, without storing it. */
export type ReadingPorts = Omit<CapturePorts, 'incidents' | 'groupingRules'>;

export interface Captured {
  readonly failure: Failure;
  readonly pattern: Pattern;
  readonly isNew: boolean;
  /** Signatures that people made one with it: a playbook for any of them is for all. */
  readonly alike?: readonly Signature[];
}

/** Reads what is there into a failure, without storing anything. Output is cut to size and redacted before anything else. */
export async function observe(input: CaptureInput, ports: ReadingPorts): Promise<Failure> {
  const { clock, ids, redactor } = ports;
  const lines = await outputOf(input, ports);
  const said = cleanLines(redactor.redact(input.saidElsewhere));
  const output = await ports.readFacts(windowOf([...lines, ...said], READ_LINES_MAX));
  const facts = [...input.facts, ...output.facts];
  const problem = input.problem;
  const signed = computeSignature({
    component: input.component.name,
    output: { ...output, facts },
    exitCode: problem.exit?.exitCode ?? null,
    signal: problem.exit?.signal ?? null,
    symptom: problem.symptom,
    directory: input.component.cwd,
  });
  return redactor.redactDeep({
    id: ids.next('f'),
    bootId: input.bootId,
    atMs: clock.nowMs(),
    stage: input.stage,
    component: input.component.name,
    symptom: problem.symptom,
    message: problem.message,
    exitCode: problem.exit?.exitCode ?? null,
    signal: problem.exit?.signal ?? null,
    output: windowOf([...lines, ...said]),
    headline: output.headline,
    subject: signed.subject,
    facts,
    frames: output.frames,
    family: signed.family,
    signature: signed.signature,
    signatureParts: signed.parts,
    afterMs: problem.afterMs,
    context: {
      ...input.context,
      probe: problem.probeDetail,
      spawnCode: problem.spawnCode,
      ...(problem.vitals === null ? {} : { vitals: { ...problem.vitals } }),
    },
  });
}

/**
 * Stores a failure. Known: occurrence and last seen go up. New: an incident is opened. Where a person's rules put it with
 * others, or apart from them, they decide.
 */
export async function record(observed: Failure, ports: Pick<CapturePorts, 'incidents' | 'groupingRules'>): Promise<Captured> {
  const { incidents } = ports;
  const { signature, rules, absorbed, alike } = groupFailure(observed, await ports.groupingRules.list());
  const grouping = rules.length === 0 ? {} : { grouping: { own: observed.signature, rules: rules.map((r) => r.id) } };
  const failure: Failure = { ...observed, signature, ...grouping };
  await incidents.saveFailure(failure);
  let isNew = false;
  const pattern = await incidents.changePattern(signature, (known) => {
    isNew = known === null;
    return known === null ? openedBy(failure) : seenAgain(known, failure.atMs);
  });
  for (const merged of absorbed) await incidents.changePattern(merged, (known) => (known === null ? null : seenAgain(known, failure.atMs)));
  return { failure, pattern: pattern ?? openedBy(failure), isNew, alike };
}

function openedBy(failure: Failure): Pattern {
  return {
    signature: failure.signature,
    incidentId: incidentIdOf(failure.stage, failure.signature),
    family: failure.family,
    component: failure.component,
    stage: failure.stage,
    familyName: null,
    template: failure.subject === '' ? failure.message : `${failure.family.split('|')[1] ?? ''}: ${failure.subject}`,
    rootCause: '',
    occurrences: 1,
    firstSeenMs: failure.atMs,
    lastSeenMs: failure.atMs,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
  };
}

function seenAgain(pattern: Pattern, atMs: number): Pattern {
  return {
    ...pattern,
    ...nextPatternState(pattern, 'recurred'),
    occurrences: pattern.occurrences + 1,
    lastSeenMs: Math.max(atMs, pattern.lastSeenMs),
  };
}

async function outputOf(input: CaptureInput, ports: ReadingPorts): Promise<readonly string[]> {
  if (input.log === null) return [];
  const { files, redactor } = ports;
  const path = input.component.logFile;
  const present = (await files.stat(path))?.sizeBytes ?? 0;
  const size = Math.min(present, input.log.to ?? present);
  // The log may have been rotated under it: then everything in it is newer than the start.
  const from = size < input.log.from ? 0 : input.log.from;
  const head = await files.readRange(path, from, Math.min(END_BYTES, size - from));
  const tailFrom = Math.max(from + END_BYTES, size - END_BYTES);
  const tail = size > tailFrom ? await files.readRange(path, tailFrom, size - tailFrom) : null;
  const decoder = new TextDecoder();
  let parts = [decoder.decode(Buffer.concat([head, tail].flatMap((part) => part ?? [])))];
  if (tailFrom > from + END_BYTES) {
    const [first, last] = [head, tail].map((part) => (part === null ? '' : decoder.decode(part))) as [string, string];
    // Where a part was cut out of a line, half a secret may stand: that line is left out.
    parts = [
      first.slice(0, first.lastIndexOf('\n') + 1 || LINE_CHARS_MAX),
      last.slice(last.indexOf('\n') + 1 || last.length - LINE_CHARS_MAX),
    ];
  }
  const lines = parts.flatMap((part) => cleanLines(redactor.redactKnown(part)));
  return redactor
    .redact(lines.join('\n'))
    .split('\n')
    .filter((line) => line !== '');
}
