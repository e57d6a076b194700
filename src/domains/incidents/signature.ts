import { basename } from 'node:path';
import { sha256Hex, signatureOf, type Signature } from '../../kernel/index.ts';
import type { Fact, Frame, OutputFacts } from './fact.ts';
import { isFixedPath, maskAddress, maskName, maskPath, maskText } from './masking.ts';
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
  /** The component's directory: paths below it are told relative to it, wherever it was checked out. Empty: not known. */
  readonly directory: string;
}

export interface SignatureResult {
  readonly family: string;
  readonly signature: Signature;
  /** What it is about, masked, for people. */
  readonly subject: string;
  /** What went into it, for `grace explain`. */
  readonly parts: readonly SignaturePart[];
}

/**
 * The identity of a failure at two levels: `family` is what kind it is (playbooks bind to it), `signature` is which one.
 * The deepest cause wins: the fact that names a code outranks the exception that wraps it.
 */
export function computeSignature(input: SignatureInput): SignatureResult {
  const { output, directory } = input;
  const cause = principalFact(output.facts);
  const subject = cause === null ? '' : subjectOf(cause, directory);
  const message = messageOf(cause, input);
  const values: Readonly<Record<SignaturePartName, string>> = {
    version: String(SIGNATURE_VERSION),
    component: input.component,
    runtime: runtimeOf(cause, output),
    kind: cause?.kind ?? 'unexplained',
    code: String(cause?.details['errno'] ?? cause?.code ?? ''),
    operation: String(cause?.details['syscall'] ?? ''),
    outcome: outcomeOf(cause, input),
    subject,
    message,
    place: cause !== null && namesItsObject(cause, directory) ? '' : placeOf(output.frames),
  };
  const family = [values.runtime, values.kind, values.code, values.operation, values.outcome].join('|');
  const parts = SIGNATURE_PART_NAMES.map((name) => ({ name, value: values[name] }));
  const digest = sha256Hex(parts.map((part) => `${part.name}=${part.value}`).join('\n'));
  return { family, signature: signatureOf(digest.slice(0, 16)), subject: shownSubject(cause, subject, message), parts };
}

/** How much a kind says about the cause: the higher, the deeper. */
const RANK: Partial<Record<Fact['kind'], number>> = {
  exception: 0,
  timeout: 1,
  connection_lost: 2,
  migration_failed: 2,
  config_invalid: 3,
  path_missing: 4,
};

/** The fact that most likely is the cause: the deepest kind, the deepest in its chain, the first. Null without facts. */
export function principalFact(facts: readonly Fact[]): Fact | null {
  let best: Fact | null = null;
  for (const fact of facts) if (best === null || isDeeper(fact, best)) best = fact;
  return best;
}

function isDeeper(fact: Fact, than: Fact): boolean {
  const rank = (RANK[fact.kind] ?? 5) - (RANK[than.kind] ?? 5);
  return rank > 0 || (rank === 0 && (fact.depth ?? 0) > (than.depth ?? 0));
}

/** Who failed, and who said so: the same words of SQLite from a Node and from a Python program are two failures. */
function runtimeOf(cause: Fact | null, output: OutputFacts): string {
  if (cause === null || cause.runtime === output.runtime || cause.runtime === 'unknown') return output.runtime;
  return output.runtime === 'unknown' || cause.runtime === 'grace' ? cause.runtime : `${output.runtime}/${cause.runtime}`;
}

/** A known cause is the same however the process ended; an exception can be, and silence is only how it ended. */
function outcomeOf(cause: Fact | null, { signal, exitCode, symptom }: SignatureInput): string {
  if (cause !== null && cause.kind !== 'exception') return '';
  const isUsual = signal === null ? exitCode === null || USUAL_CODES.has(exitCode) : signal === 'SIGABRT';
  if (cause !== null && isUsual) return '';
  if (signal !== null) return `signal:${signal}`;
  return exitCode === null ? symptom : `exit:${exitCode}`;
}

/** Shells add this to the number of the signal that ended a program. */
const SIGNALLED = 129;

/** What runtimes end with after an uncaught error: most with 1, Go 2, Rust 101, PHP 255, abort(3) in a shell 134. */
const USUAL_CODES: ReadonlySet<number> = new Set([0, 1, 2, 101, 134, 255]);

/** What runs out wherever somebody happens to want the last of it. */
const EXHAUSTED: ReadonlySet<Fact['kind']> = new Set([
  'out_of_memory',
  'too_many_open_files',
  'too_many_connections',
  'process_limit',
  'pool_exhausted',
  'memory_refused',
  'shared_memory_full',
  'watch_limit',
]);

/** Things that have a name in the code: the name says it all, in whatever words and from wherever it is missed. */
const CODE_NAMES: ReadonlySet<Fact['kind']> = new Set([
  'module_missing', 'export_missing', 'circular_import', 'env_missing', 'relation_missing', 'relation_exists', 'command_missing',
  'migration_pending', 'migration_failed',
]); // prettier-ignore

const PATHS: ReadonlySet<Fact['kind']> = new Set([
  'path_missing', 'permission_denied', 'read_only_file_system', 'not_a_directory', 'is_a_directory', 'disk_full',
  'too_many_open_files', 'data_corrupt', 'database_locked', 'lock_held', 'syntax_error', 'config_invalid', 'native_module_broken',
]); // prettier-ignore

