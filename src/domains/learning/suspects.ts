import { basename, relative } from 'node:path';
import { cleanLines, type Fact, type Failure } from '../incidents/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Drift } from './drift.ts';
import type { FingerprintChange } from './fingerprint-changes.ts';
import type { Fingerprint } from './fingerprint.ts';

/** A change that may be why something fails. */
export interface Suspect extends FingerprintChange {
  /** 0 to 1. From `LIKELY_WEIGHT` on the failure itself points at it. */
  readonly weight: number;
  /** One sentence: what ties the change to the failure. */
  readonly reason: string;
}

export interface SuspectCase {
  readonly failure: Pick<Failure, 'facts' | 'frames' | 'output' | 'headline' | 'message'>;
  readonly component: Pick<ComponentSpec, 'name' | 'cwd' | 'command' | 'envFiles'>;
  readonly changes: readonly FingerprintChange[];
  /** What is known of the files beyond their digests. */
  readonly drift: readonly Drift[];
  /** What the commits between the two states touched, absolute; null when that is not known. */
  readonly touched: readonly string[] | null;
  /** What the world looks like now: a certificate runs out without being changed. */
  readonly now: Fingerprint | null;
  readonly nowMs: number;
}

/** From here on something in the failure points at the change; below, it only happened too. */
export const LIKELY_WEIGHT = 0.5;
/** More would be a list, not an answer. */
const SUSPECTS_MAX = 40;
/** Of an output, as much as is searched for the names of what changed. */
const SAID_CHARS_MAX = 60_000;

/** What changed, the most suspicious first, each with its reason. */
export function rankSuspects(c: SuspectCase): readonly Suspect[] {
  const look = lookAt(c);
  const drifted = new Set(c.drift.map((d) => d.subject));
  const files = new Set([...drifted, ...c.changes.flatMap((change) => (change.kind === 'file' ? [change.subject] : []))]);
  // What is known of a file says more than that git knows it too.
  const isToldBetter = ({ kind, subject }: FingerprintChange): boolean =>
    kind === 'file' ? drifted.has(subject) : kind === 'git' && files.has(subject.replace(/^changed /, ''));
  const suspects = [
    ...c.changes.filter((change) => !isToldBetter(change)).map((change) => judge(change, null, look)),
    ...c.drift.map((d) => judge(changeOf(d), d, look)),
    ...expired(look),
  ];
  const bySubject = new Map<string, Suspect>();
  for (const s of suspects) {
    // A variable is told of twice: by the env file it stands in, and by the environment it ends up in.
    const key = `${s.kind} ${s.kind === 'env' ? s.subject.replace(`${c.component.name}: `, '') : s.subject}`;
    if ((bySubject.get(key)?.weight ?? -1) < s.weight) bySubject.set(key, s);
  }
  return [...bySubject.values()].toSorted((a, b) => b.weight - a.weight).slice(0, SUSPECTS_MAX);
}

/** One line for people: what changed, and why it is suspicious. */
export function describeSuspect(s: Suspect): string {
  return `${describeChange(s)}: ${s.reason}`;
}

const KIND_WORD: Readonly<Record<FingerprintChange['kind'], string>> = {
  command: 'the command of ',
  env: 'variable ',
  file: '',
  machine: 'the ',
  package: 'package ',
  git: '',
  runtime: '',
  limit: 'limit ',
  schema: 'schema ',
  port: 'port ',
  disk: 'disk ',
  mount: 'mount ',
  certificate: 'certificate ',
  permission: '',
};

/** `package npm express 4.18.2 -> 4.19.0`; what says itself what it is stays as it is. */
export function describeChange(c: FingerprintChange): string {
  if ((c.kind === 'file' || c.kind === 'permission') && c.detail !== '') return plain(c.detail);
  const shown = c.kind === 'git' && c.subject.startsWith('changed ') ? `${c.subject.slice(8)} (not committed)` : c.subject;
  return plain(`${KIND_WORD[c.kind]}${shown} ${c.detail === '' ? c.change : c.detail}`);
}

/** A file may be called anything: what moves a terminal's cursor is left out. */
function plain(text: string): string {
  return cleanLines(text).join(' ');
}

