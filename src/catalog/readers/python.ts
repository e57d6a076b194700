import type { Frame } from '../../domains/incidents/index.ts';
import { django } from './django.ts';
import { pythonServers } from './python-servers.ts';
import { after, before, lineAt, named, near, rule, type Draft, type Place, type Reader } from './rule.ts';

/** The place and code of frames, which name ports and variables that the message leaves out. */
const FRAMES_LINES = 30;
const SHOWN_ADDRESS = /\(["'][\w.:*-]{0,100}["'], ?(\d{2,5})\)|\bport ?= ?(\d{2,5})\b/;
/** Models that are filled from the environment. */
const SETTINGS = /pydantic_settings|BaseSettings|validation errors? for \w{0,60}(?:Settings|Config|Env)/;
/** Parts of the standard library that are compiled in, and left out where their library was missing; the Debian package. */
const STANDARD_EXTENSIONS: Readonly<Record<string, string>> = {
  _sqlite3: '', _ssl: '', _hashlib: '', _ctypes: '', _bz2: '', _lzma: '', _zlib: '', zlib: '', _uuid: '', readline: '', _curses: '', _decimal: '', _dbm: '',
  _gdbm: 'python3-gdbm', _tkinter: 'python3-tk', tkinter: 'python3-tk', distutils: 'python3-setuptools', ensurepip: 'python3-venv',
}; // prettier-ignore
const FILE_PLACE = /^\s{2,8}File "([^"]{1,400})", line (\d{1,7})/;

function isIn(place: Place, pattern: RegExp): boolean {
  return before(place, FRAMES_LINES, pattern) !== null;
}

