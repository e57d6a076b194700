import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AuditExportUnreadable,
  leafHash,
  LogTorn,
  NodeTable,
  parseCheckpoint,
  parseNote,
  type AuditReader,
  type StoredEntry,
} from '../../domains/audit/index.ts';
import { codeOf } from '../../kernel/index.ts';
import { EntryLines } from './entry-lines.ts';
import { LEAF_HASHES, LeafHashes, withHashes } from './leaf-hashes.ts';
import { isNoFile, TileFiles } from './tile-files.ts';

/** A checkpoint and its signatures, or a key: a few hundred bytes. */
const TEXT_BYTES_MAX = 1024 * 1024;

/** An exported log, as `grace audit export` writes it, or a tlog-tiles directory of another log. */
export interface ExportDirectory extends AuditReader {
  /** Whether its tree is there as tiles, too. */
  readonly hasTiles: boolean;
}

/** @throws AuditExportUnreadable when there is no log in this directory */
export async function openExport(dir: string): Promise<ExportDirectory> {
  const [hasLines, hasTiles, checkpoint, vkey] = await Promise.all([
    isThere(join(dir, 'entries.jsonl')),
    isThere(join(dir, 'tile')),
    textOf(join(dir, 'checkpoint')),
    textOf(join(dir, 'vkey')),
  ]);
  if (!hasLines && !hasTiles) throw new AuditExportUnreadable(dir, 'it holds neither entries.jsonl nor tile/');
  const lines = new EntryLines(join(dir, 'entries.jsonl'));
  const hashes = (await isThere(join(dir, LEAF_HASHES))) ? join(dir, LEAF_HASHES) : null;
  const leaves = hashes === null ? null : new LeafHashes(hashes);
  const tiles = new TileFiles(dir);
  const signedSize = sizeOf(checkpoint);
  let counted: Promise<number> | null = null;
  const size = (): Promise<number> => (hasLines ? (counted ??= lines.count()) : Promise.resolve(signedSize));
  let table: Promise<NodeTable> | null = null;
  return {
    hasTiles,
    size,
    entries: (from, to) => (hasLines ? storedLines(lines, hashes, from, to) : tiles.entries(from, to, signedSize)),
    async node(level, index) {
      if (hasTiles) return tiles.node(level, index, signedSize);
      table ??= tableOf(storedLines(lines, hashes, 0, Infinity));
      return (await table).node(level, index);
    },
    ...(hasTiles ? { keptLeaf: async (index: number) => tiles.node(0, index, signedSize) } : {}),
    ...(!hasTiles && leaves !== null ? { keptLeaf: (index: number) => leaves.at(index) } : {}),
    async *checkpoints() {
      if (checkpoint !== null) yield { size: signedSize, note: checkpoint };
    },
    latestCheckpoint: async () => checkpoint,
    keys: async () => (vkey === null ? [] : [vkey.trimEnd()]),
  };
}

/** What the checkpoint says; whether that is so is for others to check. */
function sizeOf(checkpoint: string | null): number {
  try {
    return checkpoint === null ? 0 : parseCheckpoint(parseNote(checkpoint).text).size;
  } catch {
    // Checking it says what is wrong with it.
    return 0;
  }
}

async function* storedLines(lines: EntryLines, hashes: string | null, from: number, to: number): AsyncGenerator<readonly StoredEntry[]> {
  let place = from;
  for await (const batch of lines.read(from, to)) {
    yield hashes === null ? batch : await withHashes(hashes, batch, place);
    place += batch.length;
  }
}

async function tableOf(entries: AsyncIterable<readonly StoredEntry[]>): Promise<NodeTable> {
  const table = new NodeTable();
  try {
    for await (const batch of entries)
      for (const entry of batch) table.append(entry instanceof Uint8Array ? leafHash(entry) : entry.leafHash);
  } catch (error) {
    // Proofs are made of what is whole.
    if (!(error instanceof LogTorn)) throw error;
  }
  return table;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > TEXT_BYTES_MAX) throw new AuditExportUnreadable(path, 'it is far too large');
    return bytes.toString('utf8');
  } catch (error) {
    if (isNoFile(error)) return null;
    throw error;
  }
}
