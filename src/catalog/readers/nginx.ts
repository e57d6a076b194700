import { addressOf } from './address.ts';
import { rule, type Reader } from './rule.ts';

const PLACE = /in ([^\s:]{1,300}):(\d{1,7})$/;

function placed(text: string): { path: string; line: number | null } {
  const found = PLACE.exec(text.slice(-320));
  return { path: found?.[1] ?? '', line: found ? Number(found[2]) : null };
}

/** What nginx says; its errors end in `in /etc/nginx/nginx.conf:12`. */
export const nginx: Reader = {
  runtime: 'nginx',
  rules: [
    rule(['bind() to '], /bind\(\) to ([^\s]{1,200}) failed \((\d{1,4}): ([\w ]{1,60})\)/, ([, address = '', errno]) => {
      const { host, port } = addressOf(address);
      if (errno === '13') return { kind: 'port_forbidden', subject: port, code: 'EACCES', details: { address: host } };
      if (errno === '98' || errno === '48') return { kind: 'port_in_use', subject: port, code: 'EADDRINUSE', details: { address: host } };
      return { kind: 'address_unavailable', subject: host, code: 'EADDRNOTAVAIL', details: { key: 'listen' } };
    }),
    rule(
      ['open() "', 'mkdir() "', 'stat() "', 'chdir() "', 'opendir() "'],
      /(?:open|mkdir|stat|chdir|opendir)\(\) "([^"]{1,300})" failed \((\d{1,4}): ([\w -]{1,60})\)/,
      ([, path = '', errno = '']) => {
        switch (errno) {
          case '2':
            return { kind: 'path_missing', subject: path, code: 'ENOENT' };
          case '13':
          case '1':
            return { kind: 'permission_denied', subject: path, code: 'EACCES' };
          case '30':
            return { kind: 'read_only_file_system', subject: path, code: 'EROFS' };
          case '28':
            return { kind: 'disk_full', subject: path, code: 'ENOSPC' };
          case '24':
            return { kind: 'too_many_open_files', subject: path, code: 'EMFILE' };
          case '20':
            return { kind: 'not_a_directory', subject: path, code: 'ENOTDIR' };
          case '21':
            return { kind: 'is_a_directory', subject: path, code: 'EISDIR' };
          default:
            return null;
        }
      },
    ),
    rule(
      ['host not found in upstream', 'host not found in "', 'host not found in resolver'],
      /host not found in (?:upstream |resolver )?"([^"]{1,253})"/,
      ([, host = '']) => ({ kind: 'host_unresolved', subject: host.replace(/:\d{1,5}$/, ''), code: 'upstream' }),
    ),
    rule(
      [
        'unknown directive "',
        'invalid parameter "',
        'invalid number of arguments in "',
        'directive is not allowed here',
        'directive is duplicate',
        'unexpected "',
        'is not terminated by',
        'unknown "',
        'invalid value "',
        'invalid port in',
        'duplicate upstream',
        'duplicate location',
      ],
      /(unknown directive|invalid parameter|invalid number of arguments in|unexpected|unknown|invalid value|invalid port in|duplicate upstream|duplicate location|directive)? ?"([^"]{1,200})"/,
      ([text, , key = ''], place) => {
        const { path, line } = placed(place.lines[place.at]?.text ?? '');
        if (line === null) return null;
        return {
          kind: 'config_invalid',
          subject: path,
          code: text.split('"')[0]?.trim().replaceAll(' ', '_') || 'directive',
          details: { key, line },
        };
      },
    ),
    rule(
      ['duplicate default server', 'conflicting parameter', 'getpwnam("', 'duplicate listen'],
      /a duplicate (default server|listen)|getpwnam\("([^"]{1,60})"\) failed/,
      ([, what = '', user = ''], place) => {
        const { path, line } = placed(place.lines[place.at]?.text ?? '');
        return line === null
          ? null
          : { kind: 'config_invalid', subject: path, code: user === '' ? 'duplicate' : 'user', details: { key: user || what, line } };
      },
    ),
    rule(['dlopen() "'], /dlopen\(\) "([^"]{1,300})" failed/, ([, path = '']) => ({
      kind: 'extension_missing',
      subject: path.split('/').at(-1) ?? path,
      code: 'load_module',
      details: { engine: 'nginx', key: 'load_module', path },
    })),
    rule(
      ['worker_connections are not enough', 'could not build ', 'you should increase'],
      /(\d{1,7}) (worker_connections) are not enough|you should increase (?:either )?(\w{1,60})/,
      ([, , connections = '', hash = '']) => ({
        kind: 'server_limit',
        subject: connections || hash,
        code: 'nginx',
        details: { engine: 'nginx' },
      }),
    ),
    rule(['unexpected end of file, expecting'], /unexpected end of file, expecting/, (_, place) => {
      const { path, line } = placed(place.lines[place.at]?.text ?? '');
      return line === null ? null : { kind: 'config_invalid', subject: path, code: 'unexpected_end', details: { line } };
    }),
    rule(['no "events" section', 'no "ssl_certificate"'], /no "(events|ssl_certificate)"/, ([, key = '']) => ({
      kind: 'config_invalid',
      subject: key,
      code: 'missing_directive',
      details: { key },
    })),
    rule(
      ['connect() failed ('],
      /connect\(\) failed \((\d{1,4}): [\w ]{1,60}\).{0,300}?upstream: "\w{1,10}:\/\/([^"/]{1,200})/,
      ([, errno, upstream = '']) => {
        const { host, port } = addressOf(upstream);
        if (errno === '111')
          return { kind: 'connection_refused', subject: upstream, code: 'ECONNREFUSED', details: { host, port: Number(port) } };
        return { kind: 'timeout', subject: upstream, code: 'ETIMEDOUT' };
      },
    ),
  ],
};
