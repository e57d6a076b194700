import { basename, relative } from 'node:path';
import type { Risk } from '../governance/index.ts';
import type { Failure } from '../incidents/index.ts';
import type { RemedyStep } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { FingerprintChange } from './fingerprint-changes.ts';
import { isLock, type StateDifference } from './state-differences.ts';
import { LIKELY_WEIGHT, rankSuspects } from './suspects.ts';

/** What a person did about a failure, as far as it can be told from the difference it made. */
export interface Lesson {
  /** What of it Grace can do by itself; empty when nothing. */
  readonly steps: readonly RemedyStep[];
  /** Sentences, the most relevant first: `set REGION in .env`. Never a value of a variable. */
  readonly did: readonly string[];
  /** Of these, what no step does. */
  readonly byHand: readonly string[];
  readonly risk: Risk;
  /** How much the failure points at what was done, from 0 to 1. */
  readonly confidence: number;
}

export interface LessonInput {
  readonly failure: Failure;
  readonly component: ComponentSpec;
  readonly components: readonly ComponentSpec[];
  readonly differences: readonly StateDifference[];
  readonly touched: readonly string[] | null;
  readonly nowMs: number;
  /** Grace has mended something of this component since: then only what the failure points at is a person's doing. */
  readonly wasTreated: boolean;
  /** Whether the good copy of a file is kept. */
  hasCopy(path: string): boolean;
  /** Whether the primitive takes these parameters, and the path is the component's own. */
  isPossible(step: RemedyStep): boolean;
  /** Value of a variable that was set from outside, when it may be written into a playbook; null for secrets. */
  valueOf(name: string): string | null;
}

interface Judged {
  readonly difference: StateDifference;
  readonly weight: number;
  /** Null: no primitive does it. */
  readonly step: RemedyStep | null;
  readonly did: string;
}

/** Differences that nothing in the failure points at: up to here they are taken all the same, there is nothing else. */
const UNPOINTED_MAX = 3;
/** Less is what changes anyway. */
const WEIGHT_MIN = 0.2;
const PASSES_BY_ITSELF: ReadonlySet<Failure['symptom']> = new Set(['liveness', 'latency', 'memory', 'crash_loop']);
const STEPS_MAX = 12;
const DID_MAX = 8;
/** A dependency or a port that a person has to see to first. */
const WAIT_MS = 60_000;
/** What is undone last is done first: places, then files, then what reads them. */
const ORDER = ['make_directory', 'remove_stale_lock', 'restore_file', 'restore_permissions', 'add_env_keys', 'set_env_override', 'raise_heap_limit', 'raise_open_files', 'install_packages', 'rebuild_packages', 'start_dependency', 'wait_for_dependency', 'run_migrations', 'wait_for_port']; // prettier-ignore
const CODE = /\.(?:[cm]?[jt]sx?|py|rb|php|sh|lua)$/i;
const LOCKS_PACKAGES = /(?:lock|\.sum|shrinkwrap)(?:\.json|\.yaml)?$|^package\.json$/i;

/** @returns null when nothing is different that could have made the difference */
export function lessonFrom(input: LessonInput): Lesson | null {
  const judged = input.differences.map((difference) => judge(difference, input)).filter((j) => j.weight >= WEIGHT_MIN);
  if (judged.length === 0) return null;
  const sorted = judged.toSorted((a, b) => b.weight - a.weight);
  const pointedAt = sorted.filter((j) => j.weight >= LIKELY_WEIGHT);
  // What ails a service while it runs passes by itself too: then only what the failure points at is a reason.
  if (pointedAt.length === 0 && (input.wasTreated || PASSES_BY_ITSELF.has(input.failure.symptom))) return null;
  const taken = pointedAt.length > 0 ? pointedAt : sorted.length <= UNPOINTED_MAX ? sorted : [];
  const steps = merged(
    taken.flatMap((j) => (j.step === null ? [] : [j.step])),
    input,
  );
  const told = (taken.length > 0 ? taken : sorted).slice(0, DID_MAX);
  return {
    steps,
    did: [...new Set(told.map((j) => j.did))],
    byHand: [...new Set(told.filter((j) => j.step === null).map((j) => j.did))],
    risk: riskOf(steps),
    confidence: Math.round((taken[0]?.weight ?? 0) * 100) / 100,
  };
}

function riskOf(steps: readonly RemedyStep[]): Risk {
  const isCode = steps.some((s) => s.primitive === 'restore_file' && CODE.test(textOf(s, 'path')));
  return isCode || steps.some((s) => s.primitive === 'run_migrations') ? 'high' : 'medium';
}

