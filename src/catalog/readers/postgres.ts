import { inUse } from './address.ts';
import { after, before, named, rule, type Draft, type Reader } from './rule.ts';

const engine = { engine: 'postgres' } as const;

/** SQLSTATEs as drivers print them beside the message, for messages in a language we do not read. */
const BY_STATE: Readonly<Record<string, Omit<Draft, 'code'>>> = {
  '42P01': { kind: 'relation_missing', details: { object: 'table' } },
  '42703': { kind: 'relation_missing', details: { object: 'column' } },
  '42883': { kind: 'relation_missing', details: { object: 'function' } },
  '42704': { kind: 'relation_missing', details: { object: 'type' } },
  '3F000': { kind: 'relation_missing', details: { object: 'schema' } },
  '42P07': { kind: 'relation_exists', details: { object: 'table' } },
  '42701': { kind: 'relation_exists', details: { object: 'column' } },
  '42710': { kind: 'relation_exists', details: { object: 'object' } },
  '42723': { kind: 'relation_exists', details: { object: 'function' } },
  '28P01': { kind: 'auth_failed', details: engine },
  '28000': { kind: 'auth_failed', details: engine },
  '3D000': { kind: 'database_missing', details: engine },
  '53300': { kind: 'too_many_connections', subject: 'postgres' },
  '57P03': { kind: 'not_ready_yet', subject: 'postgres' },
  '57P01': { kind: 'connection_lost', details: engine },
  '53100': { kind: 'disk_full', details: engine },
  '53200': { kind: 'out_of_memory', details: engine },
  '25006': { kind: 'writes_refused', subject: 'postgres' },
  '55P03': { kind: 'database_locked', details: engine },
  '42501': { kind: 'rights_missing', details: engine },
  '23505': { kind: 'constraint_violated', details: engine },
  '23503': { kind: 'constraint_violated', details: engine },
  XX001: { kind: 'data_corrupt', details: engine },
  XX002: { kind: 'data_corrupt', details: engine },
};

function missing(object: string, code: string, subject: string, more: Record<string, string> = {}): Draft {
  return { kind: 'relation_missing', subject, code, details: { object, ...more } };
}

function exists(object: string, code: string, subject: string, more: Record<string, string> = {}): Draft {
  return { kind: 'relation_exists', subject, code, details: { object, ...more } };
}

