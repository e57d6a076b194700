import { rule, type Reader } from './rule.ts';

const engine = { engine: 'mysql' } as const;

/** What MySQL and MariaDB say, as servers and through their drivers. */
export const mysql: Reader = {
  runtime: 'mysql',
  rules: [
    rule(['Access denied for user'], /Access denied for user '([^']{0,128})'@'([^']{1,253})'/, ([, user = '', host = '']) => ({
      kind: 'auth_failed',
      subject: user,
      code: 'ER_ACCESS_DENIED_ERROR',
      details: { ...engine, host },
    })),
    rule(['Unknown database'], /Unknown database '([^']{1,128})'/, ([, database = '']) => ({
      kind: 'database_missing',
      subject: database,
      code: 'ER_BAD_DB_ERROR',
      details: engine,
    })),
    rule(["' doesn't exist"], /Table '([^']{1,128})' doesn't exist/, ([, table = '']) => ({
      kind: 'relation_missing',
      subject: table,
      code: 'ER_NO_SUCH_TABLE',
      details: { object: 'table', ...engine },
    })),
    rule(["Unknown column '"], /Unknown column '([^']{1,128})'/, ([, column = '']) => ({
      kind: 'relation_missing',
      subject: column,
      code: 'ER_BAD_FIELD_ERROR',
      details: { object: 'column', ...engine },
    })),
    rule(["' already exists"], /Table '([^']{1,128})' already exists/, ([, table = '']) => ({
      kind: 'relation_exists',
      subject: table,
      code: 'ER_TABLE_EXISTS_ERROR',
      details: { object: 'table', ...engine },
    })),
    rule(["Duplicate column name '"], /Duplicate column name '([^']{1,128})'/, ([, column = '']) => ({
      kind: 'relation_exists',
      subject: column,
      code: 'ER_DUP_FIELDNAME',
      details: { object: 'column', ...engine },
    })),
    rule(['Too many connections'], /Too many connections/, () => ({
      kind: 'too_many_connections',
      subject: 'mysql',
      code: 'ER_CON_COUNT_ERROR',
      details: engine,
    })),
    rule(
      ["Can't connect to", "Can't connect to local"],
      /Can't connect to (?:local )?(?:MySQL )?server (?:on|through socket) '([^']{1,253})'(?::(\d{1,5}))?(?: \((\d{1,4})[\s")])?/,
      ([, host = '', port = '', errno]) =>
        errno === '-2' || errno === '-3'
          ? { kind: 'host_unresolved', subject: host, code: '2005', details: engine }
          : { kind: 'connection_refused', subject: port === '' ? host : `${host}:${port}`, code: '2003', details: engine },
    ),
    rule(['Unknown MySQL server host'], /Unknown MySQL server host '([^']{1,253})'/, ([, host = '']) => ({
      kind: 'host_unresolved',
      subject: host,
      code: '2005',
      details: engine,
    })),
    rule(
      ['MySQL server has gone away', 'Lost connection to MySQL server', 'PROTOCOL_CONNECTION_LOST'],
      /has gone away|Lost connection|PROTOCOL_CONNECTION_LOST/,
      () => ({ kind: 'connection_lost', code: '2006', details: engine }),
    ),
    rule(
      ["Can't start server: Bind on TCP/IP port", 'Do you already have another mysqld server running on port'],
      /Bind on TCP\/IP port: (Address already in use|Permission denied)|another (?:mysqld|server|mariadbd).{0,40} on port: ?(\d{1,5})/,
      ([, why, port = '']) => ({
        kind: why === 'Permission denied' ? 'port_forbidden' : 'port_in_use',
        subject: port,
        code: 'EADDRINUSE',
        details: engine,
      }),
    ),
    rule(['Unable to lock ./'], /Unable to lock (\.\/\S{1,100}?),? error: 11/, ([, file = '']) => ({
      kind: 'lock_held',
      subject: file,
      code: 'EAGAIN',
      details: engine,
    })),
    rule(['Lock wait timeout exceeded'], /Lock wait timeout exceeded/, () => ({
      kind: 'database_locked',
      code: 'ER_LOCK_WAIT_TIMEOUT',
      details: engine,
    })),
    rule(['--read-only option', 'super_read_only'], /running with the (--(?:super-)?read-only) option|super_read_only/, () => ({
      kind: 'writes_refused',
      subject: 'mysql',
      code: 'ER_OPTION_PREVENTS_STATEMENT',
      details: engine,
    })),
    rule(
      ['InnoDB: Database page corruption', 'InnoDB: Page ', 'is marked as crashed'],
      /InnoDB: (?:Database page corruption|Page \[?.{0,80} corrupt)|is marked as crashed/,
      () => ({ kind: 'data_corrupt', code: 'innodb_page', details: { ...engine, tool: 'innodb_force_recovery' } }),
    ),
  ],
};