function changeOf(d: Drift): FingerprintChange {
  const change = d.kind === 'missing' || d.kind === 'env_key_missing' ? 'removed' : d.kind === 'new' ? 'added' : 'changed';
  const kind = d.kind === 'owner' || d.kind === 'mode' ? 'permission' : d.kind.startsWith('env_key') ? 'env' : 'file';
  return { kind, subject: d.subject, change, detail: kind === 'env' ? '' : d.message };
}

/** The failure, prepared for questions. */
interface Look {
  readonly c: SuspectCase;
  readonly said: string;
  facts(...kinds: readonly Fact['kind'][]): readonly Fact[];
}

function lookAt(c: SuspectCase): Look {
  const { failure } = c;
  const said = [failure.headline, failure.message, ...failure.output].join('\n').slice(0, SAID_CHARS_MAX);
  return { c, said, facts: (...kinds) => failure.facts.filter((f) => kinds.includes(f.kind)) };
}

type Verdict = readonly [weight: number, reason: string];
const MODULE_KINDS = ['module_missing', 'export_missing', 'native_module_broken', 'circular_import'] as const;
const CONNECTION_KINDS = ['connection_refused', 'connection_lost', 'host_unresolved', 'timeout', 'not_ready_yet'] as const;
const SCHEMA_KINDS = ['relation_missing', 'relation_exists', 'migration_pending', 'migration_failed', 'database_missing'] as const;

function judge(change: FingerprintChange, drift: Drift | null, look: Look): Suspect {
  const [weight, reason] = verdictOn(change, drift, look);
  return { ...change, weight, reason };
}

function verdictOn(change: FingerprintChange, drift: Drift | null, look: Look): Verdict {
  switch (change.kind) {
    case 'file':
      return onFile(change.subject, drift, look);
    case 'permission':
      return onPermission(change.subject, look);
    case 'env':
      return onVariable(change, look);
    case 'command':
      return change.subject === look.c.component.name ? [0.6, 'it is what failed'] : [0.1, 'another component is started differently'];
    case 'machine':
      return onMachine(change.subject, look);
    case 'package':
      return onPackage(change, look);
    case 'git':
      return onGit(change, look);
    case 'runtime':
      return onRuntime(look);
    case 'limit':
      return onLimit(change.subject, look);
    case 'schema':
      return onSchema(change.subject, look);
    case 'port':
      return onPort(change.subject, look);
    case 'disk':
      return onDisk(change.detail, look);
    case 'mount':
      return onMount(change, look);
    case 'certificate':
      return look.facts('certificate_problem').length > 0
        ? [0.9, 'a certificate was not accepted, and this one is another']
        : [0.3, 'it is another certificate'];
  }
}

const LOCK_FILE = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|package\.json|requirements[^/]*\.txt|Pipfile(?:\.lock)?|poetry\.lock|uv\.lock|pyproject\.toml|Gemfile(?:\.lock)?|go\.(?:mod|sum)|Cargo\.(?:toml|lock)|composer\.(?:json|lock)|pom\.xml|build\.gradle(?:\.kts)?)$/; // prettier-ignore
const CODE = /\.(?:[cm]?[jt]sx?|py|rb|php|go|rs|java|kt|cs|ex|exs)$/i;
const DATA = /\.(?:db|sqlite3?|db3|rdb|aof|dat|csv|tsv|log)$/i;

function onFile(path: string, drift: Drift | null, look: Look): Verdict {
  const { component, failure } = look.c;
  if (drift?.isBroken) return [0.95, 'it was in order at the last good boot and is not now'];
  if (failure.frames.some((f) => isPath(f.path, path, component.cwd))) return [0.85, 'the error comes from this file'];
  if (failure.facts.some((f) => isPath(f.subject, path, component.cwd))) return [0.85, 'the failure is about this file'];
  if (names(look.said, path, component.cwd)) return [0.75, 'the output names it'];
  if (LOCK_FILE.test(path) && look.facts(...MODULE_KINDS).length > 0)
    return [0.7, 'a module is missing or broken, and it says which are wanted'];
  if (component.command.some((word) => isPath(word.split('=').at(-1) ?? word, path, component.cwd)))
    return [0.6, 'the start command names it'];
  if (component.envFiles.includes(path))
    return look.facts('env_missing', 'auth_failed', ...CONNECTION_KINDS).length > 0
      ? [0.6, 'it holds the variables of what failed']
      : [0.4, 'it holds the variables of the component'];
  if (drift?.kind === 'missing') return [0.4, 'it was there at the last good boot'];
  if (DATA.test(path)) return [0.1, 'data changes while a service works'];
  return CODE.test(path) ? [0.25, 'the code is another'] : [0.3, 'it changed since the last good boot'];
}

