import type { BootId, Clock, Files, Ids, JsonObject, Signature } from '../../kernel/index.ts';
import {
  cleanLines,
  computeSignature,
  groupFailure,
  incidentIdOf,
  mergedInto,
  mergePatterns,
  LINE_CHARS_MAX,
  nextPatternState,
  READ_LINES_MAX,
  windowOf,
  type Fact,
  type FactReader,
  type Failure,
  type GroupingRuleStore,
  type IncidentStore,
  type Pattern,
  type Redactor,
} from '../incidents/index.ts';
import { nameByTemplate, type NamedByTemplate, type TemplateStore } from './template-names.ts';
import type { ComponentSpec, Problem } from '../supervisor/index.ts';

/** Read from each end of a run's output: the first error line matters as much as the last. */
const END_BYTES = 96 * 1024;

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
  /** What happened, in the words of whoever reports it: the headline where the output has none. */
  readonly toldAs?: string;
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
  readonly templates: TemplateStore;
}

/** What is needed to read a failure, without storing it. */
export type ReadingPorts = Omit<CapturePorts, 'incidents' | 'groupingRules' | 'templates'>;

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
  const read = await ports.readFacts(windowOf([...lines, ...said], READ_LINES_MAX));
  const output = { ...read, headline: read.headline || (input.toldAs ?? '') };
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

/** What is needed to store one. */
export type RecordingPorts = Pick<CapturePorts, 'incidents' | 'groupingRules' | 'templates'>;

/**
 * Stores a failure. Known: occurrence and last seen go up. New: an incident is opened, unless the same statement is known to
 * have said it before with other words. Where a person's rules put it with others, or apart from them, they decide.
 */
export async function record(observed: Failure, ports: RecordingPorts): Promise<Captured> {
  const { incidents } = ports;
  const named = await nameByTemplate(observed, observed.signature, ports.templates);
  if (named !== null) await mergeAlike(observed, named, ports);
  const { signature, rules, absorbed, alike } = groupFailure(observed, await ports.groupingRules.list());
  const grouping = rules.length === 0 ? {} : { grouping: { own: observed.signature, rules: rules.map((r) => r.id) } };
  const failure: Failure = { ...observed, signature, ...grouping };
  await incidents.saveFailure(failure);
  let isNew = false;
  const pattern = await incidents.changePattern(signature, (known) => {
    isNew = known === null;
    return known === null ? openedBy(failure, named) : seenAgain(known, failure.atMs, named);
  });
  for (const merged of absorbed)
    await incidents.changePattern(merged, (known) => (known === null ? null : seenAgain(known, failure.atMs, null)));
  return { failure, pattern: pattern ?? openedBy(failure, named), isNew, alike };
}

/** Whose rule it is when Grace found that two failures are one. A person can take it back like any other. */
const GRACE = 'grace';

/**
 * What one statement said counts as one from now on, on the oldest of them. Groups of lines are only ever merged whole, so
 * this is never contradicted later; what a person decided about any of them stands.
 */
async function mergeAlike(observed: Failure, named: NamedByTemplate, ports: RecordingPorts): Promise<void> {
  const { incidents, groupingRules } = ports;
  const rules = [...(await groupingRules.list())];
  const isRuled = (signature: Signature): boolean => rules.some((r) => r.signature === signature);
  const patterns: Pattern[] = [];
  for (const signature of named.alike) {
    const pattern = await incidents.pattern(mergedInto(signature, rules));
    if (pattern !== null && !isRuled(pattern.signature) && !patterns.some((p) => p.signature === pattern.signature)) patterns.push(pattern);
  }
  let into = patterns.toSorted((a, b) => a.firstSeenMs - b.firstSeenMs)[0];
  if (into === undefined || isRuled(observed.signature)) return;
  const own = await incidents.pattern(observed.signature);
  // Not counted yet: that is done to it, and to what it counts on, with the rule in place.
  if (own === null) await incidents.savePattern({ ...openedBy(observed, named), occurrences: 0 });
  const others = [...patterns, own ?? { ...openedBy(observed, named), occurrences: 0 }];
  for (const from of others) {
    if (from.signature === into.signature || mergedInto(from.signature, rules) === into.signature) continue;
    // One signature has one rule at most: its name is enough.
    const decision = { id: `alike_${from.signature}`, by: GRACE, atMs: observed.atMs, reason: `one statement said it: ${named.template}` };
    const merged = mergePatterns(from, into, rules, decision);
    await groupingRules.save(merged.rule, [merged.into]);
    rules.push(merged.rule);
    into = merged.into;
  }
}

function openedBy(failure: Failure, named: NamedByTemplate | null): Pattern {
  return {
    signature: failure.signature,
    incidentId: incidentIdOf(failure.stage, failure.signature),
    family: failure.family,
    component: failure.component,
    stage: failure.stage,
    familyName: null,
    template: named?.template ?? (failure.subject === '' ? failure.message : `${failure.family.split('|')[1] ?? ''}: ${failure.subject}`),
    rootCause: '',
    occurrences: 1,
    firstSeenMs: failure.atMs,
    lastSeenMs: failure.atMs,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
  };
}

function seenAgain(pattern: Pattern, atMs: number, named: NamedByTemplate | null): Pattern {
  return {
    ...pattern,
    template: named?.template ?? pattern.template,
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
