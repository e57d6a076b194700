import { dirname } from 'node:path';
import type { Clock } from '../../../kernel/index.ts';
import { StoreUnwritable } from '../errors.ts';
import { auditConnection } from './audit-connection.ts';
import { APPEND_LIMITS, AuditLog } from './audit-log.ts';
import { checkTail } from './check-tail.ts';
import type { GroupCommitLimits } from './group-commit.ts';
import { readKeptHead } from './head-file.ts';
import { LogKeys } from './log-keys.ts';
import { StoredTree } from './stored-tree.ts';
import { walSync, type WalSync } from './wal-sync.ts';

export interface AuditLogOptions {
  /** Of the store, opened and migrated before: `grace.db`. The key lies beside it. */
  readonly path: string;
  /** Of the service; the log is named for it when its key is made. */
  readonly service: string;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** Takes secrets out of a text. Called before anything is hashed: what is hashed can not be taken out again. */
  readonly redact: (text: string) => string;
  readonly limits?: Partial<GroupCommitLimits>;
  /** Only a measurement says anything else: how fast the rest is without a disk. */
  readonly sync?: WalSync;
}

/**
 * Opens the log for entries. Its end is looked at first; a log whose end is damaged is open for reading, and `damage` says why
 * it takes no entries.
 * @throws StoreUnwritable, AuditKeyUnusable
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { path, clock, redact } = options;
  const database = auditConnection(path);
  let sync: WalSync | undefined;
  try {
    const tree = new StoredTree(database);
    const recorded = database.prepare('select vkey from audit_keys order by number desc limit 1').get() as { vkey: string } | undefined;
    const keys = LogKeys.open(dirname(path), options.service, tree.last().size === 0, recorded?.vkey ?? null);
    // Before the log is looked at: whoever writes beside us puts each head into the log first.
    const keptHead = readKeptHead(dirname(path));
    const tail = await checkTail(database, tree, [keys.verifier], keptHead);
    sync = options.sync ?? (await writableWal(path));
    // From here on the log syncs itself, before it acknowledges: the same guarantee, without stopping the event loop for it.
    database.exec('pragma synchronous = normal');
    return new AuditLog({ path, database, sync, tail, keys, clock, redact, limits: { ...APPEND_LIMITS, ...options.limits } });
  } catch (error) {
    await sync?.close();
    database.close();
    throw error;
  }
}

/** SQLite opens a store for writing that it may only read; its WAL tells. @throws StoreUnwritable */
async function writableWal(path: string): Promise<WalSync> {
  try {
    return await walSync(path);
  } catch (error) {
    throw new StoreUnwritable(path, error);
  }
}