function onPermission(path: string, look: Look): Verdict {
  const denied = look.facts('permission_denied');
  if (denied.some((f) => isPath(f.subject, path, look.c.component.cwd) || f.subject.startsWith(`${path}/`)))
    return [0.95, 'access to it was denied'];
  if (denied.length > 0) return [0.6, 'access to something was denied'];
  return [0.2, 'owner or mode is another'];
}

function onVariable({ subject }: FingerprintChange, look: Look): Verdict {
  const [component, named] = subject.includes(': ') ? (subject.split(': ', 2) as [string, string]) : [look.c.component.name, subject];
  const name = named ?? subject;
  if (component !== look.c.component.name) return [0.1, 'it belongs to another component'];
  if (look.facts('env_missing').some((f) => f.subject === name)) return [0.95, 'it is what is missed'];
  if (isWord(look.said, name)) return [0.85, 'the output names it'];
  if (look.facts('auth_failed').length > 0 && /USER|PASS|PWD|SECRET|TOKEN|KEY|URL|URI|DSN|AUTH|CREDENTIAL/i.test(name))
    return [0.75, 'a login was refused, and this is part of logins'];
  if (look.facts(...CONNECTION_KINDS).length > 0 && /URL|URI|HOST|PORT|ADDR|DSN|ENDPOINT|BROKER|SERVER|PROXY/i.test(name))
    return [0.75, 'a connection failed, and it says where to'];
  if (name === 'PATH')
    return look.facts('command_missing', ...MODULE_KINDS).length > 0
      ? [0.8, 'something is not found, and it says where to look']
      : [0.15, 'every shell has its own'];
  if (/^(?:LANG|LC_|PYTHONIOENCODING|PYTHONUTF8)/.test(name) && look.facts('encoding_error').length > 0)
    return [0.8, 'it decides about the encoding'];
  if (name === 'NODE_OPTIONS' && look.facts('out_of_memory').length > 0) return [0.7, 'it may limit the memory'];
  if (name === 'TZ' && speaksOfDates(look.said)) return [0.7, 'the output speaks of dates'];
  if (/^(?:NODE_PATH|PYTHONPATH|GEM_|BUNDLE_|VIRTUAL_ENV|CLASSPATH|GOPATH)/.test(name) && look.facts(...MODULE_KINDS).length > 0)
    return [0.75, 'it says where modules are'];
  if (name.endsWith('PORT') && look.facts('port_in_use', 'port_forbidden').length > 0) return [0.75, 'the port could not be had'];
  return [0.3, 'it has another value than at the last good boot'];
}

function onMachine(subject: string, look: Look): Verdict {
  if (subject === 'time zone')
    return speaksOfDates(look.said) ? [0.7, 'the output speaks of dates'] : [0.2, 'the machine has another time zone'];
  if (subject === 'locale')
    return look.facts('encoding_error').length > 0 ? [0.8, 'it decides about the encoding'] : [0.15, 'the locale is another'];
  if (subject === 'user' || subject === 'umask')
    return look.facts('permission_denied').length > 0 ? [0.7, 'access to something was denied'] : [0.3, 'Grace was started differently'];
  if (subject === 'host name')
    return look.facts('host_unresolved').length > 0 ? [0.5, 'a name could not be resolved'] : [0.3, 'it is another machine'];
  return [0.2, 'the machine is another'];
}

