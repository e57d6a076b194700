import { open } from 'node:fs/promises';
import { AuditExportUnreadable, LogTorn } from '../../domains/audit/index.ts';

const CHUNK_BYTES = 64 * 1024;
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
    let rest: Uint8Array = new Uint8Array(0);
    while (line < to) {
      // Fresh memory each time: whoever got a line may keep it.
      const chunk = Buffer.allocUnsafeSlow(rest.length + CHUNK_BYTES);
      chunk.set(rest);
      const { bytesRead } = await handle.read(chunk, rest.length, CHUNK_BYTES, position + rest.length);
      if (bytesRead === 0) break;
      const end = rest.length + bytesRead;
      const batch: Uint8Array[] = [];
      let start = 0;
      for (let at = chunk.indexOf(LF); at >= 0 && at < end && line < to; at = chunk.indexOf(LF, start)) {
        if (line >= from) batch.push(chunk.subarray(start, at));
        start = at + 1;
        line++;
        if (line === this.#marks.length * MARK_EVERY) this.#marks.push(position + start);
      }
      rest = chunk.subarray(start, end);
      if (rest.length > LINE_BYTES_MAX)
        throw new AuditExportUnreadable(this.#path, `line ${line + 1} has more than ${LINE_BYTES_MAX} bytes`);
      position += start;
      if (batch.length > 0) yield batch;
    }
    if (line < to && rest.length > 0) throw new LogTorn(line, `${rest.length} bytes and no line end`);
  }
}
