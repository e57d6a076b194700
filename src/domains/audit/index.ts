// Audit: who did what, in a log that anyone can check and nobody can quietly change. Entries are canonical JSON, leaves of
// a growing Merkle tree (RFC 6962) whose head is signed (C2SP checkpoint). Whoever holds a head can tell later whether
// anything before it was changed; a short proof shows that one entry is in it. Whoever holds the key can write another
// history and sign that: only a head held elsewhere shows it.
export {
  canonicalEntry,
  ENTRY_BYTES_MAX,
  entryText,
  entryTooLarge,
  isTimestamp,
  type AuditDraft,
  type AuditEntry,
  type EntryText,
} from './entry.ts';
export {
  appendLeaf,
  areEqual,
  consistencyProof,
  EMPTY_FRONTIER,
  frontierAt,
  frontierRoot,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type Frontier,
  type Hash,
  type NodeAt,
  type TreeNode,
} from './merkle.ts';
export { checkpointText, parseCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts';
export { checkpointsIn } from './checkpoints-in.ts';
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
export { handoverIn, isRotation, keyRotationEntry } from './key-rotation.ts';
export {
  checkConsistencyProof,
  checkInclusionProof,
  formatConsistencyProof,
  formatInclusionProof,
  parseConsistencyProof,
  parseInclusionProof,
  type ConsistencyProof,
  type InclusionProof,
  type ProofCheck,
} from './proof.ts';
export { verifyLog, type Verification, type VerifyOptions } from './verify.ts';
export type { Finding, FindingKind } from './finding.ts';
export { NodeTable } from './node-table.ts';
export { readEntryBundle, runRoot, TILE_WIDTH, tilePath, tileRunOf, tileWidth } from './tiles.ts';
export { TileMaker, type TileFile } from './tile-maker.ts';
export { AuditExportRefused, AuditExportUnreadable, AuditNodeMissing, AuditTextMalformed, EntryRefused, LogTorn } from './errors.ts';
export type { AuditAppender, AuditReader, DroppedEntry, KeptNodes, StoredCheckpoint, StoredEntry } from './ports.ts';
export { AUDIT_ACTIONS, type AuditAction } from './actions.ts';
