import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogTorn, readEntryBundle, runRoot, TILE_WIDTH, tilePath, tileRunOf, tileWidth, type Hash } from '../../domains/audit/index.ts';
import { codeOf } from '../../kernel/index.ts';

/** The last few tiles read: a proof reads some of them twice. */
const CACHED_MAX = 16;

/** The hashes and entries of a tlog-tiles directory. */
export class TileFiles {
  readonly #dir: string;
  readonly #cached = new Map<string, Uint8Array | null>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  async node(level: number, index: number, size: number): Promise<Hash | null> {
    const run = tileRunOf(level, index);
    const tile = await this.#tile(run.level, run.index, tileWidth(run.level, run.index, size));
    return tile === null || (run.first + run.count) * 32 > tile.length ? null : runRoot(tile, run);
  }

  /** Entries `from` to before `to`, of a log with `size` entries. */
  async *entries(from: number, to: number, size: number): AsyncGenerator<readonly Uint8Array[]> {
    const end = Math.min(to, size);
    for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < end; index++) {
      const width = tileWidth('entries', index, size);
      const first = index * TILE_WIDTH;
      const bundle = await this.#read(tilePath('entries', index, width));
      if (bundle === null) return;
      const entries = readEntryBundle(bundle, width);
      if (entries === null) throw new LogTorn(first, `its bundle does not hold ${width} entries`);
      yield entries.slice(Math.max(0, from - first), end - first);
    }
  }

  async #tile(level: number, index: number, width: number): Promise<Uint8Array | null> {
    if (width === 0) return null;
    const path = tilePath(level, index, width);
    const known = this.#cached.get(path);
    if (known !== undefined) return known;
    const bytes = await this.#read(path);
    const oldest = this.#cached.keys().next().value;
    if (this.#cached.size >= CACHED_MAX && oldest !== undefined) this.#cached.delete(oldest);
    this.#cached.set(path, bytes);
    return bytes;
  }

  async #read(path: string): Promise<Uint8Array | null> {
    try {
      return await readFile(join(this.#dir, path));
    } catch (error) {
      if (isNoFile(error)) return null;
      throw error;
    }
  }
}

/** It is not there, or something else than a file is. */
export function isNoFile(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(codeOf(error) ?? '');
}
