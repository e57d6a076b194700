import { DEFAULTS } from './defaults.ts';
import type { SnapshotConfig } from './grace-config.ts';
import { inFile, type Chooser } from './origin.ts';
import type { SnapshotsFile } from './schema.ts';

const MIB = 1_048_576;
const DAY_MS = 86_400_000;

export function resolveSnapshots(file: SnapshotsFile, chooser: Chooser): SnapshotConfig {
  const at = 'healing.snapshots';
  const choose = chooser.choose.bind(chooser);
  return {
    files: choose(`${at}.files`, inFile(file.files), DEFAULTS.snapshotFiles),
    databases: choose(`${at}.databases`, inFile(file.databases), DEFAULTS.snapshotDatabases),
    databaseBytesMax: choose<number>(`${at}.databaseMbMax`, inFile(file.databaseMbMax), DEFAULTS.databaseMbMax) * MIB,
    keep: {
      count: choose<number>(`${at}.keep.count`, inFile(file.keep?.count), DEFAULTS.keepCount),
      ageMs: choose<number>(`${at}.keep.days`, inFile(file.keep?.days), DEFAULTS.keepDays) * DAY_MS,
      bytes: choose<number>(`${at}.keep.megabytes`, inFile(file.keep?.megabytes), DEFAULTS.keepMegabytes) * MIB,
    },
  };
}
