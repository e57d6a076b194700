import { after, lineAt, named, rule, type Rule } from './rule.ts';

/** What the servers of Python applications say of what they are to serve: uvicorn, gunicorn, Flask, Celery. */
export const pythonServers: readonly Rule[] = [
  rule(
    ['Error loading ASGI app'],
    /Error loading ASGI app\. (?:Could not import module "([\w.]{1,200})"|Attribute "([\w.]{1,128})" not found in module "([\w.]{1,200})"|Import string "([^"]{1,200})" must be in format)/,
    ([, missing = '', attribute = '', module = '', written = '']) => {
      if (missing !== '') return { kind: 'module_missing', subject: missing, code: 'asgi' };
      return attribute === ''
        ? { kind: 'application_missing', subject: written, code: 'asgi', details: { reason: 'format' } }
        : {
            kind: 'application_missing',
            subject: `${module}:${attribute}`,
            code: 'asgi',
            details: { reason: 'attribute', module, attribute },
          };
    },
  ),
  rule(
    ['Failed to find attribute ', "Failed to parse '", 'Failed to find application object'],
    /^(?:Error: )?Failed to find attribute '([\w.]{1,128})' in '([\w.]{1,200})'|^Failed to parse '([^']{1,128})' as an attribute name|Failed to find application object '([\w.]{1,128})' in '([\w.]{1,200})'/,
    ([, attribute = '', module = '', written = '', object = '', inside = '']) =>
      written === ''
        ? {
            kind: 'application_missing',
            subject: `${module || inside}:${attribute || object}`,
            code: 'wsgi',
            details: { reason: 'attribute', module: module || inside, attribute: attribute || object },
          }
        : { kind: 'application_missing', subject: written, code: 'wsgi', details: { reason: 'format' } },
  ),
  rule(['Could not locate a Flask application'], /Could not locate a Flask application/, () => ({
    kind: 'application_missing',
    subject: 'FLASK_APP',
    code: 'flask',
    details: { reason: 'unnamed' },
  })),
  rule(
    ['Failed to find Flask application or factory', 'Detected multiple Flask applications'],
    /(Failed to find Flask application or factory|Detected multiple Flask applications) in module ['"]([\w.]{1,200})['"]/,
    ([, what = '', module = '']) => ({
      kind: 'application_missing',
      subject: module,
      code: 'flask',
      details: { reason: what.startsWith('Failed') ? 'attribute' : 'ambiguous', module },
    }),
  ),
  rule(
    ['Error: Could not import ', 'Error: While importing '],
    /^Error: (?:Could not import|While importing) ['"]([\w./]{1,200})['"]/,
    ([, name = ''], place) =>
      // The traceback below names the import that failed inside of it.
      lineAt(place, 0).includes('While importing') && after(place, 40, /(?:Error|Exception): /) !== null
        ? []
        : { kind: 'module_missing', subject: name, code: 'flask' },
  ),
  rule(
    ['Unable to load celery application', 'The module ', "' has no attribute '"],
    /^(?:Unable to load celery application\.?(?: ?(?:The module ([\w.]{1,200}) was not found|Module '([\w.]{1,200})' has no attribute '([\w.]{1,100})'))?|The module ([\w.]{1,200}) was not found\.|Module '([\w.]{1,200})' has no attribute '([\w.]{1,100})')/,
    ([, gone = '', module = '', attribute = '', goneBelow = '', moduleBelow = '', attributeBelow = '']) => {
      const missing = gone || goneBelow;
      if (missing !== '') return { kind: 'module_missing', subject: missing, code: 'celery' };
      const [inside, name] = [module || moduleBelow, attribute || attributeBelow];
      return inside === ''
        ? []
        : {
            kind: 'application_missing',
            subject: `${inside}:${name}`,
            code: 'celery',
            details: { reason: 'attribute', module: inside, attribute: name },
          };
    },
  ),
  rule(
    ['Working outside of application context', 'Working outside of request context'],
    /Working outside of (application|request) context/,
    () => ({
      kind: 'used_too_early',
      subject: 'context',
      code: 'RuntimeError',
    }),
  ),
  rule(["Error: Invalid value for '-A' / '--app'"], /^Error: Invalid value for '-A' \/ '--app'/, () => []),

  // Process files
  rule(
    ['Already running on PID '],
    /Already running on PID (\d{1,10}) \(or pid file '([^']{1,300})' is stale\)/,
    ([, pid = '', path = '']) => ({ kind: 'lock_held', subject: path, code: 'pidfile', details: { pid: Number(pid) } }),
  ),
  rule(['Pidfile ('], /Pidfile \(([^)]{1,300})\) already exists/, ([, path = ''], place) => ({
    kind: 'lock_held',
    subject: path,
    code: 'pidfile',
    details: named({ pid: Number(after(place, 1, /\(pid: (\d{1,10})\)/)?.[1]) }),
  })),
  rule(["doesn't exist. Can't create pidfile"], /^Error: (.{1,300}) doesn't exist\. Can't create pidfile/, ([, path = '']) => ({
    kind: 'path_missing',
    subject: path,
    code: 'ENOENT',
  })),
  rule(["' doesn't exist"], /^Error: '([^']{1,300})' doesn't exist$/, ([, path = '']) => ({
    kind: 'path_missing',
    subject: path,
    code: 'ENOENT',
  })),
  rule(["' isn't writable"], /'([^']{1,300})' isn't writable \[(FileNotFoundError|PermissionError)/, ([, path = '', why = '']) =>
    why === 'PermissionError'
      ? { kind: 'permission_denied', subject: path, code: 'EACCES' }
      : { kind: 'path_missing', subject: path, code: 'ENOENT' },
  ),
  rule(["Can't connect to "], /\[ERROR\] Can't connect to ((?:unix:)?[\w./-]{1,300}\.sock)$/, ([, path = '']) => ({
    kind: 'path_missing',
    subject: path.replace(/^unix:/, ''),
    code: 'ENOENT',
  })),

  // Settings of the servers
  rule(['Invalid value for '], /^Invalid value for ([a-z_]{2,40}): (.{1,200})$/, ([, key = ''], place) => ({
    kind: 'config_invalid',
    subject: key,
    code: 'validation',
    details: named({ key, reason: after(place, 4, /^Error: (.{1,200})$/)?.[1] }),
  })),
  rule(['Error: invalid literal for int'], /^Error: invalid literal for int/, () => []),
  rule(['No such user: ', 'No such group: '], /^Error: No such (user|group): '([\w.-]{1,60})'/, ([, key = '', name = '']) => ({
    kind: 'config_invalid',
    subject: name,
    code: 'no_such_user',
    details: { key },
  })),
  rule(['WORKER TIMEOUT'], /WORKER TIMEOUT \(pid:\d{1,10}\)/, () => ({
    kind: 'worker_timeout',
    subject: 'gunicorn',
    code: 'WORKER TIMEOUT',
  })),
  // What the master says after a worker has said why.
  rule(['Worker failed to boot', 'App failed to load'], /(?:Worker failed to boot|App failed to load)/, () => []),
  rule(['Running a worker with superuser privileges when'], /Running a worker with superuser privileges when/, () => ({
    kind: 'runs_as_root',
    subject: 'celery',
    code: 'ROOT_DISALLOWED',
  })),
  // To set it would switch off what protects: it is never asked for.
  rule(['C_FORCE_ROOT'], /C_FORCE_ROOT/, () => []),
  rule(
    ['Cannot connect to amqp'],
    /Cannot connect to amqps?:\/\/(?:[^@\s]{0,120}@)?([\w.-]{1,253}):(\d{1,5})\/.{0,80}(?:Connection refused|timed out)/,
    ([, host = '', port = '']) => ({
      kind: 'connection_refused',
      subject: `${host}:${port}`,
      code: 'ECONNREFUSED',
      details: { host, port: Number(port), engine: 'rabbitmq' },
    }),
  ),
];
