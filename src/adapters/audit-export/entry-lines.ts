import { open } from 'node:fs/promises';
import { AuditExportUnreadable, LogTorn } from '../../domains/audit/index.ts';

const CHUNK_BYTES = 64 * 1024;
/** Given at once. */
const PAGE_LINES = 8;
/** Where every so many-th line begins is remembered. */
const MARK_EVERY = 1024;
/** Sixteen times the longest entry: what has no line end by then is no log, and is not read into memory. */
const LINE_BYTES_MAX = 1024 * 1024;
const LF = 0x0a;

/** `entries.jsonl`: each entry's bytes and a line feed, read a piece at a time. */
export class EntryLines {
  readonly #path: string;
  /** Byte offset of line i * MARK_EVERY, as far as the file was read. */
  readonly #marks: number[] = [0];

  constructor(path: string) {
    this.#path = path;
  }

  /** How many whole lines there are. */
  async count(): Promise<number> {
    let count = (this.#marks.length - 1) * MARK_EVERY;
    try {
      for await (const batch of this.read(count, Infinity)) count += batch.length;
    } catch (error) {
      if (!(error instanceof LogTorn)) throw error;
    }
    return count;
  }

  /**
   * Lines `from` to before `to`, without their line feeds.
   * @throws LogTorn after the last whole line, when bytes follow it
   */
  async *read(from: number, to: number): AsyncGenerator<readonly Uint8Array[]> {
    const mark = Math.min(Math.floor(from / MARK_EVERY), this.#marks.length - 1);
    let line = mark * MARK_EVERY;
    let position = this.#marks[mark] ?? 0;
    await using handle = await open(this.#path, 'r');
    // Used again: memory that is held while its lines are looked at would lie about long after.
    let chunk = Buffer.allocUnsafeSlow(2 * CHUNK_BYTES);
    let rest = 0;
    while (line < to) {
      if (rest + CHUNK_BYTES > chunk.length) chunk = Buffer.concat([chunk.subarray(0, rest)], 2 * (rest + CHUNK_BYTES));
      const { bytesRead } = await handle.read(chunk, rest, CHUNK_BYTES, position + rest);
      if (bytesRead === 0) break;
      const end = rest + bytesRead;
      const ends: number[] = [];
      let [first, start] = [0, 0];
      // What was there before has no line feed.
      for (let at = chunk.indexOf(LF, rest); at >= 0 && at < end && line < to; at = chunk.indexOf(LF, start)) {
        start = at + 1;
        if (line < from) first = start;
        else ends.push(at);
        line++;
        if (line === this.#marks.length * MARK_EVERY) this.#marks.push(position + start);
        if (ends.length < PAGE_LINES) continue;
        yield linesOf(chunk, first, ends.splice(0));
        first = start;
      }
      if (ends.length > 0) yield linesOf(chunk, first, ends);
      chunk.copyWithin(0, start, end);
      rest = end - start;
      if (rest > LINE_BYTES_MAX) throw new AuditExportUnreadable(this.#path, `line ${line + 1} has more than ${LINE_BYTES_MAX} bytes`);
      position += start;
    }
    if (line < to && rest > 0) throw new LogTorn(line, `${rest} bytes and no line end`);
  }
}

/** In memory of their own: whoever gets a line may keep it. */
function linesOf(chunk: Buffer, first: number, ends: readonly number[]): readonly Uint8Array[] {
  const page = Uint8Array.prototype.slice.call(chunk, first, ends.at(-1));
  return ends.map((end, i) => page.subarray(i === 0 ? 0 : (ends[i - 1] as number) + 1 - first, end - first));
}