function judge(difference: StateDifference, input: LessonInput): Judged {
  const { failure, component, touched, nowMs } = input;
  const change = changeOf(difference, component);
  const [suspect] = rankSuspects({ failure, component, changes: [change], drift: [], touched, now: null, nowMs });
  const weight = difference.kind === 'reachable' ? 0.9 : (suspect?.weight ?? 0);
  const proposed = stepFor(difference, input);
  const step = proposed !== null && input.isPossible(proposed) ? proposed : null;
  return { difference, weight, step, did: said(difference, component) };
}

/** In the terms in which changes are ranked. */
function changeOf(d: StateDifference, component: ComponentSpec): FingerprintChange {
  switch (d.kind) {
    case 'fingerprint':
      return d.change;
    case 'env_key':
      return { kind: 'env', subject: `${component.name}: ${d.key}`, change: d.change, detail: '' };
    case 'reachable':
      return { kind: 'port', subject: d.address, change: 'changed', detail: '' };
    case 'path':
      return {
        kind: d.aspect === 'traits' ? 'permission' : 'file',
        subject: d.path,
        change: d.aspect === 'made' ? 'added' : d.aspect === 'removed' ? 'removed' : 'changed',
        detail: '',
      };
  }
}

function stepFor(d: StateDifference, input: LessonInput): RemedyStep | null {
  const { component, components } = input;
  switch (d.kind) {
    case 'env_key': {
      if (d.change === 'removed') return null;
      const params = { file: d.file, keys: [d.key], from: 'last_good', ...(d.change === 'changed' ? { replace: true } : {}) };
      return { name: `set ${d.key} in ${shown(d.file, component)} as at the last good boot`, primitive: 'add_env_keys', params };
    }
    case 'reachable': {
      const at = d.address.lastIndexOf(':');
      const [host, port] = [d.address.slice(0, at), Number(d.address.slice(at + 1))];
      const dependency = components.find((c) => c.kind === 'dependency' && c.port === port && c.command.length > 0);
      return dependency === undefined
        ? { name: `wait for ${d.address}`, primitive: 'wait_for_dependency', params: { host, port, timeoutMs: WAIT_MS } }
        : { name: `start ${dependency.name}`, primitive: 'start_dependency', params: { name: dependency.name } };
    }
    case 'path':
      return stepForPath(d, input);
    case 'fingerprint':
      return stepForChange(d.change, input);
  }
}

function stepForPath(d: Extract<StateDifference, { kind: 'path' }>, input: LessonInput): RemedyStep | null {
  const { component } = input;
  const name = shown(d.path, component);
  // What Grace itself is told is read before it could be put back.
  if (basename(d.path).startsWith('grace.config.')) return null;
  if (d.aspect === 'traits')
    return { name: `give ${name} its owner and mode back`, primitive: 'restore_permissions', params: { path: d.path } };
  if (d.aspect === 'removed')
    return isLock(d.path) ? { name: `move ${name} aside`, primitive: 'remove_stale_lock', params: { path: d.path } } : null;
  if (d.now?.kind === 'directory')
    return d.aspect === 'made' ? { name: `make the directory ${name}`, primitive: 'make_directory', params: { path: d.path } } : null;
  if (d.now?.kind === 'file' && !input.hasCopy(d.path)) return null;
  return { name: `put ${name} back as it was at the last good boot`, primitive: 'restore_file', params: { path: d.path } };
}

function stepForChange({ kind, subject, detail }: FingerprintChange, input: LessonInput): RemedyStep | null {
  const { component, failure } = input;
  const isBuilt = failure.facts.some((f) => f.kind === 'native_module_broken' || f.kind === 'runtime_version_mismatch');
  switch (kind) {
    case 'package':
      return isBuilt && subject.endsWith('(installed at)')
        ? { name: 'build the packages anew', primitive: 'rebuild_packages', params: { directory: component.cwd } }
        : /^(?:npm|pnpm|yarn|pip|gem) /.test(subject)
          ? { name: 'install the packages of the lock file', primitive: 'install_packages', params: { directory: component.cwd } }
          : null;
    case 'env': {
      const name = subject.slice(component.name.length + 2);
      const value = input.valueOf(name);
      return value === null ? null : { name: `set ${name} for ${component.name}`, primitive: 'set_env_override', params: { name, value } };
    }
    case 'schema':
      // Pending then, and not any more.
      return subject === `${component.name}: pending migrations` && component.migrate.length > 0
        ? { name: 'run the migrations', primitive: 'run_migrations', params: {} }
        : null;
    case 'limit': {
      const to = Number(/-> (\d+)/.exec(detail)?.[1] ?? Number.NaN);
      const from = Number(/^(\d+)/.exec(detail)?.[1] ?? 0);
      if (!(to > from) || !subject.startsWith(`${component.name}: `)) return null;
      if (subject.endsWith(': open files')) return { name: `allow ${to} open files`, primitive: 'raise_open_files', params: { to } };
      return subject.endsWith(': heap MiB')
        ? { name: `allow a heap of ${to} MiB`, primitive: 'raise_heap_limit', params: { toMb: to } }
        : null;
    }
    case 'port': {
      const port = Number(/(\d+)$/.exec(subject)?.[1]);
      return detail.endsWith('nobody else')
        ? { name: `wait until port ${port} is free`, primitive: 'wait_for_port', params: { port, timeoutMs: WAIT_MS } }
        : null;
    }
    case 'command':
    case 'file':
    case 'machine':
    case 'git':
    case 'runtime':
    case 'disk':
    case 'mount':
    case 'certificate':
    case 'permission':
      return null;
  }
}

