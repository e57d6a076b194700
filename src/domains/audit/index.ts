// Audit: who did what, in a log that anyone can check and nobody can quietly change. Entries are canonical JSON, leaves of
// a growing Merkle tree (RFC 6962) whose head is signed (C2SP checkpoint). Whoever holds a head can tell later whether
// anything before it was changed; a short proof shows that one entry is in it. Whoever holds the key can write another
// history and sign that: only a head held elsewhere shows it.
export { canonicalEntry, ENTRY_BYTES_MAX, type AuditDraft, type AuditEntry } from './entry.ts';
export {
  appendLeaf,
  consistencyProof,
  EMPTY_FRONTIER,
  frontierAt,
  frontierRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type Frontier,
  type Hash,
  type NodeAt,
  type TreeNode,
} from './merkle.ts';
export { checkpointText, parseCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts';
export { checkNote, parseNote, signNote, type NoteCheck, type NoteSignature, type SignedNote } from './signed-note.ts';
export {
  formatSignerKey,
  formatVerifierKey,
  isKeyName,
  parseSignerKey,
  parseVerifierKey,
  SEED_BYTES,
  signerKeyOf,
  type KeyAlgorithm,
  type SignerKey,
  type VerifierKey,
} from './keys.ts';
export { keyRotationEntry, nextKey } from './key-rotation.ts';
export { AuditNodeMissing, AuditTextMalformed, EntryRefused } from './errors.ts';
export type { AuditAppender, AuditReader, DroppedEntry, StoredEntry } from './ports.ts';
