import type { Clock, Files, Ids, JsonObject } from '../../kernel/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Contents, DatabaseProof, ItemTraits, LeftOut, Snapshot, SnapshotItem, SnapshotReason } from './snapshot.ts';

export interface SnapshotRequest {
  readonly reason: SnapshotReason;
  readonly runId: string | null;
  readonly bootId: string | null;
  readonly signature: string | null;
  readonly playbook: string | null;
  /** Files and directories that are about to be changed, absolute or from the component's directory. */
  readonly paths: readonly string[];
  /** Whether the component's database is about to be changed. */
  readonly databases: boolean;
  /** Anything else that tells why, for `anomaly.json`; it is redacted. */
  readonly anomaly?: JsonObject;
  readonly progress?: (text: string) => void;
}

export interface RestoreOptions {
  /** Items at or below these paths, and databases of these names; all of them when left out. */
  readonly only?: readonly string[];
  /** Also while the component runs: databases then go through their own locks, files are replaced as a whole. */
  readonly whileRunning?: boolean;
  readonly progress?: (text: string) => void;
}

export interface RestoreResult {
  /** What was put back. */
  readonly restored: readonly string[];
  /** What was asked for is there again, looked at afterwards. */
  readonly verified: boolean;
  /** What is not as it was, or was made since and is left there. */
  readonly left: readonly LeftOut[];
  /** The snapshot of what was overwritten; null when nothing had to be. */
  readonly before: Snapshot | null;
}

export type ItemState = 'same' | 'differs' | 'missing' | 'new' | 'unknown';

/** One item beside what is there now. */
export interface ItemComparison {
  readonly item: SnapshotItem;
  readonly state: ItemState;
  /** How it differs; empty when it does not. */
  readonly how: string;
}

/** Snapshots of components: taken before Grace changes something, and put back when undo was not enough. */
export interface Snapshots {
  /**
   * What cannot be kept is named in `leftOut`; whoever asked decides whether that is enough.
   * @throws SnapshotNoRoom, SnapshotsBusy; the reason of the signal. Nothing is left of a snapshot that was not finished.
   */
  take(component: ComponentSpec, request: SnapshotRequest, signal: AbortSignal): Promise<Snapshot>;
  /** Newest first. */
  list(): Promise<readonly Snapshot[]>;
  /** By id or by folder. */
  get(id: string): Promise<Snapshot | null>;
  compare(id: string, signal: AbortSignal, only?: readonly string[]): Promise<readonly ItemComparison[]>;
  /**
   * Everything is decrypted and checked, and what would be overwritten is kept, before the first change.
   * @throws SnapshotUnknown, SnapshotDamaged, SnapshotComponentRuns, SnapshotRefused, SnapshotNoRoom: nothing was changed
   */
  restore(id: string, signal: AbortSignal, options?: RestoreOptions): Promise<RestoreResult>;
  /** Removes what the limits no longer keep, and contents that nobody names. @returns ids of the removed snapshots */
  prune(): Promise<readonly string[]>;
}

/** Contents by digest: private, encrypted, each one once. */
export interface ObjectStore {
  /** Follows no link. @throws when the file changes while it is read, or is none */
  put(path: string, signal: AbortSignal): Promise<Contents>;
  /** Writes the content to a new private file. @throws SnapshotDamaged when it is not what its name says */
  extract(digest: string, to: string, signal: AbortSignal): Promise<void>;
  /** Of a file that is not in here. */
  digestOf(path: string, signal: AbortSignal): Promise<string>;
  /** Bytes on the disk, by digest. */
  stored(): Promise<ReadonlyMap<string, number>>;
  remove(digest: string): Promise<void>;
}

/** Works on what stands at a path, and on nothing that somebody put in the place of one of its folders meanwhile. */
export interface Placement {
  /**
   * Opens the folder of a path, following no link that came since.
   * @param isAllowed  judges the real path of what was opened; throws when it must not be touched
   * @param work       gets the path to use while it runs
   * @param make       whether the folder is made where it is missing
   */
  anchored<T>(path: string, isAllowed: (real: string) => Promise<unknown>, work: (at: string) => Promise<T>, make: boolean): Promise<T>;
  /** Puts a finished file in its place: whole or not at all, with owner, mode and time. */
  place(from: string, to: string, traits: ItemTraits): Promise<void>;
  /** Gives a directory its owner and mode. @throws when it is a link or no directory by now */
  own(directory: string, traits: ItemTraits): Promise<void>;
}

export type DatabasePlace =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly name: string; readonly component: string };

export interface BringBack {
  /** Of a SQLite file, when it has to be made anew. */
  readonly traits: ItemTraits | null;
  /** False when what is there could not be copied: it is then moved aside when it is damaged, and never written over. */
  readonly isKept: boolean;
}

/** The databases of components, copied and brought back by the means of their own engine. */
export interface DatabaseCopies {
  isSqlite(path: string): Promise<boolean>;
  /** Of paths beside which a process has the log or the journal of a SQLite database open, also one that was removed, the process. */
  logHolders(paths: readonly string[]): Promise<ReadonlyMap<string, number>>;
  locate(component: ComponentSpec): Promise<DatabasePlace | null>;
  sizeBytes(place: DatabasePlace, signal: AbortSignal): Promise<number>;
  /** A consistent copy while others write, as a file, and what is in it. */
  copy(place: DatabasePlace, to: string, signal: AbortSignal): Promise<DatabaseProof>;
  proof(place: DatabasePlace, signal: AbortSignal): Promise<DatabaseProof>;
  /** As a whole or not at all. */
  bringBack(place: DatabasePlace, from: string, how: BringBack, signal: AbortSignal): Promise<void>;
}

/** How long snapshots are kept: the first limit that is reached counts. */
export interface SnapshotRetention {
  readonly count: number;
  readonly ageMs: number;
  /** Of the objects on the disk. */
  readonly bytes: number;
}

export interface SnapshotLimits {
  readonly databases: 'touched' | 'always' | 'never';
  readonly databaseBytesMax: number;
  readonly keep: SnapshotRetention;
}

export interface SnapshotPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly files: Files;
  readonly objects: ObjectStore;
  readonly placement: Placement;
  readonly databases: DatabaseCopies;
  readonly limits: SnapshotLimits;
  /** `storage/snapshots` */
  readonly dir: string;
  /** Directories of Grace itself: never part of a snapshot. */
  readonly ownDirs: readonly string[];
  component(name: string): ComponentSpec | null;
  isRunning(component: string): boolean;
  /** @throws when the path lies outside the component's directories */
  confine(path: string, component: ComponentSpec): Promise<string>;
  /** Env files, config files, and what the configuration names. */
  declaredFiles(component: ComponentSpec): Promise<readonly string[]>;
  /** Runs that are not finished: their snapshots stay. */
  unfinishedRuns(): Promise<ReadonlySet<string>>;
  /** One at a time, on this machine. @throws SnapshotsBusy */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  redact<T>(value: T): T;
}
