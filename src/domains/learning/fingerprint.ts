import type { JsonObject } from '../../kernel/index.ts';

/** What is known of one kind, by subject: `express` → `4.19.2`. */
export type Values = Readonly<Record<string, string>>;

/** What else a fingerprint looks at. A part that could not be looked at in time is left out, and is then not compared. */
export type FingerprintPart =
  /** `npm express` → version. */
  | 'packages'
  /** `commit`, `branch`, and `changed src/a.js` for what differs from the commit, with a keyed digest of it. */
  | 'git'
  /** `node` → version, of what the start commands use. */
  | 'runtimes'
  /** `open files`, `api: heap` … */
  | 'limits'
  /** `api: table orders` → digest of it; `api: column orders.total` → its type; `api: pending migrations` → their names. */
  | 'schema'
  /** Port of a component → who else listens there, or `nobody else`. */
  | 'ports'
  /** Mount point → how full it is, its class first: `room: 12.3 GiB free`. */
  | 'disks'
  /** Mount point → device, type and `ro` or `rw`. */
  | 'mounts'
  /** Path → subject, issuer, validity and fingerprint. */
  | 'certificates';

/** What the world looked like at a boot: names, versions and keyed digests, never values or contents. */
export interface Fingerprint {
  /** Per component: its command line. */
  readonly commands: Values;
  /** Per component and variable: keyed digest of the value. */
  readonly env: Readonly<Record<string, Values>>;
  /** Small files: path → digest. */
  readonly files: Values;
  /** Kernel, system, host, user, umask, time zone, locale. */
  readonly machine: Values;
  readonly parts: Readonly<Partial<Record<FingerprintPart, Values>>>;
}

/** What the store gives back is only as good as what was written; a boot of an older Grace may lack parts. */
export function fingerprintFrom(json: JsonObject): Fingerprint {
  const part = (key: string): Record<string, never> => (json[key] ?? {}) as Record<string, never>;
  const parts = part('parts') as Fingerprint['parts'];
  // Before there was a part for it, the commit stood among the traits of the machine.
  const { commit, ...machine } = part('machine') as Record<string, string>;
  return {
    commands: part('commands'),
    env: part('env'),
    files: part('files'),
    machine,
    parts: commit === undefined || parts.git !== undefined ? parts : { ...parts, git: { commit } },
  };
}