/** What PostgreSQL says at start-up and to its clients, whichever driver repeats it. */
export const postgres: Reader = {
  runtime: 'postgres',
  rules: [
    // Start-up
    rule(['lock file "'], /lock file "([^"]{1,300})" (?:already exists|is empty)/, ([, file = ''], place) => {
      const hint = after(
        place,
        2,
        /Is another \w{1,20} \(PID (\d{1,10})\) (?:running in data directory|using socket file) "([^"]{1,400})"/,
      );
      const isSocket = file.includes('.PGSQL.');
      const subject = hint?.[2] && !isSocket && !file.startsWith('/') ? `${hint[2]}/${file}` : file;
      return {
        kind: 'lock_held',
        subject,
        code: 'F0001',
        details: named({ ...engine, pid: hint?.[1] ? Number(hint[1]) : undefined, dataDirectory: isSocket ? undefined : hint?.[2] }),
      };
    }),
    rule(
      ['could not bind'],
      /could not bind (?:IPv[46] address "([^"]{1,100})"|Unix address "([^"]{1,300})"|\w{1,10} socket): (Address already in use|Permission denied|Cannot assign requested address)/,
      ([, host = '', socket = '', why], place) => {
        const port = after(place, 2, /on port (\d{1,5})/)?.[1] ?? /\.PGSQL\.(\d{1,5})/.exec(socket)?.[1] ?? '';
        if (why === 'Permission denied')
          return { kind: 'port_forbidden', subject: port, code: 'EACCES', details: named({ address: host || socket }) };
        if (why === 'Cannot assign requested address')
          return {
            kind: 'address_unavailable',
            subject: host,
            code: 'EADDRNOTAVAIL',
            details: { ...engine, key: 'listen_addresses' },
          };
        return socket !== '' && port === ''
          ? inUse(socket, 'EADDRINUSE')
          : { kind: 'port_in_use', subject: port, code: 'EADDRINUSE', details: named({ address: host || socket }) };
      },
    ),
    rule(
      ['data directory "'],
      /data directory "([^"]{1,400})" (has wrong ownership|has invalid permissions|has group or world access|does not exist)/,
      ([, path = '', what]) =>
        what === 'does not exist'
          ? { kind: 'path_missing', subject: path, code: 'ENOENT', details: engine }
          : {
              kind: 'permission_denied',
              subject: path,
              code: what === 'has wrong ownership' ? 'wrong_ownership' : 'wrong_mode',
              details: { ...engine, reason: what === 'has wrong ownership' ? 'ownership' : 'mode' },
            },
    ),
    rule(['database files are incompatible'], /database files are incompatible with (?:server|operating system)/, (_, place) => {
      const detail = after(
        place,
        2,
        /initialized by PostgreSQL version (\d{1,3}(?:\.\d{1,3})?), which is not compatible with this version (\d{1,3}(?:\.\d{1,3})?)/,
      );
      return {
        kind: 'data_version_mismatch',
        subject: detail ? `postgres ${detail[1]}` : 'postgres',
        code: 'data_directory_version',
        details: named({ ...engine, wants: detail?.[1], has: detail?.[2] }),
      };
    }),
    rule(
      ['could not locate a valid checkpoint record', 'could not locate required checkpoint record', 'invalid checkpoint record'],
      /(?:PANIC|FATAL):\s{1,3}(?:could not locate (?:a valid|required) checkpoint record|invalid checkpoint record)/,
      () => ({
        kind: 'data_corrupt',
        code: 'no_checkpoint',
        details: { ...engine, tool: 'pg_resetwal' },
      }),
    ),
    rule(
      ['invalid page in block', 'could not read block', 'invalid page header'],
      /(?:invalid page (?:in|header in) block|could not read block) (\d{1,12})(?:\.{2}\d{1,12})? (?:of relation|in file) "?([\w./]{1,300})"?/,
      ([, block = '', path = '']) => ({
        kind: 'data_corrupt',
        subject: path,
        code: 'XX001',
        details: { ...engine, block: Number(block) },
      }),
    ),
    rule(
      [
        'could not open file "',
        'could not access directory "',
        'could not open directory "',
        'could not create file "',
        'could not access the server configuration file "',
        'could not open configuration file "',
        'could not create lock file "',
        'could not open log file "',
      ],
      /could not (?:open|access|create) (?:the server )?(?:lock |configuration |log )?(?:file|directory) "([^"]{1,400})": (No such file or directory|Permission denied|Read-only file system|No space left on device|Is a directory|Not a directory)/,
      ([, path = '', why = '']) => errnoDraft(path, why),
    ),
    rule(
      ['No space left on device', 'could not extend file', 'could not write'],
      /could not (?:extend|write(?: to)?|create) (?:file|temporary file|directory) "([^"]{1,400})": No space left on device/,
      ([, path = '']) => ({ kind: 'disk_full', subject: path, code: '53100', details: engine }),
    ),
    rule(
      ['unrecognized configuration parameter'],
      /unrecognized configuration parameter "([^"]{1,100})"(?: in file "([^"]{1,400})" line (\d{1,7}))?/,
      ([, key = '', path = '', line = '']) => ({
        kind: 'config_invalid',
        subject: path || key,
        code: '42704',
        details: named({ ...engine, key, line: line ? Number(line) : undefined }),
      }),
    ),
    rule(
      ['invalid value for parameter "', 'requires a numeric value', 'requires a Boolean value', 'is outside the valid range for parameter'],
      /(?:invalid value for parameter|parameter) "([^"]{1,100})"/,
      ([, key = ''], place) => ({
        kind: 'config_invalid',
        subject: after(place, 3, /configuration file "([^"]{1,400})" contains errors/)?.[1] ?? key,
        code: '22023',
        details: { ...engine, key },
      }),
    ),
    rule(['syntax error in file "'], /syntax error in file "([^"]{1,400})" line (\d{1,7})/, ([, path = '', line = '']) => ({
      kind: 'config_invalid',
      subject: path,
      code: '42601',
      details: { ...engine, line: Number(line) },
    })),
    rule(['configuration file "'], /configuration file "([^"]{1,400})" contains errors/, ([, path = ''], place) =>
      // The line before names the parameter; this one only repeats that there was one.
      before(place, 3, /unrecognized configuration parameter|invalid value for parameter|syntax error in file/)
        ? []
        : { kind: 'config_invalid', subject: path, code: 'F0000', details: engine },
    ),
    rule(['execution of the PostgreSQL server is not permitted'], /"root" execution/, () => ({
      kind: 'permission_denied',
      subject: 'root',
      code: 'runs_as_root',
      details: { ...engine, reason: 'runs as root' },
    })),

    rule(
      [
        'could not access file "',
        'could not load library "',
        'must be loaded via shared_preload_libraries',
        'permission denied to create extension',
      ],
      /could not access file "(?:\$libdir\/)?([^"]{1,200})": No such file|could not load library "([^"]{1,300})"|\b(\w{1,60}) must be loaded via "?shared_preload_libraries|permission denied to create extension "([^"]{1,128})"/,
      ([, file = '', library = '', preload = '', denied = '']) =>
        denied === ''
          ? {
              kind: 'extension_missing',
              subject: file || library || preload,
              code: '58P01',
              details: { ...engine, key: 'shared_preload_libraries' },
            }
          : { kind: 'rights_missing', subject: denied, code: '42501', details: { ...engine, object: 'extension' } },
    ),
    rule(['out of shared memory'], /out of shared memory/, (_, place) => ({
      kind: 'server_limit',
      subject: after(place, 2, /increase "?(max_\w{1,60})/)?.[1] ?? 'max_locks_per_transaction',
      code: '53200',
      details: engine,
    })),
    rule(
      ['authentication method ', 'SCRAM authentication requires', 'authentication type '],
      /authentication (?:method|type) (\d{1,3}|requested by the server) (?:is )?not supported|SCRAM authentication requires libpq|unsupported authentication (?:method|type)|authentication type (\d{1,3}) is not supported/,
      ([text]) => ({
        kind: 'driver_incompatible',
        subject: /SCRAM| 10 /.test(text) ? 'SCRAM' : 'its authentication',
        code: 'authentication',
        details: engine,
      }),
    ),

    // Objects. The column forms first: "column x of relation y does not exist" also ends like a relation.
    rule(
      ['column '],
      /column "([^"]{1,128})" of relation "([^"]{1,128})" (does not exist|already exists)/,
      ([, column = '', table = '', what]) =>
        what === 'already exists' ? exists('column', '42701', column, { table }) : missing('column', '42703', column, { table }),
    ),
    rule(['column '], /\bcolumn "?([\w.$-]{1,128})"? does not exist/, ([, column = '']) => missing('column', '42703', column)),
    rule(['relation "'], /relation "([^"]{1,128})" (does not exist|already exists)/, ([, name = '', what]) =>
      what === 'already exists' ? exists('table', '42P07', name) : missing('table', '42P01', name),
    ),
    rule(
      ['function ', 'procedure '],
      /\b(?:function|procedure) ([\w.]{1,128})\([^)]{0,200}\) (does not exist|already exists)/,
      ([, name = '', what]) => (what === 'already exists' ? exists('function', '42723', name) : missing('function', '42883', name)),
    ),
    rule(
      [
        'type "',
        'index "',
        'extension "',
        'constraint "',
        'trigger "',
        'schema "',
        'sequence "',
        'view "',
        'policy "',
        'table "',
        'publication "',
      ],
      /\b(type|index|extension|constraint|trigger|schema|sequence|view|policy|table|publication) "([^"]{1,128})"(?: (?:of|on|for) (?:relation|table) "([^"]{1,128})")? (does not exist|already exists|is not available)/,
      ([, object = '', name = '', table = '', what]) => {
        const more: Record<string, string> = table === '' ? {} : { table };
        if (object === 'extension' && what !== 'already exists')
          return { kind: 'extension_missing', subject: name, code: what === 'is not available' ? '0A000' : '42704', details: engine };
        return what === 'already exists'
          ? exists(object, object === 'schema' ? '42P06' : '42710', name, more)
          : missing(
              object,
              what === 'is not available' ? '0A000' : object === 'schema' ? '3F000' : object === 'table' ? '42P01' : '42704',
              name,
              more,
            );
      },
    ),

    // Connections
    rule(
      ['password authentication failed', 'authentication failed for user'],
      /(?:password|Peer|Ident|GSSAPI|LDAP|PAM|certificate) authentication failed for user "([^"]{1,128})"/i,
      ([, user = '']) => ({ kind: 'auth_failed', subject: user, code: '28P01', details: engine }),
    ),
    rule(
      ['no pg_hba.conf entry'],
      /no pg_hba\.conf entry for (?:replication connection from )?host "([^"]{1,100})", user "([^"]{1,128})"(?:, database "([^"]{1,128})")?/,
      ([, host = '', user = '', database = '']) => ({
        kind: 'host_refused',
        subject: user,
        code: '28000',
        details: named({ ...engine, host, database }),
      }),
    ),
    rule(['role "'], /\brole "([^"]{1,128})" (?:does not exist|is not permitted to log in)/, ([, role = '']) => ({
      kind: 'auth_failed',
      subject: role,
      code: '28000',
      details: engine,
    })),
    rule(['client password must be a string', 'no password supplied'], /client password must be a string|no password supplied/, () => ({
      kind: 'auth_failed',
      code: '28P01',
      details: { ...engine, reason: 'no password' },
    })),
    rule(['database "'], /\bdatabase "([^"]{1,128})" (does not exist|already exists)/, ([, database = '', what]) =>
      what === 'already exists'
        ? exists('database', '42P04', database)
        : { kind: 'database_missing', subject: database, code: '3D000', details: engine },
    ),
    rule(
      ['too many clients already', 'remaining connection slots are reserved', 'too many connections for'],
      /too many clients already|remaining connection slots are reserved|too many connections for (?:role|database)/,
      () => ({ kind: 'too_many_connections', subject: 'postgres', code: '53300', details: engine }),
    ),
    rule(
      ['the database system is '],
      /the database system is (starting up|shutting down|in recovery mode|not yet accepting connections|not accepting connections)/,
      ([, state = '']) => ({ kind: 'not_ready_yet', subject: 'postgres', code: '57P03', details: { ...engine, state } }),
    ),
    rule(
      ['terminating connection due to'],
      /terminating connection due to (administrator command|crash of another server process|idle-session timeout|conflict with recovery)/,
      ([, reason = '']) => ({ kind: 'connection_lost', code: '57P01', details: { ...engine, reason } }),
    ),
    rule(
      ['server closed the connection unexpectedly', 'Connection terminated unexpectedly'],
      /server closed the connection unexpectedly|Connection terminated unexpectedly/,
      () => ({ kind: 'connection_lost', code: '08006', details: engine }),
    ),
    rule(
      ['connection to server '],
      /connection to server (?:at "([^"]{1,200})"(?: \(([^)]{1,100})\))?, port (\d{1,5})|on socket "([^"]{1,300})") failed: (Connection refused|No such file or directory|timeout expired|Connection timed out)/,
      ([, host = '', , port = '', socket = '', why = '']) => {
        const subject = socket || `${host}:${port}`;
        return why.includes('time')
          ? { kind: 'timeout', subject, code: 'ETIMEDOUT', details: engine }
          : {
              kind: 'connection_refused',
              subject,
              code: '08001',
              details: named({ ...engine, host, port: port ? Number(port) : undefined }),
            };
      },
    ),
    rule(
      ['could not connect to server', 'Is the server running on host'],
      /Is the server running on host "([^"]{1,200})"(?: \([^)]{1,100}\))? and accepting.{0,60}?port (\d{1,5})/,
      ([, host = '', port = '']) => ({
        kind: 'connection_refused',
        subject: `${host}:${port}`,
        code: '08001',
        details: { ...engine, host, port: Number(port) },
      }),
    ),
    rule(['could not translate host name'], /could not translate host name "([^"]{1,253})" to address/, ([, host = '']) => ({
      kind: 'host_unresolved',
      subject: host,
      code: 'ENOTFOUND',
      details: engine,
    })),
    rule(
      ['in a read-only transaction', 'in read-only mode'],
      /cannot execute ([A-Z ]{1,40}) in a read-only transaction/,
      ([, statement = '']) => ({ kind: 'writes_refused', subject: 'postgres', code: '25006', details: { ...engine, statement } }),
    ),
    rule(
      ['permission denied for '],
      /permission denied for (table|schema|database|sequence|function|relation|view) "?([\w.$-]{1,128})"?/,
      ([, object = '', name = '']) => ({ kind: 'rights_missing', subject: name, code: '42501', details: { ...engine, object } }),
    ),
    rule(['must be owner of '], /must be owner of (\w{1,20}) "?([\w.$-]{1,128})"?/, ([, object = '', name = '']) => ({
      kind: 'rights_missing',
      subject: name,
      code: '42501',
      details: { ...engine, object },
    })),
    rule(['syntax error at or near'], /syntax error at or near "([^"]{1,80})"/, ([, token = ''], place) => {
      const where = /^psql:([^:]{1,300}):(\d{1,7}):/.exec(place.lines[place.at]?.text ?? '');
      return {
        kind: 'syntax_error',
        subject: where?.[1] ?? '',
        code: '42601',
        details: named({ language: 'sql', token, line: where ? Number(where[2]) : undefined }),
      };
    }),
    rule(
      ["code: '", 'SQLSTATE', 'SQL state'],
      /(?:^\s{1,8}code: '|SQLSTATE[[( =:]{1,3}|SQL state \[?)([0-9A-Z]{5})\b/,
      ([, state = '']) => {
        const known = BY_STATE[state];
        return known ? { ...known, code: state } : null;
      },
    ),
  ],
};

function errnoDraft(path: string, why: string): Draft {
  switch (why) {
    case 'Permission denied':
      return { kind: 'permission_denied', subject: path, code: 'EACCES', details: engine };
    case 'Read-only file system':
      return { kind: 'read_only_file_system', subject: path, code: 'EROFS', details: engine };
    case 'No space left on device':
      return { kind: 'disk_full', subject: path, code: 'ENOSPC', details: engine };
    case 'Is a directory':
      return { kind: 'is_a_directory', subject: path, code: 'EISDIR', details: engine };
    case 'Not a directory':
      return { kind: 'not_a_directory', subject: path, code: 'ENOTDIR', details: engine };
    default:
      return { kind: 'path_missing', subject: path, code: 'ENOENT', details: engine };
  }
}
