import { GraceError, type JsonObject } from '../../kernel/index.ts';

/** An entry that the log does not take: nothing is mended, and nothing was written. */
export class EntryRefused extends GraceError {
  constructor(problem: string, details: JsonObject = {}) {
    super({
      code: 'GRACE_AUDIT_ENTRY_REFUSED',
      message: `the audit log does not take this entry: ${problem}`,
      hint: 'write numbers beyond 2^53 - 1 as text, keep large payloads elsewhere and put their SHA-256 into the entry',
      details,
    });
  }
}

/** A key, signed note, checkpoint or proof whose text does not have its shape. */
export class AuditTextMalformed extends GraceError {
  /** @param what   `checkpoint`, `verifier key`, `inclusion proof` … */
  constructor(what: string, problem: string) {
    super({
      code: 'GRACE_AUDIT_TEXT_MALFORMED',
      message: `this is no ${what}: ${problem}`,
      hint: 'give it as Grace wrote it, byte for byte, line ends included',
      details: { what },
    });
  }
}

/** A tree node that a proof needs and that the log does not hold. */
export class AuditNodeMissing extends GraceError {
  constructor(level: number, index: number) {
    super({
      code: 'GRACE_AUDIT_NODE_MISSING',
      message: `the audit log lacks node ${index} of level ${level} of its tree`,
      hint: 'check the log with: grace audit verify',
      details: { level, index },
    });
  }
}

/** The last entry was cut off while it was written. */
export class LogTorn extends GraceError {
  /** @param place   zero-based, of the entry that is not whole */
  constructor(place: number, problem: string) {
    super({
      code: 'GRACE_AUDIT_LOG_TORN',
      message: `the entry at place ${place} is cut off: ${problem}`,
      hint: 'take a fresh copy: what was acknowledged is whole in the log itself',
      details: { place },
    });
  }
}

/** A directory that was said to hold an exported log, and does not. */
export class AuditExportUnreadable extends GraceError {
  constructor(path: string, problem: string) {
    super({
      code: 'GRACE_AUDIT_EXPORT_UNREADABLE',
      message: `${path} is no exported audit log: ${problem}`,
      hint: 'name the directory that grace audit export --out wrote',
      details: { path },
    });
  }
}

/** The log is not exported there, or not as it is. */
export class AuditExportRefused extends GraceError {
  constructor(path: string, problem: string) {
    super({
      code: 'GRACE_AUDIT_EXPORT_REFUSED',
      message: `the audit log is not exported to ${path}: ${problem}`,
      hint: 'name a directory that does not exist yet, and check the log with: grace audit verify',
      details: { path },
    });
  }
}
