import { basename } from 'node:path';
import { sha256Hex, signatureOf, type Signature } from '../../kernel/index.ts';
import type { Fact, Frame, OutputFacts } from './fact.ts';
import { SIGNATURE_PART_NAMES, type SignaturePart, type SignaturePartName } from './signature-parts.ts';

/** Raised whenever the same failure would get another signature: older patterns then keep theirs under the old number. */
const SIGNATURE_VERSION = 2;

export interface SignatureInput {
  readonly component: string;
  readonly output: OutputFacts;
  /** Exit code of the process, or null. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** How it was noticed: `exit`, `not_ready`, `smoke`, `liveness` … */
  readonly symptom: string;
  /** The component's directory: paths below it are told relative to it, wherever it was checked out. */
  readonly directory: string;
}

export interface SignatureResult {
  readonly family: string;
  readonly signature: Signature;
  readonly subject: string;
  /** What went into it, for `grace explain`. */
  readonly parts: readonly SignaturePart[];
}

/**
 * The identity of a failure at two levels: `family` is what kind it is (playbooks bind to it), `signature` is which one.
 * The deepest cause wins: the fact that names a code outranks the exception that wraps it.
 */
export function computeSignature(input: SignatureInput): SignatureResult {
  const cause = principalFact(input.output.facts);
  const frame = input.output.frames.find((f) => !f.inDependency) ?? null;
  const outcome = cause ? '' : input.signal ? `signal:${input.signal}` : input.exitCode !== null ? `exit:${input.exitCode}` : input.symptom;
  const subject =
    cause && cause.subject !== ''
      ? maskSubject(cause, input.directory)
      : maskLine(input.output.headline.replaceAll(`${input.directory}/`, ''));
  const values: Readonly<Record<SignaturePartName, string>> = {
    version: String(SIGNATURE_VERSION),
    component: input.component,
    runtime: cause?.runtime ?? input.output.runtime,
    kind: cause?.kind ?? 'unexplained',
    code: cause?.code ?? '',
    operation: '',
    outcome,
    subject,
    message: '',
    place: frame === null || (cause !== null && !FRAME_MATTERS.has(cause.kind)) ? '' : `${basename(frame.path)}#${frame.function}`,
  };
  const family = [values.runtime, values.kind, values.code, values.outcome].join('|');
  const parts = SIGNATURE_PART_NAMES.map((name) => ({ name, value: values[name] }));
  const digest = sha256Hex(parts.map((part) => `${part.name}=${part.value}`).join('\n'));
  return { family, signature: signatureOf(digest.slice(0, 16)), subject, parts };
}

/** For a failure that names its object, the place in the code adds nothing but differences between versions. */
const FRAME_MATTERS: ReadonlySet<Fact['kind']> = new Set(['exception', 'timeout', 'unawaited']);

/** How much a kind says about the cause: the higher, the deeper. */
const DEPTH: Partial<Record<Fact['kind'], number>> = {
  exception: 0,
  timeout: 1,
  connection_lost: 2,
  migration_failed: 2,
  config_invalid: 3,
  path_missing: 4,
};

/** The fact that most likely is the cause: the deepest kind, the first of its kind. Null without facts. */
export function principalFact(facts: readonly Fact[]): Fact | null {
  let best: Fact | null = null;
  for (const fact of facts) if (best === null || (DEPTH[fact.kind] ?? 5) > (DEPTH[best.kind] ?? 5)) best = fact;
  return best;
}

/** Ports and addresses change between machines; names are the failure. */
function maskSubject(fact: Fact, directory: string): string {
  if (fact.kind === 'port_in_use' || fact.kind === 'port_forbidden') return '<port>';
  if (fact.kind === 'exception')
    return `${fact.subject}: ${maskLine(String(fact.details['message'] ?? '').replaceAll(`${directory}/`, ''))}`;
  return maskPaths(maskLine(fact.subject.replaceAll(`${directory}/`, '')));
}

/** A path keeps its last two parts: the rest depends on where the service was checked out. */
function maskPaths(text: string): string {
  return text.replace(/(?<![\w.@~+-])(?:\/[\w.@~+-]+){2,}/g, (path) => path.split('/').slice(-2).join('/'));
}

/** Times, ids, addresses, pids and numbers out; quoted identifiers stay, since they are the fix. */
export function maskLine(line: string): string {
  // Paths first: a release directory that is a number would otherwise split them.
  return maskPaths(line.slice(0, 512))
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>')
    .replace(/\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b/g, '<time>')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replace(/\b0x[0-9a-f]+\b/gi, '<hex>')
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b/gi, '<hex>')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<addr>')
    .replace(/(?<![\w"'`])\d+(?:\.\d+)?(?![\w"'`])/g, '<n>')
    .replace(/:\d{2,5}\b/g, ':<n>')
    .trim();
}

/** The same frame whatever the line it moved to. */
export function frameName(frame: Frame): string {
  return `${basename(frame.path)} in ${frame.function || '(top level)'}`;
}
