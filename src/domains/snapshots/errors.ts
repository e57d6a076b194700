import { GraceError } from '../../kernel/index.ts';

export class SnapshotUnknown extends GraceError {
  constructor(id: string) {
    super({
      code: 'GRACE_SNAPSHOTS_UNKNOWN',
      message: `there is no snapshot "${id}" here`,
      hint: 'see the known ones with: grace snapshots list',
      details: { id },
    });
  }
}

/** A content or a description is not what it was when it was written. */
export class SnapshotDamaged extends GraceError {
  constructor(what: string, problem: string) {
    super({
      code: 'GRACE_SNAPSHOTS_DAMAGED',
      message: `${what} ${problem}`,
      hint: 'nothing was changed; restore what is whole with --only, or another snapshot: grace snapshots list',
      details: { what },
    });
  }
}

export class SnapshotNoRoom extends GraceError {
  constructor(where: string, neededBytes: number, freeBytes: number) {
    super({
      code: 'GRACE_SNAPSHOTS_NO_ROOM',
      message: `there is no room for this at ${where}: ${megabytes(neededBytes)} are needed, ${megabytes(freeBytes)} are free`,
      hint: 'nothing was changed; free some room, or keep fewer snapshots with healing.snapshots.keep',
      details: { where, neededBytes, freeBytes },
      retryable: true,
    });
  }
}

export class SnapshotComponentRuns extends GraceError {
  constructor(component: string) {
    super({
      code: 'GRACE_SNAPSHOTS_COMPONENT_RUNS',
      message: `${component} is running: what is put back under it would be overwritten, or read half old and half new`,
      hint: 'stop it first; or say --while-running when you know that it bears it',
      details: { component },
    });
  }
}

export class SnapshotRefused extends GraceError {
  constructor(problem: string, hint: string) {
    super({ code: 'GRACE_SNAPSHOTS_REFUSED', message: problem, hint });
  }
}

export class SnapshotsBusy extends GraceError {
  constructor(dir: string, pid: number) {
    super({
      code: 'GRACE_SNAPSHOTS_BUSY',
      message: `another Grace (pid ${pid}) is at work in ${dir}`,
      hint: 'wait until its snapshot or restore is done, then try again',
      details: { dir, pid },
      retryable: true,
    });
  }
}

export class SnapshotTimeout extends GraceError {
  constructor(what: string, limitMs: number) {
    super({
      code: 'GRACE_SNAPSHOTS_TIMEOUT',
      message: `${what} was not done within ${limitMs / 60_000} minutes and was given up`,
      hint: 'leave large data out: name fewer files, or lower healing.snapshots.databaseMbMax',
      details: { what, limitMs },
      retryable: true,
    });
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_048_576)} MiB`;
}