const ADDRESSES: ReadonlySet<Fact['kind']> = new Set(['connection_refused', 'connection_lost', 'host_unresolved', 'timeout']);

/** Names that whoever installs the service chooses. */
const DEPLOYED: ReadonlySet<Fact['kind']> = new Set(['auth_failed', 'database_missing']);

function subjectOf({ kind, runtime, subject, details }: Fact, directory: string): string {
  if (kind === 'port_in_use' || kind === 'port_forbidden') return '<port>';
  if (subject === '') return '';
  const told = withoutDirectory(subject, directory);
  if (kind === 'relation_missing' || kind === 'relation_exists')
    return [details['object'], details['table'] === undefined ? relationOf(told, runtime) : `${details['table']}.${told}`].join(' ').trim();
  if (CODE_NAMES.has(kind)) return told.includes('/') ? maskText(told) : told;
  if (DEPLOYED.has(kind)) return maskName(told);
  if (ADDRESSES.has(kind)) return /[\s()]/.test(told) ? maskText(told) : told.includes('://') ? maskText(told) : maskAddress(told);
  if (PATHS.has(kind)) return /\s/.test(told) && !told.includes('/') ? maskText(told) : maskPath(told);
  return kind === 'exception' ? told : maskAnything(told);
}

/** For kinds whose subject can be a host, a file or a word. */
function maskAnything(subject: string): string {
  if (/\s/.test(subject) || subject.includes('://')) return maskText(subject);
  if (subject.includes('/')) return maskPath(subject);
  return HOST.test(subject) ? maskAddress(subject) : maskText(subject);
}

const HOST = /^(?:[\w-]{1,63}\.){0,8}[\w-]{1,63}:\d{2,5}$|^(?:[\w-]{1,63}\.){2,8}[a-z]{2,24}$|^[\d.]{7,15}$/;

/** MySQL puts the database before a table; which one is for whoever installs the service. */
function relationOf(name: string, runtime: Fact['runtime']): string {
  return runtime === 'mysql' ? name.replace(/^[^.]{1,128}(?=\.)/, maskName) : name;
}

/** Whether the subject alone says which failure of its kind it is; else the place in the code has to. */
function namesItsObject(cause: Fact, directory: string): boolean {
  if (cause.runtime === 'grace' || EXHAUSTED.has(cause.kind)) return true;
  if (cause.subject === '') return false;
  if (CODE_NAMES.has(cause.kind)) return true;
  return PATHS.has(cause.kind) && isFixedPath(withoutDirectory(cause.subject, directory));
}

function messageOf(cause: Fact | null, { output, exitCode, signal, directory }: SignatureInput): string {
  if (cause === null) {
    // abort(3) is preceded by its reason; who is ended by another signal or as if by one does not choose the words.
    const chose = signal === null ? exitCode !== null && exitCode < SIGNALLED : signal === 'SIGABRT';
    return maskText(withoutDirectory(output.headline || (chose ? (output.lastWords ?? '') : ''), directory));
  }
  if (cause.kind === 'exception') return maskText(withoutDirectory(String(cause.details['message'] ?? ''), directory));
  // Grace words its own facts, with what it saw this time.
  if (cause.runtime === 'grace' || cause.kind === 'too_many_connections') return '';
  // Which sentence it dies with is chance; which area of memory it is counts.
  if (cause.kind === 'out_of_memory') return String(cause.details['area'] ?? '');
  // Who says it is told by the stack, or else by the words.
  if (CODE_NAMES.has(cause.kind) && cause.subject !== '' && output.runtime !== 'unknown') return '';
  const said = withoutDirectory(cause.said ?? cause.line, directory);
  const subject = withoutDirectory(cause.subject, directory);
  return maskText(subject.length < 2 ? said : withoutSubject(said, subject));
}

/** With the folders that stand before it: a file is often named in full in the sentence, and by its name alone in the fact. */
function withoutSubject(said: string, subject: string): string {
  let rest = said;
  let told = '';
  for (let at = rest.indexOf(subject); at >= 0; at = rest.indexOf(subject)) {
    const before = rest.slice(0, at);
    told += `${before.endsWith('/') ? before.slice(0, startOfPath(before)) : before}<it>`;
    rest = rest.slice(at + subject.length);
  }
  return told + rest;
}

function startOfPath(text: string): number {
  let at = text.length;
  while (at > 0 && IN_PATH.test(text.charAt(at - 1))) at--;
  return at;
}

const IN_PATH = /[\w./@+%~-]/;

function withoutDirectory(text: string, directory: string): string {
  return directory === '' ? text : text.replaceAll(`${directory}/`, '');
}

/** The service's own code, without line numbers: they move with every edit. Without own code, the package that failed. */
function placeOf(frames: readonly Frame[]): string {
  const own = frames.find((frame) => !frame.inDependency);
  if (own) return `${maskName(basename(own.path))}#${own.function}`;
  return frames.find((frame) => frame.package !== null && !RUNTIMES_OWN.has(frame.package))?.package ?? '';
}

const RUNTIMES_OWN: ReadonlySet<string> = new Set(['node', 'python', 'java', 'go', 'ruby', 'dotnet', 'std', 'php']);

function shownSubject(cause: Fact | null, subject: string, message: string): string {
  if (cause === null) return message;
  if (cause.kind === 'exception') return message === '' ? subject : `${subject}: ${message}`;
  return subject === '' ? message : subject;
}
