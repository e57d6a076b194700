import { addressOf } from './address.ts';
import { after, before, named, near, rule, type Reader } from './rule.ts';

/** Redis 8 writes 12, and each version adds one at most. */
const RDB_VERSION_MAX = 40;

const engine = { engine: 'redis' } as const;

/** What Redis and Valkey say when they do not start, and what they answer when they do not obey. */
export const redis: Reader = {
  runtime: 'redis',
  rules: [
    rule(
      ['Bad file format reading the append only file'],
      /Bad file format reading the append only file:? ?([^\s:]{1,300})?/,
      ([, file = '']) => ({ kind: 'data_corrupt', subject: file, code: 'aof_format', details: { ...engine, tool: 'redis-check-aof' } }),
    ),
    rule(['reading the append only file'], /Unexpected end of file reading the append only file:? ?([^\s:]{1,300})?/, ([, file = '']) => ({
      kind: 'data_corrupt',
      subject: file,
      code: 'aof_truncated',
      details: { ...engine, tool: 'redis-check-aof' },
    })),
    rule(
      ['Unrecoverable error reading the append only file', 'AOF manifest', "doesn't exist when the AOF manifest"],
      /Unrecoverable error reading the append only file:? ?([^\s:]{1,300})?|(?:Invalid|Bad) AOF manifest|The AOF manifest file|AOF file (\S{1,300}) doesn't exist/i,
      ([, file = '', gone = '']) => ({
        kind: 'data_corrupt',
        subject: file || gone,
        code: 'aof_read',
        details: { ...engine, tool: 'redis-check-aof' },
      }),
    ),
    rule(
      [
        'Short read or OOM loading DB',
        'Wrong signature trying to load DB',
        'RDB file was saved with checksum',
        'Wrong RDB checksum',
        'Internal error in RDB reading',
      ],
      /(Short read or OOM loading DB|Wrong signature trying to load DB|Wrong RDB checksum|RDB file was saved with checksum|Internal error in RDB reading)/,
      ([, what = '']) => ({
        kind: 'data_corrupt',
        code: what.startsWith('Wrong signature') ? 'rdb_signature' : 'rdb_read',
        details: { ...engine, tool: 'redis-check-rdb' },
      }),
    ),
    rule(["Can't handle RDB format version"], /Can't handle RDB format version (\d{1,10})/, ([, version = '']) =>
      // Anything else is no version, but a header that was torn.
      Number(version) >= 1 && Number(version) <= RDB_VERSION_MAX
        ? { kind: 'data_version_mismatch', subject: `RDB version ${version}`, code: 'rdb_version', details: { ...engine, wants: version } }
        : { kind: 'data_corrupt', code: 'rdb_version', details: { ...engine, tool: 'redis-check-rdb' } },
    ),
    rule(['Fatal error loading the DB'], /Fatal error loading the DB(?:, check server logs)?(?:: ([^.]{1,80}))?/, ([, why = ''], place) =>
      before(place, 4, /Wrong signature|RDB format|Short read|checksum/)
        ? []
        : {
            kind: why === 'Permission denied' ? 'permission_denied' : 'data_corrupt',
            code: 'rdb_read',
            details: { ...engine, tool: 'redis-check-rdb' },
          },
    ),
    rule(
      ["Can't open the append", "Can't open or create append", "Can't create the append"],
      /Can't (?:open|create)(?: or create)? (?:the )?append[- ]?only (?:file|dir)(?: ([^\s:]{1,300}))?: (Permission denied|No such file or directory)/,
      ([, path = '', why = '']) => ({
        kind: why === 'Permission denied' ? 'permission_denied' : 'path_missing',
        subject: path,
        code: 'aof_open',
        details: { ...engine, key: 'dir' },
      }),
    ),
    rule(
      ["Can't open the log file"],
      /Can't open the log file: (No such file or directory|Permission denied|Is a directory)/,
      ([, why = ''], place) => {
        const file = near(place, 3, /^>>> 'logfile "?([^"']{1,300})"?'/)?.[1] ?? '';
        return {
          kind: why === 'Permission denied' ? 'permission_denied' : why === 'Is a directory' ? 'is_a_directory' : 'path_missing',
          subject: file,
          code: 'logfile',
          details: { ...engine, key: 'logfile' },
        };
      },
    ),
    rule(
      ["Can't chdir to"],
      /Can't chdir to '([^']{1,300})': (No such file or directory|Permission denied|Not a directory)/,
      ([, path = '', why = '']) => ({
        kind: why === 'Permission denied' ? 'permission_denied' : why === 'Not a directory' ? 'not_a_directory' : 'path_missing',
        subject: path,
        code: 'dir',
        details: { ...engine, key: 'dir' },
      }),
    ),
    rule([">>> '"], /^>>> '([a-z][\w-]{1,60})(?: (.{0,300}))?'$/, ([, key = '', value = ''], place) => {
      const why = after(place, 1, /.{1,300}/)?.[0] ?? '';
      // The log file has a sentence of its own on the next line.
      if (why.startsWith("Can't open the log file") || why.startsWith("Can't chdir")) return [];
      const line = before(place, 1, /at line (\d{1,7})/)?.[1];
      const path = value.replace(/^"|"$/g, '');
      if (why === 'No such file or directory') return { kind: 'path_missing', subject: path, code: key, details: { ...engine, key } };
      if (why === 'Permission denied') return { kind: 'permission_denied', subject: path, code: key, details: { ...engine, key } };
      return {
        kind: 'config_invalid',
        subject: key,
        code: 'directive',
        details: named({ ...engine, key, line: line ? Number(line) : undefined, reason: why }),
      };
    }),
    rule(
      ["can't open config file"],
      /can't open config file '([^']{1,300})': (No such file or directory|Permission denied)/,
      ([, path = '', why]) => ({
        kind: why === 'Permission denied' ? 'permission_denied' : 'path_missing',
        subject: path,
        code: 'config_file',
        details: engine,
      }),
    ),
    rule(
      ['Could not create server TCP listening socket', 'Creating Server TCP listening socket'],
      /(?:Could not create|Creating) [Ss]erver TCP listening socket ([^\s]{1,100}): bind: (Address already in use|Permission denied|Cannot assign requested address)/,
      ([, address = '', why]) => {
        const { host, port } = addressOf(address);
        if (why === 'Permission denied') return { kind: 'port_forbidden', subject: port, code: 'EACCES', details: { address: host } };
        if (why !== 'Address already in use')
          return { kind: 'address_unavailable', subject: host, code: 'EADDRNOTAVAIL', details: { ...engine, key: 'bind' } };
        return { kind: 'port_in_use', subject: port, code: 'EADDRINUSE', details: { address: host } };
      },
    ),
    rule(['Failed listening on port'], /Failed listening on port (\d{1,5})/, ([, port = ''], place) =>
      before(place, 6, /bind: (?:Permission denied|Cannot assign)/)
        ? []
        : { kind: 'port_in_use', subject: port, code: 'EADDRINUSE', details: engine },
    ),
    rule(['NOREPLICAS'], /\bNOREPLICAS\b/, () => ({ kind: 'writes_refused', subject: 'redis', code: 'NOREPLICAS', details: engine })),
    rule(['MISCONF'], /\bMISCONF\b/, () => ({ kind: 'writes_refused', subject: 'redis', code: 'MISCONF', details: engine })),
    rule(['READONLY You can', "can't write against a read only replica"], /READONLY|read only replica/, () => ({
      kind: 'writes_refused',
      subject: 'redis',
      code: 'READONLY',
      details: engine,
    })),
    rule(['OOM command not allowed'], /OOM command not allowed/, () => ({
      kind: 'server_full',
      subject: 'redis',
      code: 'OOM',
      details: { ...engine, resource: 'memory', limit: 'maxmemory' },
    })),
    rule(
      ['NOPERM ', "Can't load module from", 'CLUSTERDOWN', 'DENIED Redis is running in protected mode', 'ERR unknown command'],
      /\b(NOPERM)\b.{0,60}(?:run the '([\w|-]{1,40})' command|access)|Can't load module from (\S{1,300}?):|\b(CLUSTERDOWN)\b|(DENIED) Redis is running in protected mode|ERR unknown command [`']([\w.]{1,40})[`']/,
      ([, noperm, command = '', module = '', down, denied, unknown = '']) => {
        if (noperm) return { kind: 'rights_missing', subject: command, code: 'NOPERM', details: { ...engine, object: 'command' } };
        if (module !== '')
          return { kind: 'extension_missing', subject: module, code: 'loadmodule', details: { ...engine, key: 'loadmodule' } };
        if (down) return { kind: 'no_quorum', subject: 'redis', code: 'CLUSTERDOWN', details: engine };
        if (denied) return { kind: 'host_refused', code: 'DENIED', details: { ...engine, reason: 'protected mode' } };
        return unknown.includes('.')
          ? { kind: 'extension_missing', subject: unknown.split('.')[0] ?? unknown, code: 'unknown_command', details: engine }
          : { kind: 'driver_incompatible', subject: `the command ${unknown}`, code: 'unknown_command', details: engine };
      },
    ),
    // What the module itself says is repeated by the line that names the setting.
    rule(['failed to load: '], /^.{0,60}# Module \S{1,300} failed to load: /, () => []),
    rule(
      ['NOAUTH ', 'NOPERM ', 'WRONGPASS ', 'ERR invalid password', 'ERR AUTH <password> called without any password'],
      /\b(NOAUTH|NOPERM|WRONGPASS)\b|ERR (?:invalid password|AUTH <password>)/,
      ([, code = 'WRONGPASS']) => ({ kind: 'auth_failed', code, details: engine }),
    ),
    rule(
      ['LOADING ', 'BusyLoadingError', 'is loading the dataset in memory'],
      /\bLOADING (?:Redis|Valkey) is loading|BusyLoadingError|is loading the dataset in memory/,
      () => ({ kind: 'not_ready_yet', subject: 'redis', code: 'LOADING', details: engine }),
    ),
    rule(['max number of clients reached'], /max number of clients reached/, () => ({
      kind: 'too_many_connections',
      subject: 'redis',
      code: 'maxclients',
      details: engine,
    })),
    rule(['connecting to '], /Error (-?\d{1,4}) connecting to ([\w.:[\]-]{1,253}):(\d{1,5})\./, ([, errno = '', host = '', port = '']) =>
      errno.startsWith('-')
        ? { kind: 'host_unresolved', subject: host, code: errno, details: engine }
        : {
            kind: 'connection_refused',
            subject: `${host}:${port}`,
            code: 'ECONNREFUSED',
            details: { ...engine, host, port: Number(port) },
          },
    ),
  ],
};
