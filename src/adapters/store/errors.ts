import { GraceError } from '../../kernel/index.ts';

export class StoreForeign extends GraceError {
  constructor(path: string, why: string, cause?: unknown) {
    super({
      code: 'GRACE_STORE_FOREIGN',
      message: `${path} is not a store of Grace: ${why}`,
      hint: 'it was left untouched; move it away, or name another directory with GRACE_DATA_DIR',
      details: { path },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

export class StoreTooNew extends GraceError {
  constructor(path: string, version: number, known: number) {
    super({
      code: 'GRACE_STORE_TOO_NEW',
      message: `${path} was written by a newer Grace (schema ${version}, this one knows up to ${known})`,
      hint: 'it was left untouched; use the newer Grace, or name another directory with GRACE_DATA_DIR',
      details: { path, version, known },
    });
  }
}

export class StoreUnwritable extends GraceError {
  constructor(path: string, cause: unknown) {
    super({
      code: 'GRACE_STORE_UNWRITABLE',
      message: `cannot write the store at ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'give this user write access to the directory, free disk space, or name another directory with GRACE_DATA_DIR',
      details: { path },
      cause,
    });
  }
}