/** Steps of one kind that go together become one; the rest in the order in which they depend on each other. */
function merged(steps: readonly RemedyStep[], { component }: LessonInput): readonly RemedyStep[] {
  const out: RemedyStep[] = [];
  for (const step of steps) {
    if (out.some((s) => s.primitive === step.primitive && JSON.stringify(s.params) === JSON.stringify(step.params))) continue;
    const sameFile = (s: RemedyStep): boolean =>
      s.primitive === 'add_env_keys' &&
      step.primitive === 'add_env_keys' &&
      s.params['file'] === step.params['file'] &&
      s.params['replace'] === step.params['replace'];
    const at = out.findIndex(sameFile);
    const before = out[at];
    if (before === undefined) {
      out.push(step);
      continue;
    }
    const keys = [...(before.params['keys'] as string[]), ...(step.params['keys'] as string[])];
    const file = shown(textOf(step, 'file'), component);
    out[at] = { ...before, name: `set ${keys.join(', ')} in ${file} as at the last good boot`, params: { ...before.params, keys } };
  }
  return out.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, STEPS_MAX);
}

function textOf(step: RemedyStep, name: string): string {
  const value = step.params[name];
  return typeof value === 'string' ? value : '';
}

function rankOf(step: RemedyStep): number {
  // A lock file is there before the packages that it lists are installed.
  const isEarly = step.primitive === 'restore_file' && LOCKS_PACKAGES.test(basename(textOf(step, 'path')));
  return isEarly ? ORDER.indexOf('restore_file') - 0.5 : ORDER.indexOf(step.primitive);
}

/** What a person must have done, as one would say it. */
function said(d: StateDifference, component: ComponentSpec): string {
  switch (d.kind) {
    case 'env_key':
      return `${d.change === 'added' ? 'set' : d.change === 'removed' ? 'removed' : 'changed'} ${d.key} in ${shown(d.file, component)}`;
    case 'reachable':
      return `brought ${d.address} back`;
    case 'path': {
      const name = shown(d.path, component);
      if (d.aspect === 'traits') return `gave ${name} another owner or mode (${traits(d.before)} -> ${traits(d.now)})`;
      if (d.aspect === 'removed') return `removed ${name}`;
      const what = d.now?.kind === 'directory' ? `the directory ${name}` : name;
      return d.aspect === 'made' ? `made ${what}` : `changed ${what}`;
    }
    case 'fingerprint':
      return saidOfChange(d.change, component);
  }
}

function saidOfChange({ kind, subject, change, detail }: FingerprintChange, component: ComponentSpec): string {
  const name = subject.replace(`${component.name}: `, '');
  const from = detail === '' ? '' : ` (${detail})`;
  switch (kind) {
    case 'env':
      return `${change === 'removed' ? 'removed' : change === 'added' ? 'set' : 'changed'} ${name} in the environment`;
    case 'package':
      return name.endsWith('(installed at)')
        ? 'installed the packages anew'
        : `${change === 'removed' ? 'removed' : 'installed'} ${name}${from}`;
    case 'git':
      return subject === 'commit' ? `checked out another commit${from}` : `checked out another branch${from}`;
    case 'runtime':
      return `changed the version of ${name}${from}`;
    case 'schema':
      return name === 'pending migrations' ? `applied migrations${from}` : `changed the schema: ${name}`;
    case 'port':
      return `freed port ${/(\d+)$/.exec(subject)?.[1] ?? name}${from}`;
    case 'limit':
      return `changed the limit of ${name}${from}`;
    case 'disk':
      return `made room on ${name}${from}`;
    case 'mount':
      return `changed the mount ${name}${from}`;
    case 'certificate':
      return `put another certificate at ${shown(subject, component)}`;
    case 'command':
      return `changed the start command${from}`;
    case 'machine':
      return `changed the ${name}${from}`;
    case 'file':
    case 'permission':
      return `changed ${shown(subject, component)}`;
  }
}

function shown(path: string, component: ComponentSpec): string {
  const inside = relative(component.cwd, path);
  return inside === '' || inside.startsWith('../') ? path : inside;
}

function traits(trace: { readonly uid: number; readonly gid: number; readonly mode: number } | null): string {
  return trace === null ? '' : `${trace.uid}:${trace.gid} ${trace.mode.toString(8)}`;
}
