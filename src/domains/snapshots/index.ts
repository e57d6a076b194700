// Snapshots: how a component was before Grace changed it. Files and databases are copied, described and checked; a restore
// keeps what it overwrites, puts back what differs, and looks whether it is as it was. What was made since is never removed.
export { SnapshotDamaged, SnapshotNoRoom, SnapshotRefused, SnapshotsBusy, SnapshotTimeout } from './errors.ts';
export { SnapshotKeeper } from './keeper.ts';
export type {
  BringBack,
  DatabaseCopies,
  DatabasePlace,
  ItemComparison,
  ItemState,
  ObjectStore,
  Placement,
  RestoreOptions,
  RestoreResult,
  SnapshotLimits,
  SnapshotPorts,
  SnapshotRequest,
  SnapshotRetention,
  Snapshots,
} from './ports.ts';
export { labelOf } from './snapshot.ts';
export type { Contents, DatabaseProof, ItemTraits, LeftOut, Snapshot, SnapshotItem, SnapshotReason, PartProof } from './snapshot.ts';
