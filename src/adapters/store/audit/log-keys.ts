import { randomBytes } from 'node:crypto';
import { messageOf } from '../../../kernel/index.ts';
import {
  formatSignerKey,
  formatVerifierKey,
  parseSignerKey,
  parseVerifierKey,
  SEED_BYTES,
  signerKeyOf,
  type SignerKey,
  type VerifierKey,
} from '../../../domains/audit/index.ts';
import { AuditKeyUnusable } from './errors.ts';
import { createKeyFile, isOthers, keyPaths, readKeyFile, removeKeyFile, removeUnfinishedKeyFiles, replaceKeyFile } from './key-file.ts';

const SERVICE_NAME_MAX = 64;

/**
 * The keys of one data directory: the one that signs, and the one that a rotation is about to put in its place. A user who may
 * write the log and may not read its key adds entries all the same; whoever has the key signs them with the next ones.
 */
export class LogKeys {
  private readonly paths: ReturnType<typeof keyPaths>;
  /** Null for a user who may not read it. */
  private current: SignerKey | null;
  /** Of the key that signs. */
  verifier: VerifierKey;
  /** Kept in a file of its own until its entry is on the disk. */
  next: SignerKey | null = null;

  private constructor(paths: ReturnType<typeof keyPaths>, current: SignerKey | null, verifier: VerifierKey) {
    this.paths = paths;
    this.current = current;
    this.verifier = verifier;
  }

  get canSign(): boolean {
    return this.current !== null;
  }

  /** @throws AuditKeyUnusable for a user who may not read it */
  get signer(): SignerKey {
    if (this.current === null)
      throw new AuditKeyUnusable(this.paths.current, 'this user may not read it', 'let the user who made it do that');
    return this.current;
  }

  /**
   * @param service     the log is named for it when its key is made here; later the name is the one in the key
   * @param isEmpty     another key could not go on with entries that are there
   * @param recorded    the verifier key that the log recorded last; null when there is none
   * @throws AuditKeyUnusable
   */
  static open(dir: string, service: string, isEmpty: boolean, recorded: string | null): LogKeys {
    const paths = keyPaths(dir);
    if (recorded !== null && isOthers(paths.current)) return new LogKeys(paths, null, parseVerifierKey(recorded));
    removeUnfinishedKeyFiles(dir);
    let text = readKeyFile(paths.current);
    if (text === null) {
      if (!isEmpty) throw new AuditKeyUnusable(paths.current, 'it is gone, and the log has entries', 'put it back from a backup');
      createKeyFile(paths.current, formatSignerKey(newKey(originFor(service))));
      // Another process may have been faster: then it is that one's.
      text = readKeyFile(paths.current) ?? '';
    }
    const current = parsed(paths.current, text);
    const keys = new LogKeys(paths, current, current.verifier);
    if (recorded !== null) keys.follow(recorded);
    return keys;
  }

  /**
   * Goes on with the key that the log recorded: another process has rotated, or a rotation of ours was cut off after its entry
   * was stored.
   * @throws AuditKeyUnusable when neither file holds it
   */
  follow(recorded: string): void {
    if (formatVerifierKey(this.verifier) === recorded) return;
    if (this.current === null) {
      this.verifier = parseVerifierKey(recorded);
      return;
    }
    for (const path of [this.paths.current, this.paths.next]) {
      const text = readKeyFile(path);
      const key = text === null ? null : parsed(path, text);
      if (key === null || formatVerifierKey(key.verifier) !== recorded) continue;
      if (path === this.paths.next) replaceKeyFile(this.paths.current, formatSignerKey(key));
      this.current = key;
      this.verifier = key.verifier;
      return;
    }
    throw new AuditKeyUnusable(this.paths.current, 'it is not the key that the log recorded last', 'put the right one back from a backup');
  }

  /**
   * Makes the key that is to follow and keeps it in a file, before anything says that it follows. Asked with the store's lock, and after
   * `follow`.
   * @throws AuditKeyUnusable, for a user who may not read the key too
   */
  prepareNext(): SignerKey {
    const next = newKey(this.signer.verifier.name);
    // One that is there is of a rotation that was cut off before its entry was stored: nobody has seen it.
    removeKeyFile(this.paths.next);
    if (!createKeyFile(this.paths.next, formatSignerKey(next)))
      throw new AuditKeyUnusable(this.paths.next, 'another process is rotating the key', 'try again when it is done');
    this.next = next;
    return next;
  }

  /** The next key signs from now on, unless another process has put one after it already. @param recorded   as the log has it now */
  promote(recorded: string): void {
    if (this.next === null) return;
    if (formatVerifierKey(this.next.verifier) === recorded) {
      replaceKeyFile(this.paths.current, formatSignerKey(this.next));
      this.current = this.next;
      this.verifier = this.next.verifier;
    }
    this.dropNext();
  }

  dropNext(): void {
    // Of another process it may be the only copy.
    if (this.next !== null && readKeyFile(this.paths.next) === formatSignerKey(this.next)) removeKeyFile(this.paths.next);
    this.next = null;
  }
}

function newKey(name: string): SignerKey {
  return signerKeyOf(name, randomBytes(SEED_BYTES));
}

/** Says for people which log it is, and is another one for each installation: two logs of one name could be mixed up. */
function originFor(service: string): string {
  const name = service
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .slice(0, SERVICE_NAME_MAX);
  return `grace/${name === '' ? 'service' : name}/${randomBytes(8).toString('hex')}`;
}

function parsed(path: string, text: string): SignerKey {
  try {
    return parseSignerKey(text);
  } catch (error) {
    throw new AuditKeyUnusable(path, messageOf(error), 'put it back from a backup', error);
  }
}
