import { invariant } from '../../kernel/index.ts';
import { HASH_BYTES, leafHash, type Hash } from './merkle.ts';
import { entryBundle, runRoot, TILE_WIDTH, tilePath } from './tiles.ts';

export interface TileFile {
  /** Below the directory, with slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Makes the files of a tlog-tiles directory as the entries go by, holding one unfinished tile of each level. */
export class TileMaker {
  readonly #levels: { hashes: Hash[]; index: number }[] = [];
  #entries: Uint8Array[] = [];
  #bundle = 0;

  /** @returns the files that this entry fills */
  append(entry: Uint8Array): readonly TileFile[] {
    const files: TileFile[] = [];
    this.#entries.push(entry);
    if (this.#entries.length === TILE_WIDTH) {
      files.push({ path: tilePath('entries', this.#bundle++, TILE_WIDTH), bytes: entryBundle(this.#entries) });
      this.#entries = [];
    }
    this.#push(0, leafHash(entry), files);
    return files;
  }

  /** @returns the files that are not full */
  end(): readonly TileFile[] {
    const partial = this.#levels.flatMap(({ hashes, index }, level) =>
      hashes.length === 0 ? [] : [{ path: tilePath(level, index, hashes.length), bytes: Buffer.concat(hashes) }],
    );
    if (this.#entries.length === 0) return partial;
    return [...partial, { path: tilePath('entries', this.#bundle, this.#entries.length), bytes: entryBundle(this.#entries) }];
  }

  #push(level: number, hash: Hash, files: TileFile[]): void {
    const tile = (this.#levels[level] ??= { hashes: [], index: 0 });
    tile.hashes.push(hash);
    if (tile.hashes.length < TILE_WIDTH) return;
    const bytes = Buffer.concat(tile.hashes);
    invariant(bytes.length === TILE_WIDTH * HASH_BYTES, 'a full tile has 256 hashes');
    files.push({ path: tilePath(level, tile.index++, TILE_WIDTH), bytes });
    tile.hashes = [];
    this.#push(level + 1, runRoot(bytes, { first: 0, count: TILE_WIDTH }), files);
  }
}