/** What Python says: the exception is the last line of a traceback, and the first traceback is the deepest cause. */
export const python: Reader = {
  runtime: 'python',
  rules: [
    ...pythonServers,
    ...django,
    rule(['No module named '], /No module named '?([\w.]{1,200})'?/, ([, name = ''], place) => {
      const built = STANDARD_EXTENSIONS[name];
      if (built !== undefined)
        return {
          kind: 'runtime_extension_missing',
          subject: name.replace(/^_/, ''),
          code: 'ModuleNotFoundError',
          details: named({ package: built }),
        };
      const from = before(place, 4, FILE_PLACE)?.[1];
      return { kind: 'module_missing', subject: name, code: 'ModuleNotFoundError', details: named({ from, isPackage: true }) };
    }),
    rule(
      ['from partially initialized module', 'partially initialized module '],
      /(?:cannot import name '([^']{1,128})' from )?partially initialized module '([\w.]{1,200})'(?: has no attribute '([^']{1,128})')?/,
      ([, name = '', module = '', attribute = ''], place) => {
        const code = name === '' ? 'AttributeError' : 'ImportError';
        // A file that imports its own name was meant to import the package of that name.
        const inside = before(place, 4, FILE_PLACE)?.[1] ?? '';
        if (name === '' && !module.includes('.') && inside.endsWith(`/${module}.py`))
          return { kind: 'module_shadowed', subject: inside, code, details: { module } };
        return { kind: 'circular_import', subject: module, code, details: named({ name: name || attribute }) };
      },
    ),
    rule(
      ['has the same name as the '],
      /\(consider renaming '([^']{1,400})' since it has the same name as the (?:standard )?library module/,
      ([, path = '']) => ({ kind: 'module_shadowed', subject: path, code: 'AttributeError' }),
    ),
    rule(['cannot import name '], /cannot import name '([^']{1,128})' from '([\w.]{1,200})'/, ([, name = '', module = '']) => ({
      kind: 'export_missing',
      subject: name,
      code: 'ImportError',
      details: { module },
    })),
    rule(
      ['AttributeError: module '],
      /AttributeError: module '([\w.]{1,200})' has no attribute '([^']{1,128})'/,
      ([, module = '', name = '']) => ({ kind: 'export_missing', subject: name, code: 'AttributeError', details: { module } }),
    ),
    rule(['KeyError: '], /KeyError: ['"]([^'"]{1,200})['"]/, ([, key = ''], place) => {
      if (/^[\da-f]{4,40}$/.test(key) && isIn(place, /alembic\/script\/revision\.py"/))
        return { kind: 'migration_failed', subject: key, code: 'alembic', details: { tool: 'alembic', reason: 'missing' } };
      if (!isIn(place, /os\.environ|<frozen os>|\/os\.py"|\benviron\[|getenv/) && !/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(key)) return null;
      return { kind: 'env_missing', subject: key, code: 'KeyError' };
    }),
    rule(
      ["' codec can't "],
      /(Unicode(?:Encode|Decode)Error)?:? ?'([\w-]{1,40})' codec can't (encode|decode)/,
      ([, code = '', codec = '', direction = '']) => ({
        kind: 'encoding_error',
        subject: codec,
        code: code || (direction === 'encode' ? 'UnicodeEncodeError' : 'UnicodeDecodeError'),
      }),
    ),

    // Operating system errors: `[Errno n] text: 'path'`
    rule(
      ['error while attempting to bind on address', 'Connection in use: '],
      /(?:attempting to bind on address|Connection in use:) \('([^']{0,100})', (\d{1,5})/,
      ([, host = '', port = ''], place) => {
        const isForbidden = /permission denied/i.test(lineAt(place, 0));
        return {
          kind: isForbidden ? 'port_forbidden' : 'port_in_use',
          subject: port,
          code: isForbidden ? 'EACCES' : 'EADDRINUSE',
          details: { address: host },
        };
      },
    ),
    rule(
      ['is in use by another program', 'That port is already in use', 'is already in use by another process'],
      /Port (\d{1,5}) is in use by another program|That port is already in use/,
      ([, port = '']) => ({ kind: 'port_in_use', subject: port, code: 'EADDRINUSE' }),
    ),
    rule(
      ['Address already in use'],
      /^(?:OSError: )?(?:\[Errno (?:98|48)\] )?Address already in use(?:: \('([^']{0,100})', (\d{1,5})\))?$/,
      ([, , inMessage = ''], place) => {
        // Flask names the port on the line below; servers that were opened in the service's own code show it above.
        const shown = near(place, FRAMES_LINES, SHOWN_ADDRESS);
        const port = inMessage || after(place, 2, /^Port (\d{1,5}) is in use/)?.[1] || shown?.[1] || shown?.[2] || '';
        return isPython(place) ? { kind: 'port_in_use', subject: port, code: 'EADDRINUSE' } : null;
      },
    ),
    rule(
      ['host=', 'Cannot connect to host', 'Connect call failed'],
      /HTTPS?Connection(?:Pool)?\(host='([^']{1,253})', port=(\d{1,5})\)|Cannot connect to host ([\w.-]{1,253}):(\d{1,5})|Connect call failed \('([^']{1,253})', (\d{1,5})/,
      ([, host1, port1, host2, port2, host3, port3], place) => {
        const host = host1 ?? host2 ?? host3 ?? '';
        const port = port1 ?? port2 ?? port3 ?? '';
        const text = lineAt(place, 0);
        if (/Name or service not known|Failed to resolve|nodename nor servname|Temporary failure in name/.test(text))
          return { kind: 'host_unresolved', subject: host, code: 'gaierror' };
        if (/timed out|Timeout/.test(text)) return { kind: 'timeout', subject: `${host}:${port}`, code: 'ETIMEDOUT' };
        if (!/refused|Connect call failed|Cannot connect/.test(text)) return null;
        return { kind: 'connection_refused', subject: `${host}:${port}`, code: 'ECONNREFUSED', details: { host, port: Number(port) } };
      },
    ),
    rule(
      ['[Errno ', '[WinError '],
      /\[(Errno|WinError) (-?\d{1,5})\] ([^:'\]]{1,100})(?:: b?'([^']{1,400})')?/,
      ([, family = '', number = '', , path = ''], place) => errnoDraft(family === 'WinError' ? `W${number}` : number, path, place),
    ),
    rule(
      ['gaierror', 'Name or service not known', 'Temporary failure in name resolution'],
      /(?:gaierror|Name or service not known|Temporary failure in name resolution)/,
      ([text], place) => {
        if (text !== 'gaierror' && !isPython(place)) return null;
        const host = before(place, FRAMES_LINES, /\(\(?["']([\w.-]{1,253}\.[\w-]{1,63})["'], ?\d{1,5}\)/)?.[1] ?? '';
        return { kind: 'host_unresolved', subject: host, code: 'gaierror' };
      },
    ),
    rule(
      ['MemoryError', 'Unable to allocate '],
      /^(?:numpy\.[\w.]{1,60})?_?(?:Array)?MemoryError\b|Unable to allocate [\d.]{1,12} [KMGT]iB/,
      () => ({ kind: 'out_of_memory', code: 'MemoryError' }),
    ),

    // Source
    rule(
      ['SyntaxError: ', 'IndentationError: ', 'TabError: '],
      /^(SyntaxError|IndentationError|TabError): (.{1,300})/,
      ([, code = '', message = ''], place) => {
        const where = before(place, 4, FILE_PLACE);
        const carets = before(place, 1, /^(\s{0,400})[~^]/);
        if (!where) return null;
        return {
          kind: 'syntax_error',
          subject: where[1] ?? '',
          code,
          details: named({
            language: 'python',
            message,
            line: Number(where[2]),
            column: carets ? Math.max(1, (carets[1]?.length ?? 0) - 3) : undefined,
          }),
        };
      },
    ),
    rule(['was never awaited'], /coroutine '([^']{1,200})' was never awaited/, ([, name = ''], place) => {
      const where = /^([^\s:]{1,300}\.py):(\d{1,7}): /.exec(lineAt(place, 0));
      return {
        kind: 'unawaited',
        subject: name,
        code: 'RuntimeWarning',
        details: named({ path: where?.[1], line: where ? Number(where[2]) : undefined }),
      };
    }),

    // Settings and frameworks
    rule(
      ['type=', 'value is not a valid'],
      /^\s{2,4}([A-Za-z].{0,200}?) [[(]type=((?!missing|value_error\.missing)[a-z][\w.]{1,60})/,
      ([, reason = '', type = ''], place) => {
        const key = lineAt(place, -1).trim();
        if (!/^[\w.]{1,128}$/.test(key)) return null;
        const name = isIn(place, SETTINGS) ? key.toUpperCase() : key;
        return { kind: 'config_invalid', subject: name, code: 'validation', details: { key: name, reason, type } };
      },
    ),
    rule(['ield required'], /^\s{1,4}[Ff]ield required [[(]type=(?:missing|value_error\.missing)/, (_, place) => {
      const key = lineAt(place, -1).trim();
      if (!/^[\w.]{1,128}$/.test(key)) return null;
      const isEnvironment = isIn(place, SETTINGS);
      // pydantic-settings reads `database_url` from DATABASE_URL.
      return isEnvironment
        ? { kind: 'env_missing', subject: key.toUpperCase(), code: 'missing', details: { field: key } }
        : { kind: 'config_invalid', subject: key, code: 'missing', details: { key } };
    }),
    rule(
      ['Declare it as envvar or define a default value'],
      /(?:^|[ :])([A-Z][\w.-]{1,128}) not found\. Declare it as envvar/,
      ([, name = '']) => ({ kind: 'env_missing', subject: name, code: 'UndefinedValueError' }),
    ),
    rule(
      ['SECRET_KEY setting must not be empty', ' setting must not be empty'],
      /The (\w{1,128}) setting must not be empty/,
      ([, name = '']) => ({ kind: 'env_missing', subject: name, code: 'ImproperlyConfigured' }),
    ),
    rule(
      ['unapplied migration', 'Target database is not up to date'],
      /You have (\d{1,5}) unapplied migration|Target database is not up to date/,
      ([, count]) => ({
        kind: 'migration_pending',
        subject: count === undefined ? 'alembic' : 'django',
        code: 'pending',
        details: named({ count: count === undefined ? undefined : Number(count) }),
      }),
    ),
    rule(['Multiple head revisions are present', 'Multiple heads are present'], /Multiple head/, () => ({
      kind: 'migration_failed',
      subject: 'heads',
      code: 'alembic',
      details: { tool: 'alembic', reason: 'branches' },
    })),
    rule(["No config file '"], /No config file '([^']{1,300})' found/, ([, path = '']) => ({
      kind: 'path_missing',
      subject: path,
      code: 'ENOENT',
    })),
    rule(["Can't load plugin: sqlalchemy.dialects"], /Can't load plugin: sqlalchemy\.dialects:([\w.]{1,60})/, ([, dialect = '']) => ({
      kind: 'driver_missing',
      subject: dialect,
      code: 'NoSuchModuleError',
      details: { reason: 'dialect' },
    })),
    rule(
      ['Could not parse SQLAlchemy URL'],
      /Could not parse SQLAlchemy URL from (?:given URL )?string(?: '([^'@]{1,200})')?/,
      ([, url = '']) => ({
        kind: 'config_invalid',
        subject: url,
        code: 'url',
        details: { key: 'database url', reason: 'it is no address of a database' },
      }),
    ),
    rule(["Can't locate revision identified by"], /Can't locate revision identified by '([\w-]{1,64})'/, ([, revision = '']) => ({
      kind: 'migration_failed',
      subject: revision,
      code: 'alembic',
      details: { tool: 'alembic', reason: 'missing' },
    })),
    rule(["can't open file '"], /can't open file '([^']{1,400})': \[Errno (\d{1,3})\]/, ([, path = '', number]) => ({
      kind: number === '13' ? 'permission_denied' : 'path_missing',
      subject: path,
      code: number === '13' ? 'EACCES' : 'ENOENT',
    })),
    rule(['Timeout'], /^(?:[\w.]{1,80}\.)?((?:Connect|Read)?Timeout(?:Error)?)(?:: (.{0,300}))?$/, ([, code = '', what = ''], place) =>
      isPython(place) ? { kind: 'timeout', subject: what, code } : null,
    ),
  ],
  exceptions: [
    rule(
      ['Error', 'Exception', ':', '.'],
      /^(?:\s{2,4}\| )?([A-Za-z_][\w.]{0,120})(?:: (.{0,400}))?$/,
      ([, type = '', message = ''], place) => {
        if (type.endsWith('KeyboardInterrupt') || !endsTraceback(place)) return null;
        return { kind: 'exception', subject: type, code: type.split('.').at(-1) ?? type, details: { message } };
      },
    ),
    rule(['Fatal Python error: '], /Fatal Python error: (.{1,300})/, ([, message = '']) => ({
      kind: 'exception',
      subject: 'Fatal Python error',
      code: 'fatal',
      details: { message },
    })),
  ],
};

/** The line under the last frame (and its code) of a traceback. */
function endsTraceback(place: Place): boolean {
  for (let back = 1; back <= 4; back++) {
    const text = lineAt(place, -back);
    if (FILE_PLACE.test(text) || /^(?:\s{2,4}\| )?\s{2,8}File "/.test(text)) return true;
    if (!text.startsWith('    ') && !/^\s{2,4}\|/.test(text)) return false;
  }
  return false;
}

function isPython(place: Place): boolean {
  return isIn(place, /^Traceback \(most|^\s{2,8}File "|Serving Flask app|Uvicorn|gunicorn|Django/) || /\[Errno/.test(lineAt(place, 0));
}

function errnoDraft(number: string, path: string, place: Place): Draft | null {
  switch (number) {
    case '2':
    case 'W2':
    case 'W3':
      // subprocess reports a missing program like a missing file.
      if (path !== '' && !/[/\\]/.test(path) && isIn(place, /subprocess\.py"|in _execute_child|asyncio\/unix_events/))
        return { kind: 'command_missing', subject: path, code: 'ENOENT' };
      return { kind: 'path_missing', subject: path, code: 'ENOENT' };
    case '13':
    case '1':
    case 'W5':
      return /bind|listen/.test(lineAt(place, -1)) && path === ''
        ? { kind: 'port_forbidden', subject: before(place, FRAMES_LINES, SHOWN_ADDRESS)?.[1] ?? '', code: 'EACCES' }
        : { kind: 'permission_denied', subject: path, code: 'EACCES' };
    case '98':
    case '48':
    case 'W10048': {
      const shown = near(place, FRAMES_LINES, SHOWN_ADDRESS);
      return { kind: 'port_in_use', subject: shown?.[1] ?? shown?.[2] ?? '', code: 'EADDRINUSE' };
    }
    case '99':
      return {
        kind: 'address_unavailable',
        subject: before(place, FRAMES_LINES, /\(["']([\w.:]{1,100})["'], ?\d/)?.[1] ?? '',
        code: 'EADDRNOTAVAIL',
        details: { key: 'address' },
      };
    case '111':
    case '61':
    case 'W10061': {
      const shown = before(place, FRAMES_LINES, /\(\(?["']([\w.:-]{1,253})["'], ?(\d{2,5})\)/);
      if (!shown) return { kind: 'connection_refused', code: 'ECONNREFUSED' };
      return {
        kind: 'connection_refused',
        subject: `${shown[1]}:${shown[2]}`,
        code: 'ECONNREFUSED',
        details: { host: shown[1] ?? '', port: Number(shown[2]) },
      };
    }
    case '104':
    case '32':
      return { kind: 'connection_lost', code: number === '32' ? 'EPIPE' : 'ECONNRESET' };
    case '110':
      return { kind: 'timeout', code: 'ETIMEDOUT' };
    case '-2':
    case '-3':
    case '-5': {
      const host = before(place, FRAMES_LINES, /\(\(?["']([\w.-]{1,253})["'], ?\d{1,5}\)/)?.[1] ?? '';
      return { kind: 'host_unresolved', subject: host, code: 'gaierror' };
    }
    case '28':
      return { kind: 'disk_full', subject: path, code: 'ENOSPC' };
    case '24':
    case '23':
      return { kind: 'too_many_open_files', subject: path, code: 'EMFILE' };
    case '30':
      return { kind: 'read_only_file_system', subject: path, code: 'EROFS' };
    case '20':
      return { kind: 'not_a_directory', subject: path, code: 'ENOTDIR' };
    case '21':
      return { kind: 'is_a_directory', subject: path, code: 'EISDIR' };
    case '12':
      return { kind: 'out_of_memory', code: 'ENOMEM' };
    case '8':
      return { kind: 'native_module_broken', subject: path, code: 'ENOEXEC', details: { reason: 'built for another architecture' } };
    case '11':
      return { kind: 'lock_held', subject: path, code: 'EAGAIN' };
    default:
      return null;
  }
}

const FRAME = /^(?:\s{2,4}\| )?\s{2,8}File "([^"]{1,400})", line (\d{1,7})(?:, in (.{1,200}))?$/;

export function pythonFrame(text: string): Frame | null {
  if (!text.includes('File "')) return null;
  const found = FRAME.exec(text);
  if (!found) return null;
  const [, path = '', line = '', name = ''] = found;
  const installed = /(?:site|dist)-packages\/([^/]{1,100}?)(?:\.py)?(?:\/|$)/.exec(path)?.[1] ?? null;
  const isStandard = installed === null && (path.startsWith('<frozen ') || /\/lib(?:64)?\/python\d[\d.]{0,5}\//.test(path));
  return {
    path,
    function: name,
    line: Number(line),
    inDependency: installed !== null || isStandard,
    package: installed ?? (isStandard ? 'python' : null),
  };
}
