import { rule, type Reader } from './rule.ts';

/** What databases refuse in the same words through every driver, and what pools say before a database is asked at all. */
export const databases: Reader = {
  runtime: 'unknown',
  rules: [
    // Pools
    rule(
      ['Connection is not available, request timed out'],
      /([\w-]{1,60}) - Connection is not available, request timed out after (\d{1,9})ms/,
      ([, pool = '', waited = '']) => ({
        kind: 'pool_exhausted',
        subject: pool,
        code: 'hikari',
        details: { waitedMs: Number(waited) },
        runtime: 'java',
      }),
    ),
    rule(
      [
        'QueuePool limit of size',
        'ResourceRequest timed out',
        'Timeout acquiring a connection',
        'timeout exceeded when trying to connect',
        'could not obtain a connection from the pool',
        'Timed out fetching a new connection',
        'pool timed out while waiting',
        'max pool size was reached',
        'Cannot get a connection, pool error',
      ],
      /QueuePool limit of size \d{1,6} overflow \d{1,6} reached|ResourceRequest timed out|Timeout acquiring a connection|timeout exceeded when trying to connect|could not obtain a connection from the pool|Timed out fetching a new connection from the connection pool|pool timed out while waiting for an open connection|max pool size was reached|Cannot get a connection, pool error/,
      () => ({ kind: 'pool_exhausted', code: 'pool' }),
    ),

    // Constraints
    rule(
      [
        'violates unique constraint',
        'violates foreign key constraint',
        'violates check constraint',
        'violates not-null constraint',
        'violates exclusion constraint',
      ],
      /violates (unique|foreign key|check|not-null|exclusion) constraint(?: "([^"]{1,128})")?/,
      ([, what = '', name = '']) => ({
        kind: 'constraint_violated',
        subject: name,
        code: { unique: '23505', 'foreign key': '23503', check: '23514', 'not-null': '23502', exclusion: '23P01' }[what] ?? '23000',
        details: { engine: 'postgres' },
        runtime: 'postgres',
      }),
    ),
    rule(
      ['constraint failed: ', 'SQLITE_CONSTRAINT'],
      /(UNIQUE|FOREIGN KEY|CHECK|NOT NULL) constraint failed(?:: ([\w.$]{1,128}))?|SQLITE_CONSTRAINT(?:_(\w{1,20}))?/,
      ([, , name = '']) => ({
        kind: 'constraint_violated',
        subject: name,
        code: 'SQLITE_CONSTRAINT',
        details: { engine: 'sqlite' },
        runtime: 'sqlite',
      }),
    ),
    rule(['Duplicate entry '], /Duplicate entry '.{0,200}?' for key '([^']{1,128})'/, ([, key = '']) => ({
      kind: 'constraint_violated',
      subject: key,
      code: 'ER_DUP_ENTRY',
      details: { engine: 'mysql' },
      runtime: 'mysql',
    })),
    rule(['foreign key constraint fails'], /a foreign key constraint fails/, () => ({
      kind: 'constraint_violated',
      code: 'ER_NO_REFERENCED_ROW_2',
      details: { engine: 'mysql' },
      runtime: 'mysql',
    })),
    rule(
      ['E11000 duplicate key'],
      /E11000 duplicate key error collection: (\S{1,200})(?: index: (\S{1,128}))?/,
      ([, collection = '', index = '']) => ({
        kind: 'constraint_violated',
        subject: index === '' ? collection : `${collection} ${index}`,
        code: 'E11000',
        details: { engine: 'mongodb' },
        runtime: 'mongodb',
      }),
    ),

    // Encryption
    rule(
      [
        'SSL is not enabled on the server',
        'server does not support SSL',
        'server does not support SSL connections',
        'SSL is required, but the server',
        'The server does not support SSL',
      ],
      /server does not support SSL|SSL is not enabled on the server|SSL is required, but the server does not support it/,
      ([text]) => ({
        kind: 'encryption_mismatch',
        code: 'no_tls',
        details: { engine: text.includes('required, but') ? 'mysql' : 'postgres', wants: 'plain' },
        runtime: text.includes('required, but') ? 'mysql' : 'postgres',
      }),
    ),
    rule(
      ['no encryption', 'SSL off', 'require_secure_transport', 'SSL/TLS required', 'SSL required'],
      /no pg_hba\.conf entry for host "([^"]{1,100})", user "([^"]{1,128})", database "[^"]{1,128}", (?:no encryption|SSL off)|(--require_secure_transport)|SSL(?:\/TLS)? (?:connection is )?required/,
      ([, host = '', user = '', transport]) =>
        host === ''
          ? {
              kind: 'encryption_mismatch',
              code: 'tls_required',
              details: { engine: transport === undefined ? '' : 'mysql', wants: 'encrypted' },
            }
          : {
              kind: 'host_refused',
              subject: user,
              code: '28000',
              details: { engine: 'postgres', host, encrypted: false },
              runtime: 'postgres',
            },
    ),
  ],
};
