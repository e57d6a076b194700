import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, GraceError } from '../../kernel/index.ts';
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
  const identity = identityOf(process.pid);
  writeFileSync(mine, JSON.stringify(identity), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        linkSync(mine, path);
        return () => {
          if (holderOf(path)?.pid === process.pid) rmSync(path, { force: true });
        };
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const holder = holderOf(path);
      if (holder !== null && isAlive(holder)) throw new AlreadyRunning(dir, holder.pid);
      // Taken aside under our own name first: of two that find it stale, only one wins.
      try {
        renameSync(path, `${mine}.stale`);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
      const taken = holderOf(`${mine}.stale`);
      if (taken !== null && isAlive(taken)) {
        renameSync(`${mine}.stale`, path); // it became alive between the two looks
        throw new AlreadyRunning(dir, taken.pid);
      }
      rmSync(`${mine}.stale`, { force: true });
    }
    throw new AlreadyRunning(dir, holderOf(path)?.pid ?? 0);
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Who holds the lock of a data directory now; null when nobody does. */
export function lockHolder(dir: string): ProcessIdentity | null {
  const holder = holderOf(join(dir, 'grace.lock'));
  return holder !== null && isAlive(holder) ? holder : null;
}

function holderOf(path: string): ProcessIdentity | null {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity | null;
    return typeof value?.pid === 'number' ? value : null;
  } catch {
    return null; // gone, or cut off while it was written by a Grace that died
  }
}