function onPackage({ subject, change }: FingerprintChange, look: Look): Verdict {
  const name = subject.slice(subject.indexOf(' ') + 1);
  const isIt = (text: string): boolean => text === name || text.startsWith(`${name}/`) || sameModule(text, name);
  const missed = look.facts(...MODULE_KINDS);
  if (missed.some((f) => isIt(f.subject) || isIt(String(f.details['module'] ?? ''))))
    return [change === 'removed' ? 0.95 : 0.9, change === 'removed' ? 'it is what is missed' : 'it is what could not be used'];
  if (look.c.failure.frames.some((f) => f.package !== null && isIt(f.package))) return [0.8, 'the error comes from inside it'];
  if (name === '(installed at)')
    return missed.length > 0 ? [0.6, 'a module is missing or broken'] : [0.1, 'the packages were installed again'];
  if (name.length > 3 && isWord(look.said, name)) return [0.6, 'the output names it'];
  if (missed.length > 0) return [0.5, 'a module is missing or broken'];
  return [0.25, 'another version is installed'];
}

function onGit({ subject }: FingerprintChange, look: Look): Verdict {
  const { component, failure, touched } = look.c;
  if (subject.startsWith('changed ')) return onFile(subject.slice('changed '.length), null, look);
  if (subject !== 'commit') return [0.3, 'another branch is checked out'];
  const inStack = touched?.find((path) => failure.frames.some((f) => !f.inDependency && isPath(f.path, path, component.cwd)));
  if (inStack !== undefined) return [0.9, `it touched ${short(inStack, component.cwd)}, where the error comes from`];
  const inFacts = touched?.find((path) => failure.facts.some((f) => isPath(f.subject, path, component.cwd)));
  if (inFacts !== undefined) return [0.85, `it touched ${short(inFacts, component.cwd)}, which the failure is about`];
  const named = touched?.find((path) => names(look.said, path, component.cwd));
  if (named !== undefined) return [0.75, `it touched ${short(named, component.cwd)}, which the output names`];
  const lock = look.facts(...MODULE_KINDS).length > 0 ? touched?.find((path) => LOCK_FILE.test(path)) : undefined;
  if (lock !== undefined) return [0.7, `it touched ${short(lock, component.cwd)}, and a module is missing or broken`];
  const migration = look.facts(...SCHEMA_KINDS).length > 0 ? touched?.find((path) => /migrat/i.test(path)) : undefined;
  if (migration !== undefined) return [0.7, `it touched ${short(migration, component.cwd)}, and the schema does not fit`];
  return touched !== null && touched.length === 0 ? [0.2, 'it touched no file'] : [0.4, 'the code is another'];
}

function onRuntime(look: Look): Verdict {
  if (look.facts('runtime_version_mismatch', 'native_module_broken').length > 0) return [0.9, 'something was built for another version'];
  if (look.facts('syntax_error', 'export_missing').length > 0) return [0.6, 'what one version understands, another may not'];
  return [0.4, 'the service runs on another version'];
}

