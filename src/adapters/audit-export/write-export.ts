import { mkdir, open, readdir, readFile, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AuditExportRefused, areEqual, LogTorn, TileMaker, type AuditReader, type TileFile } from '../../domains/audit/index.ts';
import { codeOf } from '../../kernel/index.ts';

export interface ExportRequest {
  readonly dir: string;
  /** The signed head; as many entries are written as it covers. */
  readonly checkpoint: string;
  readonly size: number;
  /** The key that signs it. */
  readonly vkey: string;
  readonly withTiles: boolean;
}

/**
 * Writes what an independent verifier needs. The checkpoint comes last: without it an export that was cut off is none.
 * @throws AuditExportRefused when the directory holds something already, or an entry is not there any more
 */
export async function writeExport(reader: AuditReader, { dir, checkpoint, size, vkey, withTiles }: ExportRequest): Promise<void> {
  await mkdir(dir, { recursive: true });
  if ((await readdir(dir)).length > 0) throw new AuditExportRefused(dir, 'it is not empty');
  const maker = withTiles ? new TileMaker() : null;
  const write = async (files: readonly TileFile[]): Promise<void> => {
    for (const { path, bytes } of files) await writeTile(join(dir, path), bytes);
  };
  await using lines = await open(join(dir, 'entries.jsonl'), 'wx');
  let written = 0;
  for await (const batch of reader.entries(0, size)) {
    const pieces: Uint8Array[] = [];
    for (const entry of batch) {
      if (!(entry instanceof Uint8Array))
        throw new AuditExportRefused(dir, `entry ${written} was dropped under the retention policy, and only its hash is left`);
      pieces.push(entry, LINE_END);
      if (maker !== null) await write(maker.append(entry));
      written++;
    }
    await writeAll(lines, Buffer.concat(pieces));
  }
  if (written < size) throw new AuditExportRefused(dir, `the log has ${written} of the ${size} entries that its checkpoint covers`);
  if (maker !== null) await write(maker.end());
  await lines.sync();
  await writeFile(join(dir, 'vkey'), `${vkey}\n`);
  await writeFile(join(dir, 'checkpoint'), checkpoint, { flush: true });
}

/** Paths of tiles that are not what the entries make them: missing, or with other hashes. At most `limit`. */
export async function wrongTiles(reader: AuditReader, dir: string, limit: number): Promise<readonly string[]> {
  const maker = new TileMaker();
  const wrong: string[] = [];
  const compare = async (files: readonly TileFile[]): Promise<void> => {
    for (const { path, bytes } of files) if (wrong.length < limit && !areEqual(bytes, await bytesOf(join(dir, path)))) wrong.push(path);
  };
  try {
    for await (const batch of reader.entries(0, await reader.size()))
      for (const entry of batch) if (entry instanceof Uint8Array) await compare(maker.append(entry));
  } catch (error) {
    // Checking the entries says that.
    if (!(error instanceof LogTorn)) throw error;
  }
  await compare(maker.end());
  return wrong;
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
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return new Uint8Array(0);
    throw error;
  }
}
