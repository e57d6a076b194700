import { randomBytes } from 'node:crypto';
import { messageOf } from '../../../kernel/index.ts';
import {
  formatSignerKey,
  formatVerifierKey,
  parseSignerKey,
  SEED_BYTES,
  signerKeyOf,
  type SignerKey,
} from '../../../domains/audit/index.ts';
import { AuditKeyUnusable } from './errors.ts';
import { createKeyFile, keyPaths, readKeyFile, removeKeyFile, removeUnfinishedKeyFiles, replaceKeyFile } from './key-file.ts';

const SERVICE_NAME_MAX = 64;

/** The keys of one data directory: the one that signs, and the one that a rotation is about to put in its place. */
export class LogKeys {
  private readonly paths: ReturnType<typeof keyPaths>;
  /** Signs. */
  current: SignerKey;
  /** Kept in a file of its own until its entry is on the disk. */
  next: SignerKey | null = null;

  private constructor(paths: ReturnType<typeof keyPaths>, current: SignerKey) {
    this.paths = paths;
    this.current = current;
  }

  /**
   * @param service     the log is named for it when its key is made here; later the name is the one in the key
   * @param isEmpty     another key could not go on with entries that are there
   * @param recorded    the verifier key that the log recorded last; null when there is none
   * @throws AuditKeyUnusable
   */
  static open(dir: string, service: string, isEmpty: boolean, recorded: string | null): LogKeys {
    const paths = keyPaths(dir);
    removeUnfinishedKeyFiles(dir);
    let text = readKeyFile(paths.current);
    if (text === null) {
      if (!isEmpty) throw new AuditKeyUnusable(paths.current, 'it is gone, and the log has entries', 'put it back from a backup');
      createKeyFile(paths.current, formatSignerKey(newKey(originFor(service))));
      // Another process may have been faster: then it is that one's.
      text = readKeyFile(paths.current) ?? '';
    }
    const keys = new LogKeys(paths, parsed(paths.current, text));
    if (recorded !== null) keys.follow(recorded);
    return keys;
  }

  /**
   * Goes on with the key that the log recorded: another process has rotated, or a rotation of ours was cut off after its entry
   * was stored.
   * @throws AuditKeyUnusable when neither file holds it
   */
  follow(recorded: string): void {
    if (formatVerifierKey(this.current.verifier) === recorded) return;
    for (const path of [this.paths.current, this.paths.next]) {
      const text = readKeyFile(path);
      const key = text === null ? null : parsed(path, text);
      if (key === null || formatVerifierKey(key.verifier) !== recorded) continue;
      if (path === this.paths.next) replaceKeyFile(this.paths.current, formatSignerKey(key));
      this.current = key;
      return;
    }
    throw new AuditKeyUnusable(this.paths.current, 'it is not the key that the log recorded last', 'put the right one back from a backup');
  }

  /** Makes the key that is to follow and keeps it in a file, before anything says that it follows. */
  prepareNext(): SignerKey {
    // One that is there is of a rotation that was cut off before its entry was stored: nobody has seen it.
    removeKeyFile(this.paths.next);
    const next = newKey(this.current.verifier.name);
    if (!createKeyFile(this.paths.next, formatSignerKey(next)))
      throw new AuditKeyUnusable(this.paths.next, 'another process is rotating the key', 'try again when it is done');
    this.next = next;
    return next;
  }

  /** The next key signs from now on. */
  promote(): void {
    if (this.next === null) return;
    // Not the file as it lies there: a rotation in another process may have put its own in that place.
    replaceKeyFile(this.paths.current, formatSignerKey(this.next));
    this.current = this.next;
    this.dropNext();
  }

  dropNext(): void {
    removeKeyFile(this.paths.next);
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
