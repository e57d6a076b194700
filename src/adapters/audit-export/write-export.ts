import { mkdir, open, readdir, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AuditExportRefused, areEqual, leafHash, LogTorn, TileMaker, type AuditReader, type TileFile } from '../../domains/audit/index.ts';
import { codeOf, messageOf } from '../../kernel/index.ts';
import { LEAF_HASHES } from './leaf-hashes.ts';
import { isNoFile } from './tile-files.ts';

export interface ExportRequest {
  readonly dir: string;
  /** The signed head; as many entries are written as it covers. */
  readonly checkpoint: string;
  readonly size: number;
  /** Asked for when entries had no content: retention may have dropped them meanwhile, and a later head covers the entry that says so. */
  readonly newest: () => Promise<{ readonly checkpoint: string; readonly size: number }>;
  /** The key that signs it. */
  readonly vkey: string;
  readonly withTiles: boolean;
}

export interface Exported {
  /** As many as the head covers that was written. */
  readonly size: number;
  /** Entries of which retention has left the hash alone: an empty line each, and their hash in `leaf-hashes`. */
  readonly dropped: number;
}

/** Retention may go on while it is read; each round is shorter than the one before. */
const ROUNDS_MAX = 8;

/**
 * Writes what an independent verifier needs. The checkpoint comes last: without it an export that was cut off is none.
 * @throws AuditExportRefused when the directory holds something already, or the log has fewer entries than its checkpoint covers
 */
export async function writeExport(reader: AuditReader, request: ExportRequest): Promise<Exported> {
  const { dir, vkey, withTiles, newest } = request;
  let { checkpoint, size } = request;
  await makeDirectory(dir);
  if ((await readdir(dir)).length > 0) throw new AuditExportRefused(dir, 'it is not empty');
  const maker = withTiles ? new TileMaker() : null;
  const write = async (files: readonly TileFile[]): Promise<void> => {
    for (const { path, bytes } of files) if (bytes !== null) await writeTile(join(dir, path), bytes);
  };
  await using lines = await open(join(dir, 'entries.jsonl'), 'wx');
  await using hashes = await open(join(dir, LEAF_HASHES), 'wx');
  let written = 0;
  let dropped = 0;
  for (let told = 0, round = 0; ; round++) {
    for await (const batch of reader.entries(written, size)) {
      const pieces: Uint8Array[] = [];
      const leaves: string[] = [];
      for (const entry of batch) {
        const isWhole = entry instanceof Uint8Array;
        if (isWhole) pieces.push(entry);
        else dropped++;
        pieces.push(LINE_END);
        leaves.push(`${Buffer.from(isWhole ? leafHash(entry) : entry.leafHash).toString('base64')}\n`);
        if (maker !== null) await write(maker.append(entry));
        written++;
      }
      await writeAll(lines, Buffer.concat(pieces));
      await writeAll(hashes, Buffer.from(leaves.join('')));
    }
    if (dropped === told || written < size || round === ROUNDS_MAX) break;
    told = dropped;
    const later = await newest();
    if (later.size > size) ({ checkpoint, size } = later);
  }
  // Without dropped entries everybody makes them of the lines.
  if (dropped === 0) await rm(join(dir, LEAF_HASHES));
  else await hashes.sync();
  if (written < size) throw new AuditExportRefused(dir, `the log has ${written} of the ${size} entries that its checkpoint covers`);
  if (maker !== null) await write(maker.end());
  await lines.sync();
  await writeFile(join(dir, 'vkey'), `${vkey}\n`);
  await writeFile(join(dir, 'checkpoint'), checkpoint, { flush: true });
  return { size, dropped };
}

/** Paths of tiles that are not what the entries make them: missing, with other hashes, or there where none can be. At most `limit`. */
export async function wrongTiles(reader: AuditReader, dir: string, limit: number): Promise<readonly string[]> {
  const maker = new TileMaker();
  const wrong: string[] = [];
  const compare = async (files: readonly TileFile[]): Promise<void> => {
    for (const { path, bytes } of files)
      if (wrong.length < limit && !areEqual(bytes ?? new Uint8Array(0), await bytesOf(join(dir, path)))) wrong.push(path);
  };
  try {
    for await (const batch of reader.entries(0, await reader.size())) for (const entry of batch) await compare(maker.append(entry));
  } catch (error) {
    // Checking the entries says that.
    if (!(error instanceof LogTorn)) throw error;
  }
  await compare(maker.end());
  return wrong;
}

/**
 * With those above it. One by one: made in one call, Node never comes back where a file system has no place for it, such as /proc.
 * @throws AuditExportRefused
 */
async function makeDirectory(dir: string): Promise<void> {
  const path = resolve(dir);
  try {
    await mkdir(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    // Where what is above is there, this can not be made in it.
    if (code !== 'ENOENT' || (await isThere(above))) throw new AuditExportRefused(dir, `it can not be made (${code ?? messageOf(error)})`);
    await makeDirectory(above);
    await makeDirectory(path);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

const LINE_END = Uint8Array.of(0x0a);

async function writeTile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += (await file.write(bytes, at)).bytesWritten);
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isNoFile(error)) return new Uint8Array(0);
    throw error;
  }
}
