import type { Fingerprint, FingerprintPart, Values } from './fingerprint.ts';

/** One difference between two fingerprints. */
export interface FingerprintChange {
  readonly kind:
    | 'command'
    | 'env'
    | 'file'
    | 'machine'
    | 'package'
    | 'git'
    | 'runtime'
    | 'limit'
    | 'schema'
    | 'port'
    | 'disk'
    | 'mount'
    | 'certificate'
    | 'permission';
  /** `npm express`, `api: DB_HOST`, `/etc/app.pem`. */
  readonly subject: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Before and after, only where it is harmless: a version, a limit, a commit. Never the value of a variable. */
  readonly detail: string;
}

const KIND_OF_PART: Readonly<Record<FingerprintPart, FingerprintChange['kind']>> = {
  packages: 'package',
  git: 'git',
  runtimes: 'runtime',
  limits: 'limit',
  schema: 'schema',
  ports: 'port',
  disks: 'disk',
  mounts: 'mount',
  certificates: 'certificate',
};

/** What one of the two boots was not asked about is no change. */
export function compareFingerprints(before: Fingerprint, now: Fingerprint): readonly FingerprintChange[] {
  const changes: FingerprintChange[] = [];
  const compare = (kind: FingerprintChange['kind'], a: Values, b: Values, prefix: string, shows: (key: string) => boolean): void => {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const [was, is] = [a[key], b[key]];
      if (was === is || (kind === 'disk' && classOf(was) === classOf(is))) continue;
      const change = was === undefined ? 'added' : is === undefined ? 'removed' : 'changed';
      const detail = shows(key) ? `${was ?? '(none)'} -> ${is ?? '(none)'}` : '';
      changes.push({ kind, subject: `${prefix}${key}`, change, detail });
    }
  };
  const always = (): boolean => true;
  const never = (): boolean => false;
  compare('machine', known(before.machine, now.machine), known(now.machine, before.machine), '', always);
  compare('command', before.commands, now.commands, '', always);
  for (const [part, kind] of Object.entries(KIND_OF_PART) as [FingerprintPart, FingerprintChange['kind']][]) {
    const [a, b] = [before.parts[part], now.parts[part]];
    if (a === undefined || b === undefined) continue;
    // What differs from the commit was not looked at by an older Grace.
    if (part === 'git' && isCommitOnly(a)) compare(kind, a, { commit: b['commit'] ?? '' }, '', always);
    else compare(kind, a, b, '', (key) => !isDigest(part, key));
  }
  for (const component of new Set([...Object.keys(before.env), ...Object.keys(now.env)]))
    compare('env', before.env[component] ?? {}, now.env[component] ?? {}, `${component}: `, never);
  compare('file', before.files, now.files, '', never);
  return changes;
}

/** Traits that an older Grace did not write down are not new. */
function known(values: Values, other: Values): Values {
  const isOld = (v: Values): boolean => v['kernel'] === undefined;
  if (isOld(values) === isOld(other)) return values;
  const both = Object.keys(values).filter((key) => other[key] !== undefined);
  return Object.fromEntries(both.map((key) => [key, values[key] ?? '']));
}

function isCommitOnly(git: Values): boolean {
  return Object.keys(git).length === 1 && git['commit'] !== undefined;
}

/** Digests say that something changed and nothing else. */
function isDigest(part: FingerprintPart, key: string): boolean {
  return (part === 'git' && key.startsWith('changed ')) || (part === 'schema' && key.includes(': table '));
}

/** How full a disk is in words; the figures behind it are never the same twice. */
function classOf(value: string | undefined): string | undefined {
  return value?.split(':')[0];
}
