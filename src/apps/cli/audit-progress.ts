import type { AuditReader } from '../../domains/audit/index.ts';
import type { AuditSource } from './audit-source.ts';

/** Work that is done sooner says nothing. */
const SILENT_MS = 1000;
const SAID_EVERY_MS = 250;

/** Where progress is shown: one line of a terminal, written over and taken away. */
export interface ProgressLine {
  readonly isShown: boolean;
  write(text: string): void;
}

const TERMINAL: ProgressLine = {
  // Standard output is for the answer, which may go into a file.
  get isShown() {
    return process.stderr.isTTY;
  },
  write: (text) => void process.stderr.write(text),
};

/** Does long reading, and says on the terminal how far it is. The answer is that of `work`. */
export async function withProgress<T>(
  source: AuditSource,
  work: (source: AuditSource) => Promise<T>,
  line: ProgressLine = TERMINAL,
  nowMs: () => number = () => performance.now(),
): Promise<T> {
  if (!line.isShown) return work(source);
  const total = await source.reader.size();
  let saidMs = nowMs() + SILENT_MS - SAID_EVERY_MS;
  let isSaid = false;
  const say = (place: number): void => {
    if (nowMs() - saidMs < SAID_EVERY_MS) return;
    saidMs = nowMs();
    isSaid = true;
    line.write(`\r\u001b[Kentry ${place} of ${total}`);
  };
  try {
    return await work({ ...source, reader: watched(source.reader, say) });
  } finally {
    if (isSaid) line.write('\r\u001b[K');
  }
}

function watched(reader: AuditReader, say: (place: number) => void): AuditReader {
  return {
    ...reader,
    async *entries(from, to) {
      let place = from;
      for await (const batch of reader.entries(from, to)) {
        yield batch;
        say((place += batch.length));
      }
    },
  };
}
