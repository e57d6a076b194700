import type { JsonObject } from '../../kernel/index.ts';

/** What the world looked like at a boot: names and digests, never values. */
export interface Fingerprint {
  /** Per component: its command line. */
  readonly commands: Readonly<Record<string, string>>;
  /** Per component and variable: keyed digest of the value. */
  readonly env: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Small files: path → digest. */
  readonly files: Readonly<Record<string, string>>;
  /** Versions, limits, commit. */
  readonly machine: Readonly<Record<string, string>>;
}

export interface FingerprintChange {
  readonly kind: 'command' | 'env' | 'file' | 'machine';
  readonly subject: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly detail: string;
}

export function compareFingerprints(before: Fingerprint, now: Fingerprint): readonly FingerprintChange[] {
  const changes: FingerprintChange[] = [];
  const compare = (
    kind: FingerprintChange['kind'],
    a: Readonly<Record<string, string>>,
    b: Readonly<Record<string, string>>,
    prefix: string,
    showValues: boolean,
  ): void => {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (a[key] === b[key]) continue;
      const change = a[key] === undefined ? 'added' : b[key] === undefined ? 'removed' : 'changed';
      const detail = showValues ? `${a[key] ?? '(none)'} -> ${b[key] ?? '(none)'}` : '';
      changes.push({ kind, subject: `${prefix}${key}`, change, detail });
    }
  };
  compare('machine', before.machine, now.machine, '', true);
  compare('command', before.commands, now.commands, '', true);
  for (const component of new Set([...Object.keys(before.env), ...Object.keys(now.env)]))
    compare('env', before.env[component] ?? {}, now.env[component] ?? {}, `${component}: `, false);
  compare('file', before.files, now.files, '', false);
  return changes;
}

/** What the store gives back is only as good as what was written; a boot of an older Grace may lack parts. */
export function fingerprintFrom(json: JsonObject): Fingerprint {
  const part = (key: string): Record<string, never> => (json[key] ?? {}) as Record<string, never>;
  return { commands: part('commands'), env: part('env'), files: part('files'), machine: part('machine') };
}