function onLimit(subject: string, look: Look): Verdict {
  if (/open files/.test(subject))
    return look.facts('too_many_open_files').length > 0 ? [0.9, 'no more files could be opened'] : [0.2, 'it is another limit'];
  if (/memory|heap|stack/.test(subject))
    return look.facts('out_of_memory').length > 0 || /SIGKILL|out of memory|stack (?:size )?exceeded/i.test(look.said)
      ? [0.9, 'the memory did not suffice']
      : [0.2, 'it is another limit'];
  if (/processes/.test(subject) && /EAGAIN|cannot fork|resource temporarily unavailable|can't start new thread/i.test(look.said))
    return [0.85, 'no more processes could be started'];
  return [0.2, 'it is another limit'];
}

function onSchema(subject: string, look: Look): Verdict {
  const label = /: (?:table|column) (.+)$/.exec(subject)?.[1] ?? '';
  const facts = look.facts(...SCHEMA_KINDS);
  const parts = label.split('.');
  const isNamed = (text: string): boolean =>
    text === label ||
    (text !== '' &&
      parts.includes(
        text
          .replace(/^public\./, '')
          .split('.')
          .at(-1) ?? text,
      ));
  if (label !== '' && facts.some((f) => isNamed(f.subject))) return [0.95, 'it is what the database misses or has already'];
  if (subject.endsWith('pending migrations') && facts.length > 0) return [0.8, 'the schema does not fit, and migrations are pending'];
  if (facts.length > 0) return [0.6, 'the schema does not fit'];
  if (label.length > 3 && isWord(look.said, parts.at(-1) ?? label)) return [0.6, 'the output names it'];
  return [0.25, 'the schema is another'];
}

function onPort(subject: string, look: Look): Verdict {
  const port = /(\d+)$/.exec(subject)?.[1] ?? '';
  const taken = look.facts('port_in_use', 'port_forbidden');
  if (taken.some((f) => f.subject === port || f.subject.endsWith(`:${port}`) || f.subject === '<port>'))
    return [0.95, 'the port could not be had'];
  return taken.length > 0 ? [0.6, 'a port could not be had'] : [0.35, 'somebody else listens there'];
}

function onDisk(detail: string, look: Look): Verdict {
  const isFull = detail.includes('-> full');
  const isTight = isFull || detail.includes('-> nearly full');
  if (look.facts('disk_full').length > 0) return [isFull ? 0.95 : isTight ? 0.85 : 0.6, 'there was no room left on a disk'];
  return isTight ? [0.45, 'it has hardly any room left'] : [0.1, 'it has room'];
}

function onMount({ subject, change, detail }: FingerprintChange, look: Look): Verdict {
  const isReadOnly = /-> .*\bro\b/.test(detail);
  if (look.facts('read_only_file_system').length > 0) return [isReadOnly ? 0.95 : 0.6, 'something could not be written'];
  const below = look.facts('path_missing', 'not_a_directory').some((f) => `${f.subject}/`.startsWith(`${subject === '/' ? '' : subject}/`));
  if (below && change !== 'added') return [0.9, 'what is missing lay on it'];
  return isReadOnly ? [0.5, 'it is read-only now'] : [0.3, 'it is mounted differently'];
}

/** A certificate that ran out since, without anybody having changed it. */
function expired(look: Look): readonly Suspect[] {
  if (look.facts('certificate_problem').length === 0) return [];
  return Object.entries(look.c.now?.parts.certificates ?? {}).flatMap(([subject, value]): readonly Suspect[] => {
    const until = /valid \S+ to ([^\s,]+)/.exec(value)?.[1];
    if (until === undefined || !(Date.parse(until) < look.c.nowMs)) return [];
    return [
      {
        kind: 'certificate',
        subject,
        change: 'changed',
        detail: `ran out at ${until}`,
        weight: 0.95,
        reason: 'a certificate was not accepted',
      },
    ];
  });
}

/** The same path, however it was written: absolute, relative to the component, as a file URL. */
function isPath(written: string, path: string, cwd: string): boolean {
  if (written === '') return false;
  const plain = written.replace(/^file:\/\//, '').replace(/^\.\//, '');
  return (
    plain === path || plain === relative(cwd, path) || (plain.startsWith('/') ? false : path.endsWith(`/${plain}`) && plain.includes('/'))
  );
}

function names(said: string, path: string, cwd: string): boolean {
  const name = basename(path);
  return said.includes(path) || said.includes(relative(cwd, path)) || (name.length > 3 && isWord(said, name));
}

/** Whether a text holds a name as a word of its own; found without building a pattern from what may be hostile. */
function isWord(said: string, name: string): boolean {
  if (name === '') return false;
  for (let at = said.indexOf(name); at >= 0; at = said.indexOf(name, at + 1)) {
    const [before, after] = [said[at - 1] ?? ' ', said[at + name.length] ?? ' '];
    if (!/[\w-]/.test(before) && !/[\w-]/.test(after)) return true;
  }
  return false;
}

/** Python and Ruby spell the package and the module differently. */
function sameModule(text: string, name: string): boolean {
  const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_.]/g, '_');
  return text !== '' && plain(text.split(/[./]/)[0] ?? text) === plain(name);
}

function speaksOfDates(said: string): boolean {
  return /\btime ?zones?\b|\btz\b|\bUTC\b|\bdate(?:s|time)?\b|\boffset-(?:naive|aware)\b|\bDST\b/i.test(said);
}

function short(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside.startsWith('../') ? path : inside;
}
