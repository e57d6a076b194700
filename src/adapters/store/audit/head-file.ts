import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { checkpointsIn } from '../../../domains/audit/index.ts';

/** A checkpoint has some hundred bytes. */
const BYTES_MAX = 65_536;

/** Where the newest signed head is, beside the key that signed it. */
function headPath(dir: string): string {
  return join(dir, 'audit.head');
}

/**
 * Keeps the newest signed head in a second place, so that a log that is shorter or another one at the next start is noticed.
 * Written when the log itself has it on the disk, and never waited for: an older head, or none, says less and nothing wrong.
 */
export function keepHead(dir: string, note: string): void {
  const path = headPath(dir);
  const unnamed = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(unnamed, 'wx', 0o644);
    try {
      writeSync(file, note);
    } finally {
      closeSync(file);
    }
    renameSync(unnamed, path);
  } catch {
    // A full disk, or a directory that another owns: the log is what counts, and it has it.
    rmSync(unnamed, { force: true });
  }
}

/** @returns null where there is none, or where a power cut has left something else; whether it is signed is not looked at */
export function readKeptHead(dir: string): string | null {
  const path = headPath(dir);
  try {
    const stat = statSync(path);
    // Reading a pipe that lies there would wait for ever.
    if (!stat.isFile() || stat.size > BYTES_MAX) return null;
    return checkpointsIn(readFileSync(path, 'utf8'))[0] ?? null;
  } catch {
    // Not there, or not this user's to read.
    return null;
  }
}
