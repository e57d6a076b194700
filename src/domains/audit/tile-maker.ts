import { invariant } from '../../kernel/index.ts';
import { HASH_BYTES, leafHash, type Hash } from './merkle.ts';
import type { StoredEntry } from './ports.ts';
import { entryBundle, runRoot, TILE_WIDTH, tilePath } from './tiles.ts';

export interface TileFile {
  /** Below the directory, with slashes. */
  readonly path: string;
  /** Null for a bundle that is not made, since it would hold an entry of which only the hash is left. */
  readonly bytes: Uint8Array | null;
}

/** Makes the files of a tlog-tiles directory as the entries go by, holding one unfinished tile of each level. */
export class TileMaker {
  readonly #levels: { hashes: Hash[]; index: number }[] = [];
  #entries: (Uint8Array | null)[] = [];
  #bundle = 0;

  /** @returns the files that this entry fills */
  append(entry: StoredEntry): readonly TileFile[] {
    const files: TileFile[] = [];
    this.#entries.push(entry instanceof Uint8Array ? entry : null);
    if (this.#entries.length === TILE_WIDTH) files.push(...this.#bundled());
    this.#push(0, entry instanceof Uint8Array ? leafHash(entry) : entry.leafHash, files);
    return files;
  }

  /** @returns the files that are not full */
  end(): readonly TileFile[] {
    const partial = this.#levels.flatMap(({ hashes, index }, level) =>
      hashes.length === 0 ? [] : [{ path: tilePath(level, index, hashes.length), bytes: Buffer.concat(hashes) }],
    );
    return this.#entries.length === 0 ? partial : [...partial, ...this.#bundled()];
  }

  #bundled(): readonly TileFile[] {
    const path = tilePath('entries', this.#bundle++, this.#entries.length);
    const whole = this.#entries.filter((entry) => entry !== null);
    const isWhole = whole.length === this.#entries.length;
    this.#entries = [];
    return [{ path, bytes: isWhole ? entryBundle(whole) : null }];
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
