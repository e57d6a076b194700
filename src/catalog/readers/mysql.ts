import { rule, type Reader } from './rule.ts';

const engine = { engine: 'mysql' } as const;

/** What MySQL and MariaDB say, as servers and through their drivers. */
export const mysql: Reader = {
  runtime: 'mysql',
  rules: [
    rule(
      ['Access denied for user'],
      /Access denied for user '([^']{0,128})'@'([^']{1,253})'(?! to database)/,
      ([, user = '', host = '']) => ({
        kind: 'auth_failed',
        subject: user,
        code: 'ER_ACCESS_DENIED_ERROR',
        details: { ...engine, host },
      }),
    ),
    rule(
      ['is not allowed to connect to this', 'is blocked because of many connection errors'],
      /Host '([^']{1,253})' is (?:not allowed to connect|blocked because of many)/,
      ([, host = '']) => ({
        kind: 'host_refused',
        code: 'ER_HOST_NOT_PRIVILEGED',
        details: { ...engine, host },
      }),
    ),
    rule(
      ["command denied to user '", 'Access denied for user'],
      /([A-Z ]{3,30}) command denied to user '([^']{0,128})'@'[^']{1,253}' for \w{1,12} [`']([^\s]{1,200}?)[`'](?:$|[^.`\w])|Access denied for user '[^']{0,128}'@'[^']{1,253}' to database '([^']{1,128})'/,
      ([, command = '', , table = '', database = '']) => ({
        kind: 'rights_missing',
        subject: database || table.replaceAll('`', ''),
        code: database === '' ? 'ER_TABLEACCESS_DENIED_ERROR' : 'ER_DBACCESS_DENIED_ERROR',
        details: { ...engine, object: database === '' ? command.trim() + ' on' : 'database' },
      }),
    ),
    rule(['max_allowed_packet'], /bigger than 'max_allowed_packet'|max_allowed_packet/, () => ({
      kind: 'server_limit',
      subject: 'max_allowed_packet',
      code: 'ER_NET_PACKET_TOO_LARGE',
      details: engine,
    })),
    rule(['max_prepared_stmt_count'], /max_prepared_stmt_count/, () => ({
      kind: 'server_limit',
      subject: 'max_prepared_stmt_count',
      code: 'ER_MAX_PREPARED_STMT_COUNT_REACHED',
      details: engine,
    })),
    rule(
      [
        'does not support authentication protocol',
        'Authentication plugin ',
        'ER_NOT_SUPPORTED_AUTH_MODE',
        'RSA public key is not available',
      ],
      /does not support authentication protocol requested by server|Authentication plugin '([\w-]{1,60})' (?:cannot be loaded|is not supported|reported error)|ER_NOT_SUPPORTED_AUTH_MODE/,
      ([, plugin = '']) => ({
        kind: 'driver_incompatible',
        subject: plugin || 'its authentication',
        code: 'ER_NOT_SUPPORTED_AUTH_MODE',
        details: engine,
      }),
    ),
    rule(
      ["Can't open shared library '", "' is not loaded"],
      /Can't open shared library '([^']{1,300})'|Plugin '([\w-]{1,60})' is not loaded/,
      ([, path = '', plugin = '']) => ({
        kind: 'extension_missing',
        subject: plugin || (path.split('/').at(-1) ?? path),
        code: 'ER_PLUGIN_IS_NOT_LOADED',
        details: { ...engine, key: 'plugin-load' },
      }),
    ),
    rule(['unknown variable '], /(?:mysqld|mariadbd|mysql|mariadb): unknown (?:variable|option) '([\w-]{1,80})/, ([, key = '']) => ({
      kind: 'config_invalid',
      subject: key,
      code: 'unknown_variable',
      details: { ...engine, key },
    })),
    rule(
      [
        'InnoDB: Unsupported redo log format',
        'InnoDB: Upgrade after a crash is not supported',
        'Cannot upgrade server earlier than',
        'Invalid MySQL server downgrade',
        'Invalid log header checksum',
        'InnoDB: Invalid flags 0x',
      ],
      /InnoDB: (?:Unsupported redo log format|Upgrade after a crash is not supported)|Cannot upgrade server earlier than|Invalid MySQL server (?:up|down)grade: Cannot (?:up|down)grade from (\d{1,8})/,
      ([, version = '']) => ({
        kind: 'data_version_mismatch',
        subject: version === '' ? '' : `mysql ${version}`,
        code: 'redo_log_format',
        details: engine,
      }),
    ),
    rule(
      ['Cannot map innodb_buffer_pool', 'Cannot allocate memory for the buffer pool'],
      /InnoDB: Cannot (?:map innodb_buffer_pool_size|allocate memory for the buffer pool)/,
      () => ({
        kind: 'memory_refused',
        subject: 'innodb_buffer_pool_size',
        code: 'ENOMEM',
        details: engine,
      }),
    ),
    rule(['Out of memory (Needed '], /Out of memory \(Needed \d{1,18} bytes\)/, () => []),
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
    rule(['Too many connections', '(1040,'], /Too many connections|OperationalError: \(1040,/, () => ({
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
      [
        'InnoDB: Database page corruption',
        'InnoDB: Page ',
        'is marked as crashed',
        'Data structure corruption',
        'InnoDB: Corrupt',
        'Invalid log header checksum',
      ],
      /InnoDB: (?:Database page corruption|Page \[?.{0,80} corrupt|Corrupt)|is marked as crashed|Data structure corruption|InnoDB: Invalid log header checksum/,
      () => ({ kind: 'data_corrupt', code: 'innodb_page', details: { ...engine, tool: 'innodb_force_recovery' } }),
    ),
  ],
};
