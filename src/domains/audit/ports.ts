import type { AuditDraft } from './entry.ts';
import type { Hash } from './merkle.ts';

/** The bytes of an entry, or, where retention dropped them, what the tree still knows of it. */
export type StoredEntry = Uint8Array | DroppedEntry;

export interface DroppedEntry {
  readonly leafHash: Hash;
}

/** The hashes of its tree that a log keeps beside its entries. */
export interface KeptNodes {
  /** Whether the nodes of a level are kept; those of level 0, the leaves, are. */
  holds(level: number): boolean;
  /**
   * The hashes of nodes `first` to before `first + count` of a kept level, one after the other. What is missing, or is no hash, is 32
   * zero bytes; at the end, it is left out.
   */
  hashes(level: number, first: number, count: number): Promise<Uint8Array>;
}

/** A signed checkpoint as it is kept. */
export interface StoredCheckpoint {
  /** Under which it is filed; its own text has to say the same. */
  readonly size: number;
  readonly note: string;
}

/** Reads the log: from the store of a Grace, or from what was exported. */
export interface AuditReader {
  /** How many entries there are. */
  size(): Promise<number>;
  /**
   * Entries `from` to before `to`, in order, as they are stored; a few hundred at a time, so that reading takes little memory.
   * It ends early when there are fewer.
   */
  entries(from: number, to: number): AsyncIterable<readonly StoredEntry[]>;
  /** The first entry from this place on that lies there, whole or not; null when there is none. Left out where all are read in one go. */
  nextHeld?(place: number): Promise<number | null>;
  /** The root of a complete subtree, of level 0 the hash of a leaf; null when it is not there. */
  node(level: number, index: number): Promise<Hash | null>;
  /** The hash of a leaf as it is kept apart from its entry, null where it is missing. Left out where none is. */
  keptLeaf?(index: number): Promise<Hash | null>;
  /** Left out where the tree is made from the entries, or is checked elsewhere. */
  readonly kept?: KeptNodes;
  /** Signed checkpoints, the smallest first. */
  checkpoints(): AsyncIterable<StoredCheckpoint>;
  /** The signed checkpoint of the largest size; null when there is none. */
  latestCheckpoint(): Promise<string | null>;
  /** Verifier keys the log says to have, the first one first. Said by the log itself, so it proves nothing. */
  keys(): Promise<readonly string[]>;
}

/** Writes the log. */
export interface AuditAppender {
  /**
   * Resolves when the entry is on the disk: it survives `kill -9` and power loss from then on. Redact before.
   * @throws EntryRefused
   */
  append(draft: AuditDraft): Promise<{ readonly sequence: number }>;
}
