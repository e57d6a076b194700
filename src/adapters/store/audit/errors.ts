import { GraceError, messageOf } from '../../../kernel/index.ts';

/** The log refuses appends: what is stored is not what was written, or it is not known what reached the disk. */
export class AuditLogClosed extends GraceError {
  constructor(path: string, why: string, hint: string, cause?: unknown) {
    super({
      code: 'GRACE_AUDIT_CLOSED',
      message: `the audit log in ${path} takes no entries: ${why}`,
      hint,
      details: { path },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

/** Nothing of the waiting entries was stored, nor of the changes they tell of. */
export class AuditAppendFailed extends GraceError {
  constructor(path: string, cause: unknown) {
    super({
      code: 'GRACE_AUDIT_APPEND_FAILED',
      message: `an entry of the audit log in ${path} could not be stored: ${messageOf(cause)}`,
      hint: 'nothing of it was stored, nor what it tells of; free disk space, or give this user write access, and try again',
      details: { path },
      cause,
      retryable: true,
    });
  }
}

/** Another process or connection held the store's write lock for longer than an entry waits. */
export class AuditStoreBusy extends GraceError {
  constructor(path: string, waitedMs: number) {
    super({
      code: 'GRACE_AUDIT_STORE_BUSY',
      message: `${path} was locked by another writer for ${waitedMs} ms, and the audit log gave up`,
      hint: 'nothing was stored; see which program holds the file open (fuser, lsof) and try again',
      details: { path, waitedMs },
      retryable: true,
    });
  }
}

/** More waits for the disk than may wait. */
export class AuditQueueFull extends GraceError {
  constructor(waiting: number, bytes: number) {
    super({
      code: 'GRACE_AUDIT_QUEUE_FULL',
      message: `${waiting} entries (${bytes} bytes) already wait for the audit log; this one was not taken`,
      hint: 'the disk is slower than what is written; look at it, and try again later',
      details: { waiting, bytes },
      retryable: true,
    });
  }
}

export class AuditKeyUnusable extends GraceError {
  constructor(path: string, why: string, hint: string, cause?: unknown) {
    super({
      code: 'GRACE_AUDIT_KEY_UNUSABLE',
      message: `the key of the audit log, ${path}, cannot be used: ${why}`,
      hint,
      details: { path },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
