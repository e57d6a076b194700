import { GraceError } from '../../kernel/index.ts';

// None of these carries the driver's error as `cause`: its fields can repeat connection settings, password included.

/** Nothing answers where the database should be, or there is no such database. */
export class DatabaseUnreachable extends GraceError {
  constructor(database: string, problem: string, hint: string) {
    super({
      code: 'GRACE_DATABASES_UNREACHABLE',
      message: `${database} cannot be reached: ${problem}`,
      hint,
      details: { database },
      retryable: true,
    });
  }
}

/** The server answered and did not let us in. */
export class DatabaseLoginRefused extends GraceError {
  constructor(database: string, problem: string, sqlState: string | null) {
    super({
      code: 'GRACE_DATABASES_LOGIN_REFUSED',
      message: `${database} refused the login: ${problem}`,
      hint: 'compare user and password in the connection settings with those of the server',
      details: { database, sqlState },
    });
  }
}

/** It did not finish, or did not give us a lock, within the limit. */
export class DatabaseTimeout extends GraceError {
  constructor(database: string, limitMs: number, problem: string) {
    super({
      code: 'GRACE_DATABASES_TIMEOUT',
      message: `${database} gave no answer within ${limitMs} ms: ${problem}`,
      hint: 'look for a long transaction or a migration that is still running, then try again',
      details: { database, limitMs },
      retryable: true,
    });
  }
}

/** The database answered with an error nobody planned for. Everything of that transaction was rolled back. */
export class DatabaseQueryFailed extends GraceError {
  constructor(database: string, problem: string, sqlState: string | null) {
    super({
      code: 'GRACE_DATABASES_QUERY_FAILED',
      message: `${database} answered with an error: ${problem}`,
      hint: 'nothing was changed; correct what the message names',
      details: { database, sqlState },
    });
  }
}

export class DatabaseTooLarge extends GraceError {
  constructor(database: string, tablesLimit: number) {
    super({
      code: 'GRACE_DATABASES_TOO_LARGE',
      message: `${database} has more than ${tablesLimit} tables: its schema is not watched`,
      hint: 'name a database of this service alone, or leave the schema check out for this component',
      details: { database, tablesLimit },
    });
  }
}

export class DatabaseDriverMissing extends GraceError {
  constructor() {
    super({
      code: 'GRACE_DATABASES_DRIVER_MISSING',
      message: 'the package "pg" is not installed: Grace cannot look into PostgreSQL',
      hint: 'npm install pg',
      details: { package: 'pg' },
    });
  }
}

/** A copy cannot be put back as things are. */
export class DatabaseRestoreRefused extends GraceError {
  constructor(database: string, problem: string) {
    super({
      code: 'GRACE_DATABASES_RESTORE_REFUSED',
      message: `${database} is left as it is: ${problem}`,
      hint: 'nothing of it was changed; clear away what the message names, then restore again',
      details: { database },
    });
  }
}

/** `pg_dump` or `pg_restore` is missing, or ended with an error. */
export class DatabaseToolFailed extends GraceError {
  constructor(tool: string, database: string, problem: string, hint: string) {
    super({
      code: 'GRACE_DATABASES_TOOL_FAILED',
      message: `${tool} for ${database}: ${problem}`,
      hint,
      details: { tool, database },
    });
  }
}
