import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, GraceError, sha256Hex } from '../../kernel/index.ts';
import type { ProcessIdentity } from '../../domains/supervisor/index.ts';
import { identityOf, isAlive } from './proc.ts';

export class AlreadyRunning extends GraceError {
  constructor(dir: string, pid: number) {
    super({
      code: 'GRACE_RUNTIME_ALREADY_RUNNING',
      message: `another Grace (pid ${pid}) already looks after ${dir}`,
      hint: 'see what it does with: grace status; or stop it first',
      details: { dir, pid },
    });
  }
}

/**
 * One Grace per data directory. The lock is a hard link, made at once or not at all; it names the holder by identity,
 * so that the lock of a killed Grace is told from that of a living one even when its pid was given away.
 * @throws AlreadyRunning
 * @returns a function that gives the lock back
 */
export function lockInstance(dir: string): () => void {
  const path = join(dir, 'grace.lock');
  const mine = join(dir, `.lock-${process.pid}`);
  writeFileSync(mine, JSON.stringify(identityOf(process.pid)), { mode: 0o600 });
  try {
    const holder = take(path, mine);
    if (holder !== null) throw new AlreadyRunning(dir, holder.pid);
    return () => {
      if (holderOf(path)?.pid === process.pid) rmSync(path, { force: true });
    };
  } finally {
    rmSync(mine, { force: true });
  }
}

/** @returns null when the lock is ours now, otherwise the living process that has it or is about to */
function take(path: string, mine: string): ProcessIdentity | null {
  for (;;) {
    try {
      linkSync(mine, path);
      return null;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const found = look(path);
    if (found === 'absent') continue;
    if (found !== 'unreadable' && isAlive(found)) return found;
    // Who may remove a stale lock is decided by a lock of its own, named for the dead holder. Whoever has that looks once
    // more: somebody who was faster may have removed it, and the lock that is there now belongs to a living Grace.
    const guard = `${path}.${nameOf(found)}`;
    const rival = take(guard, mine);
    if (rival !== null) return rival;
    try {
      if (nameOf(look(path)) === nameOf(found)) rmSync(path, { force: true });
    } finally {
      rmSync(guard, { force: true });
    }
  }
}

type Found = ProcessIdentity | 'absent' | 'unreadable';

function nameOf(found: Found): string {
  return typeof found === 'string' ? found : sha256Hex(JSON.stringify(found)).slice(0, 16);
}

/** Who holds the lock of a data directory now; null when nobody does. */
export function lockHolder(dir: string): ProcessIdentity | null {
  const holder = holderOf(join(dir, 'grace.lock'));
  return holder !== null && isAlive(holder) ? holder : null;
}

function holderOf(path: string): ProcessIdentity | null {
  const found = look(path);
  return typeof found === 'string' ? null : found;
}

function look(path: string): Found {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'absent' : 'unreadable';
  }
  try {
    const value = JSON.parse(text) as ProcessIdentity | null;
    return typeof value?.pid === 'number' ? value : 'unreadable';
  } catch {
    return 'unreadable'; // cut off while it was written by a Grace that died
  }
}
