import { sha256Hex } from '../../kernel/index.ts';
import type { Snapshot, SnapshotReason } from './snapshot.ts';

const FORMAT = 1;

/** The text of `metadata.json`. It names contents by digest and holds none of them. */
export function writeManifest(snapshot: Snapshot): string {
  const { folder: _, ...body } = snapshot;
  return `${JSON.stringify({ format: FORMAT, digest: digestOf(body), snapshot: body }, null, 2)}\n`;
}

/** @returns null when it is not, byte for byte in meaning, what was written; then nothing in it can be relied on */
export function readManifest(text: string, folder: string): Snapshot | null {
  try {
    const read = JSON.parse(text) as { format?: unknown; digest?: unknown; snapshot?: Omit<Snapshot, 'folder'> };
    if (read.format !== FORMAT || read.snapshot === undefined || read.digest !== digestOf(read.snapshot)) return null;
    return { ...read.snapshot, folder };
  } catch {
    return null; // cut off, or not ours
  }
}

function digestOf(body: Omit<Snapshot, 'folder'>): string {
  return sha256Hex(JSON.stringify(body));
}

/** `pre_heal_<anomaly>_<YYYYMMDD_HHMMSS>`, UTC: folders sort by reason, then anomaly, then time. */
export function folderName(reason: SnapshotReason, signature: string | null, takenAtMs: number): string {
  const anomaly = (signature ?? '').replaceAll(/[^A-Za-z0-9]+/g, '_').slice(0, 40) || 'none';
  const stamp = new Date(takenAtMs).toISOString().replaceAll(/[-:]/g, '').slice(0, 15).replace('T', '_');
  return `${reason}_${anomaly}_${stamp}`;
}

export function isFolderName(name: string): boolean {
  return /^pre_(?:heal|rollback|restore)_\w+$/.test(name);
}
