import { basename } from 'node:path';
import type { FileStat } from '../kernel/index.ts';
import type { LastGoodEntry } from '../domains/playbooks/index.ts';

/** Whom a path belongs to and what they may do with it. */
export type OwnerAndMode = { readonly uid: number; readonly gid: number; readonly mode: number };

const OTHERS_WRITE = 0o002;
/** Group write and everything others may do. */
const WIDE_BITS = 0o027;

/** Files that only their owner reads, wherever they lie. */
export function isPrivateFile(path: string): boolean {
  return (
    /^\.env(?:\.|$)|\.(?:key|pem|p12|pfx|jks|keystore)$|^id_(?:rsa|dsa|ecdsa|ed25519)$|(?:^|[._-])(?:credentials?|secrets?|htpasswd|pgpass|netrc)(?:[._-]|$)/i.test(
      basename(path),
    ) && !/\.(?:example|sample|template|dist)$/i.test(path)
  );
}

/**
 * The wanted mode without any bit for group or others that neither the last good boot nor the present state had.
 * Others never get write permission that they do not have now, whatever the last good boot said.
 */
export function neverWider(wanted: number, present: number | null, lastGood: number | null): number {
  const known = (present ?? 0) | (lastGood ?? 0);
  const grantable = ~WIDE_BITS | known;
  const withoutOthersWrite = (present ?? 0) & OTHERS_WRITE ? wanted : wanted & ~OTHERS_WRITE;
  return withoutOthersWrite & grantable & 0o7777;
}

/**
 * How a file is put back: as at the last good boot, else as the broken one is, else as its backup is. A private file
 * stays private, and set-user bits are not given out again.
 */
export function traitsFor(
  path: string,
  entry: LastGoodEntry | null,
  present: FileStat | null,
  backup: FileStat | null,
  directory: FileStat,
): OwnerAndMode {
  const presentFile = present?.kind === 'file' ? present : null;
  if (entry?.kind === 'file')
    return { uid: entry.uid, gid: entry.gid, mode: neverWider(entry.mode & 0o777, presentFile?.mode ?? null, entry.mode) };
  // A backup made by root's `cp` belongs to root: then the directory knows better who works here.
  const owner = presentFile ?? (backup !== null && backup.uid !== 0 ? backup : directory);
  const wanted = (presentFile ?? backup)?.mode ?? 0o644;
  return { uid: owner.uid, gid: owner.gid, mode: wanted & (isPrivateFile(path) ? 0o700 : 0o775) };
}
