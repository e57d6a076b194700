import type { GraceConfig } from './config/index.ts';

/** A configuration as it is remembered: its values only as digests that nobody else can make. */
export interface ConfigDigests {
  readonly whole: string;
  /** By path, such as `components.api.port`: what was set, by whomever. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Of a value that tells it from others of the same key: 64 bits. */
const KEY_DIGEST_CHARS = 16;
/** Names told in one entry. */
const NAMES_MAX = 100;

export function configDigests(config: GraceConfig, digest: (text: string) => string): ConfigDigests {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (part instanceof Map ? [...part] : part)) ?? 'undefined';
  return {
    whole: digest(text({ ...config, provenance: null })),
    keys: Object.fromEntries(
      [...config.provenance].map(([path, { value }]) => [path, digest(`${path} ${text(value)}`).slice(0, KEY_DIGEST_CHARS)]),
    ),
  };
}

/** @param stored  as JSON; an older Grace has kept the digest of the whole alone. @returns null where there is none */
export function readConfigDigests(stored: string | null): ConfigDigests | null {
  if (stored === null) return null;
  return stored.startsWith('{') ? (JSON.parse(stored) as ConfigDigests) : { whole: stored, keys: {} };
}

/** Names of what was set, changed or taken away, without values; empty where it is not known how it was before. */
export function changedKeys(before: ConfigDigests | null, now: ConfigDigests): readonly string[] {
  if (before === null || Object.keys(before.keys).length === 0) return [];
  const paths = new Set([...Object.keys(before.keys), ...Object.keys(now.keys)]);
  return [...paths]
    .filter((path) => before.keys[path] !== now.keys[path])
    .toSorted()
    .slice(0, NAMES_MAX);
}
