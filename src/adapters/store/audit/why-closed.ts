import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseVerifierKey } from '../../../domains/audit/index.ts';
import { messageOf } from '../../../kernel/index.ts';
import { isStoreWritable, placeToRead } from '../open-store.ts';
import { checkTail } from './check-tail.ts';
import { AuditKeyUnusable } from './errors.ts';
import { readKeptHead } from './head-file.ts';
import { isOthers, keyPaths, readKeyFile } from './key-file.ts';
import { StoredTree } from './stored-tree.ts';

const BUSY_TIMEOUT_MS = 1000;

/**
 * Why the log would take no entries if a Grace opened it now; null when it would. Looks only, in some milliseconds: the end of the log
 * and its key, and not whether all before the last head is what it was.
 * @param path   of a store that was opened before
 */
export async function whyClosed(path: string): Promise<string | null> {
  const database = new DatabaseSync(placeToRead(path, isStoreWritable(path)), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  try {
    const recorded = database.prepare('select vkey from audit_keys order by number desc limit 1').get() as { vkey: string } | undefined;
    if (recorded === undefined) return null;
    const keptHead = readKeptHead(dirname(path));
    const { damage } = await checkTail(database, new StoredTree(database), [parseVerifierKey(recorded.vkey)], keptHead);
    return damage === null ? keyProblem(keyPaths(dirname(path)).current) : damage.why;
  } catch (error) {
    return messageOf(error);
  } finally {
    database.close();
  }
}

function keyProblem(path: string): string | null {
  // Another user signs, and this one adds entries all the same.
  if (existsSync(path) && isOthers(path)) return null;
  try {
    return readKeyFile(path) === null ? `its key ${path} is gone: put it back from a backup` : null;
  } catch (error) {
    if (error instanceof AuditKeyUnusable) return `${error.message}: ${error.hint}`;
    throw error;
  }
}
