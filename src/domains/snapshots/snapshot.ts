/** Before what a snapshot was taken: a fix, a release rollback, or the restore of another snapshot. */
export type SnapshotReason = 'pre_heal' | 'pre_rollback' | 'pre_restore';

/** Of a component, as it was before something changed it. Contents are objects, named by digest and shared between snapshots. */
export interface Snapshot {
  /** `snap_…` */
  readonly id: string;
  /** Its folder below `storage/snapshots`: `pre_heal_<anomaly>_<time>`. */
  readonly folder: string;
  readonly component: string;
  readonly reason: SnapshotReason;
  readonly runId: string | null;
  readonly bootId: string | null;
  readonly signature: string | null;
  readonly playbook: string | null;
  readonly takenAtMs: number;
  readonly items: readonly SnapshotItem[];
  /** Of all contents, before they are encrypted and before what is shared is counted once. */
  readonly sizeBytes: number;
  /** What was asked for and is not in it. */
  readonly leftOut: readonly LeftOut[];
}

export interface LeftOut {
  /** A path, or the name of a database. */
  readonly what: string;
  readonly why: string;
}

export interface ItemTraits {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

export interface Contents {
  /** Keyed digest of the content, and the name of the object that holds it. */
  readonly digest: string;
  readonly sizeBytes: number;
}

export type SnapshotItem =
  | ({ readonly kind: 'file'; readonly path: string } & ItemTraits & Contents)
  | ({ readonly kind: 'directory'; readonly path: string } & ItemTraits)
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  /** It was asked for, and nothing was there: what stands there later was made since. */
  | { readonly kind: 'absent'; readonly path: string }
  | ({ readonly kind: 'sqlite'; readonly path: string; readonly proof: DatabaseProof } & ItemTraits & Contents)
  /** `name` is for people and for comparing: never with user or password. */
  | ({ readonly kind: 'postgres'; readonly name: string; readonly proof: DatabaseProof } & Contents);

/** What was in a database: enough to say later whether that is there again. */
export interface DatabaseProof {
  /** Sorted by name. */
  readonly parts: readonly PartProof[];
}

/** A table, a view or a type. */
export interface PartProof {
  /** `table accounts`; with its schema, where that is not the usual one. */
  readonly name: string;
  /** 0 for what has none of its own. */
  readonly rows: number;
  /** Digest of all that defines it: columns, constraints, indexes, triggers. */
  readonly definition: string;
  /** Checksum of all rows; empty where there are none. */
  readonly content: string;
}

/** What an item is called in lists and by `--only`. */
export function labelOf(item: SnapshotItem): string {
  return item.kind === 'postgres' ? item.name : item.path;
}

export function isDatabase(item: SnapshotItem): item is Extract<SnapshotItem, { kind: 'sqlite' | 'postgres' }> {
  return item.kind === 'sqlite' || item.kind === 'postgres';
}

/** The objects that a snapshot cannot do without. */
export function objectsOf(snapshot: Snapshot): readonly string[] {
  return snapshot.items.flatMap((item) => ('digest' in item ? [item.digest] : []));
}

/**
 * How a database differs from what was kept of it, in words; null when it holds the same. What was made since does not
 * count: a restore leaves it.
 */
export function proofDifference(kept: DatabaseProof, now: DatabaseProof): string | null {
  const present = new Map(now.parts.map((part) => [part.name, part]));
  for (const part of kept.parts) {
    const found = present.get(part.name);
    if (found === undefined) return `${part.name} is gone`;
    if (found.definition !== part.definition) return `${part.name} has another definition`;
    if (found.rows !== part.rows) return `${part.name} has ${found.rows} rows, had ${part.rows}`;
    if (found.content !== part.content) return `rows of ${part.name} have other values`;
  }
  return null;
}

/** What was made since. */
export function newParts(kept: DatabaseProof, now: DatabaseProof): readonly string[] {
  const known = new Set(kept.parts.map((part) => part.name));
  return now.parts.map((part) => part.name).filter((name) => !known.has(name));
}
