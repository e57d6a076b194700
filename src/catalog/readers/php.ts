import { posix } from 'node:path';
import type { Frame } from '../../domains/incidents/index.ts';
import { addressOf } from './address.ts';
import { after, before, lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** ` in /srv/app/index.php:4` of an uncaught error, ` in /srv/app/index.php on line 4` of everything else. */
const PLACE = / in (\/[^\s:()]{1,300}|[\w./-]{1,300}\.php)(?::| on line )(\d{1,7})$/;

/** Which extension offers a class or a function that PHP does not know without it. */
const EXTENSION_OF: readonly (readonly [RegExp, string])[] = [
  [/^(?:mysqli(?:_\w+)?)$/i, 'mysqli'],
  [/^(?:PDO(?:Exception|Statement)?)$/, 'pdo'],
  [/^(?:mb_\w+)$/, 'mbstring'],
  [/^(?:pg_\w+)$/, 'pgsql'],
  [/^(?:curl_\w+|CURLFile)$/i, 'curl'],
  [/^(?:image(?:create\w*|jpeg|png|gif|webp|copy\w*|s[xy]|ttf\w*)|getimagesize\w*|gd_info|GdImage)$/i, 'gd'],
  [/^(?:Imagick\w*)$/, 'imagick'],
  [
    /^(?:(?:Intl|Collator|NumberFormatter|MessageFormatter|Normalizer|Locale|Transliterator|IDN)\w*|idn_to_\w+|grapheme_\w+|normalizer_\w+)$/,
    'intl',
  ],
  [/^(?:bc(?:add|sub|mul|div|mod|pow|sqrt|comp|scale)\w*)$/, 'bcmath'],
  [/^(?:gmp_\w+|GMP)$/, 'gmp'],
  [/^(?:simplexml_\w+|SimpleXML\w*)$/, 'simplexml'],
  [/^(?:DOM\w+|dom_\w+)$/, 'dom'],
  [/^(?:xml(?:_parser\w*|writer_\w*)|XML(?:Reader|Writer))$/, 'xml'],
  [/^(?:Soap\w+)$/, 'soap'],
  [/^(?:Zip(?:Archive)?|zip_\w+)$/, 'zip'],
  [/^(?:ldap_\w+)$/, 'ldap'],
  [/^(?:Redis\w*)$/, 'redis'],
  [/^(?:Memcached?)$/, 'memcached'],
  [/^(?:MongoDB\\Driver\\\w+)$/, 'mongodb'],
  [/^(?:AMQP\w+)$/, 'amqp'],
  [/^(?:apcu_\w+|APCUIterator)$/, 'apcu'],
  [/^(?:SQLite3\w*)$/, 'sqlite3'],
  [/^(?:ctype_\w+)$/, 'ctype'],
  [/^(?:token_get_all|PhpToken)$/, 'tokenizer'],
  [/^(?:iconv\w*)$/, 'iconv'],
  [/^(?:openssl_\w+)$/, 'openssl'],
  [/^(?:sodium_\w+)$/, 'sodium'],
  [/^(?:pcntl_\w+)$/, 'pcntl'],
  [/^(?:posix_\w+)$/, 'posix'],
  [/^(?:socket_\w+)$/, 'sockets'],
  [/^(?:imap_\w+)$/, 'imap'],
  [/^(?:gzip\w*|gz(?:encode|decode|inflate|deflate|open|compress|uncompress))$/, 'zlib'],
];

function extensionOf(name: string): string | null {
  return EXTENSION_OF.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

const extension = (name: string, details: Draft['details'] = {}): Draft => ({
  kind: 'runtime_extension_missing',
  subject: name,
  code: 'php_extension',
  details,
});

/** What PHP, its FPM, Composer, and the frameworks Symfony and Laravel say. */
export const php: Reader = {
  runtime: 'php',
  rules: [
    // Composer: what its autoloader asks of the platform, in a block of sentences
    rule(
      ['Your Composer dependencies require a PHP version', 'requires php '],
      /Your Composer dependencies require a PHP version "([^"]{1,60})"\. You are running ([\d.]{1,20}\d)|requires php (\S{1,40}) (?:->|but) your php version \((\S{1,20})\)/,
      ([, wants = '', has = '', needs = '', is = '']) => ({
        kind: 'runtime_version_mismatch',
        subject: `php ${wants || needs}`,
        code: 'composer_platform',
        details: named({ wants: wants || needs, has: has || is }),
      }),
    ),
    rule(
      ['Your Composer dependencies require the following PHP extensions'],
      /require the following PHP extensions to be installed: ([\w, -]{1,300})/,
      ([, list = '']) =>
        list
          .split(', ')
          .filter((name) => name !== '')
          .slice(0, 20)
          .map((name) => extension(name.trim())),
    ),
    rule(['Composer detected issues in your platform'], /Composer detected issues in your platform:?$/, () => []),
    rule(
      ['is in the lock file as', 'lock file is not up to date with the latest changes'],
      /Required package "([\w./-]{1,120})" is (?:in the lock file as|not present in the lock file)/,
      ([, name = '']) => ({ kind: 'lock_file_outdated', subject: 'composer.lock', code: 'composer', details: { package: name } }),
    ),
    rule(['does not contain valid JSON'], /"(?:\.\/)?([\w./-]{1,200}\.json)" does not contain valid JSON/, ([, path = ''], place) => ({
      kind: 'config_invalid',
      subject: path,
      code: 'json_parse',
      details: named({ language: 'json', line: Number(after(place, 3, /Parse error on line (\d{1,7})/)?.[1]) }),
    })),

    // The engine
    rule(['Allowed memory size of '], /Allowed memory size of (\d{4,20}) bytes exhausted/, ([, bytes = '']) => ({
      kind: 'out_of_memory',
      code: 'memory_limit',
      details: { limitMb: Math.round(Number(bytes) / 1024 / 1024) },
    })),
    rule(['Maximum execution time of '], /Maximum execution time of (\d{1,6}) seconds? exceeded/, ([, seconds = '']) => ({
      kind: 'worker_timeout',
      subject: 'php',
      code: 'max_execution_time',
      details: { limitSeconds: Number(seconds) },
    })),
    rule(['Parse error: ', 'ParseError: '], /(?:Parse error|ParseError): {1,2}(.{1,300})/, ([, message = ''], place) => {
      const where = PLACE.exec(lineAt(place, 0));
      return where === null
        ? null
        : {
            kind: 'syntax_error',
            subject: where[1] ?? '',
            code: 'ParseError',
            details: named({ language: 'php', message: message.replace(PLACE, '').replace(/^syntax error, /, ''), line: Number(where[2]) }),
          };
    }),
    rule(
      ['Class "', "Class '", 'Interface "', 'Trait "'],
      /(?:Class|Interface|Trait) ["']([\w\\]{1,200})["'] not found/,
      ([, name = '']) => {
        const wanted = extensionOf(name);
        return wanted === null ? { kind: 'class_missing', subject: name, code: 'Error' } : extension(wanted, { wanted: name });
      },
    ),
    rule(['Call to undefined function '], /Call to undefined function ([\w\\]{1,200})\(\)/, ([, name = '']) => {
      const wanted = extensionOf(name.slice(name.lastIndexOf('\\') + 1));
      return wanted === null ? null : extension(wanted, { wanted: name });
    }),
    rule(['could not find driver'], /could not find driver(?: \(Connection: (\w{1,60})|.{0,40}?)/, ([, connection = ''], place) => ({
      kind: 'driver_missing',
      subject: connection,
      code: 'PDOException',
      details: named({ from: PLACE.exec(lineAt(place, 0))?.[1] }),
    })),
    rule(
      ['SQLSTATE[HY000] [2002]'],
      /SQLSTATE\[HY000\] \[2002\] (Connection refused|No such file or directory|Connection timed out|php_network_getaddresses)/,
      ([, reason = '']) =>
        reason.startsWith('php_network')
          ? { kind: 'host_unresolved', code: '2002', runtime: 'mysql', details: { engine: 'mysql' } }
          : reason.includes('timed out')
            ? { kind: 'timeout', subject: 'mysql', code: '2002', runtime: 'mysql' }
            : { kind: 'connection_refused', code: '2002', runtime: 'mysql', details: { engine: 'mysql' } },
    ),

    rule(['php_network_getaddresses'], /php_network_getaddresses: getaddrinfo (?:for ([\w.-]{1,253}) )?failed/, ([, host = '']) => ({
      kind: 'host_unresolved',
      subject: host,
      code: 'getaddrinfo',
    })),

    // Files: the warning says why, the error that follows names it again.
    rule(
      ['ailed to open stream: ', 'could not be opened'],
      /(?:(?:require|include)(?:_once)?|f(?:open|ile(?:_(?:get|put)_contents)?)|readfile|parse_ini_file|copy|touch|rename|opendir|scandir|The stream or file) ?(?:\(([^)\s]{1,400})(?:\)|, )|"([^"]{1,400})").{0,120}?ailed to open stream: (No such file or directory|Permission denied|Is a directory|Read-only file system|No space left on device|Too many open files)/,
      ([, called = '', logged = '', reason = '']) => streamDraft(posix.normalize(called || logged), reason),
    ),
    rule(['Failed opening required '], /Failed opening required '([^']{1,400})'/, ([, path = '']) =>
      streamDraft(posix.normalize(path), 'No such file or directory'),
    ),
    // Functions that change a directory name nothing but the place in the code.
    rule(
      [
        '(): No such file or directory in ',
        '(): Permission denied in ',
        '(): Read-only file system in ',
        '(): No space left on device in ',
      ],
      /\b\w{2,40}\(\): (No such file or directory|Permission denied|Read-only file system|No space left on device) in /,
      ([, reason = '']) => streamDraft('', reason),
    ),
    rule(['Could not open input file: '], /Could not open input file: (\S{1,300})/, ([, path = '']) => ({
      kind: 'path_missing',
      subject: path,
      code: 'ENOENT',
    })),
    rule(['Directory '], /^Directory (\S{1,300}) does not exist\.$/, ([, path = '']) => ({
      kind: 'path_missing',
      subject: path,
      code: 'ENOENT',
    })),

    // Sockets
    rule(
      ['Failed to listen on ', 'stream_socket_server(): ', 'socket_bind(): '],
      /(?:Failed to listen on |stream_socket_server\(\): Unable to connect to (?:tcp|udp):\/\/)(\[?[\w.:*-]{1,100}\]?:\d{1,5}).{0,20}?(Address already in use|Permission denied)/,
      ([, address = '', reason = '']) => socketDraft(address, reason),
    ),
    rule(
      ['unable to bind listening socket for address'],
      /unable to bind listening socket for address '([^']{1,300})': (Address already in use|Permission denied|No such file or directory|.{1,60})/,
      ([, address = '', reason = '']) => {
        if (!address.startsWith('/')) return socketDraft(address, reason);
        if (reason === 'No such file or directory') return { kind: 'path_missing', subject: address, code: 'ENOENT' };
        return reason === 'Permission denied' ? { kind: 'permission_denied', subject: address, code: 'EACCES' } : null;
      },
    ),

    // FPM's configuration
    rule(
      ['ERROR: [', 'unable to parse value', 'unknown entry', 'unable to include'],
      /\[([\w./-]{1,300}):(\d{1,7})\] (unknown entry|unable to parse value for entry|value is NULL for a ZEND_INI_PARSER_ENTRY|Array are not allowed)(?: '([\w.[\]-]{1,100})')?(?:: (.{0,200}))?/,
      ([, path = '', line = '', what = '', key = '', reason = '']) => ({
        kind: 'config_invalid',
        subject: path,
        code: what.startsWith('unknown') ? 'unknown_key' : 'validation',
        details: named({ key, line: Number(line), reason }),
      }),
    ),
    rule(
      ['failed to open configuration file ', 'Unable to read the "'],
      /failed to open configuration file '([^']{1,300})': (No such file or directory|Permission denied)|Unable to read the "([^"]{1,300})" environment file/,
      ([, path = '', reason = '', env = '']) =>
        reason === 'Permission denied'
          ? { kind: 'permission_denied', subject: path, code: 'EACCES' }
          : { kind: 'path_missing', subject: path || env, code: 'ENOENT' },
    ),
    rule(['please specify user and group other than root'], /please specify user and group other than root/, () => ({
      kind: 'runs_as_root',
      subject: 'php-fpm',
      code: 'pool_user',
    })),
    rule(
      ['has not been defined', 'cannot get uid for user', 'cannot get gid for group', 'No pool defined'],
      /\[pool ([\w.-]{1,60})\] (\w{1,40}) has not been defined|cannot get [ug]id for (user|group) '([\w.-]{1,60})'|No pool defined/,
      ([, pool = '', key = '', who = '', name = '']) => ({
        kind: 'config_invalid',
        subject: name,
        code: name === '' ? 'pool' : 'no_such_user',
        details: named({ key: key || who, pool }),
      }),
    ),

    // Frameworks
    rule(['No application encryption key has been specified'], /No application encryption key has been specified/, () => ({
      kind: 'env_missing',
      subject: 'APP_KEY',
      code: 'MissingAppKeyException',
    })),
    rule(['Unsupported cipher or incorrect key length'], /Unsupported cipher or incorrect key length/, () => ({
      kind: 'encryption_key_wrong',
      subject: 'APP_KEY',
      code: 'encrypter',
      details: { reason: 'wrong' },
    })),
    rule(['Environment variable not found: '], /Environment variable not found: "([A-Z][A-Z0-9_]{0,127})"/, ([, name = '']) => ({
      kind: 'env_missing',
      subject: name,
      code: 'EnvNotFoundException',
    })),
    rule(
      ['Vite manifest not found at: ', 'Mix manifest does not exist', 'Mix manifest not found at: '],
      /(?:Vite|Mix) manifest (?:not found at: ([^\s]{1,300}\.json)|does not exist)/,
      ([, path = '']) => ({ kind: 'assets_missing', subject: path || 'mix-manifest.json', code: 'manifest', details: { tool: 'node' } }),
    ),
    rule(
      ['ParseException', 'at line ', 'cannot be parsed'],
      /(?:Yaml\\Exception\\ParseException: |The file "[^"]{1,300}" does not contain valid YAML: )(.{1,200}?)(?: in "([^"]{1,300})"(?: \(which is .{0,200}?\))?)? at line (\d{1,7})|(?:The file "([^"]{1,300})" does not contain valid YAML)/,
      ([, reason = '', path = '', line = '', other = '']) => ({
        kind: 'config_invalid',
        subject: path || other,
        code: 'yaml_parse',
        details: named({ language: 'yaml', reason, line: line === '' ? undefined : Number(line) }),
      }),
    ),
    rule(
      ['Dotenv\\Exception\\FormatException: '],
      /FormatException: (.{1,200}?) in "([^"]{1,300})" at line (\d{1,7})/,
      ([, reason = '', path = '', line = '']) => ({
        kind: 'config_invalid',
        subject: path,
        code: 'env_parse',
        details: { language: 'env', reason, line: Number(line) },
      }),
    ),
    rule(['Uncaught JsonException: '], /Uncaught JsonException: (.{1,100}?) in /, ([, reason = '']) => ({
      kind: 'config_invalid',
      code: 'json_parse',
      details: { language: 'json', reason },
    })),
  ],
  exceptions: [
    rule(
      ['Uncaught '],
      /(?:^|PHP |\] )(?:Fatal error: {1,2})Uncaught (?:exception ')?([A-Za-z_][\w\\]{0,200})(?:: (.{0,400}))?/,
      ([, type = '', message = '']) => ({
        kind: 'exception',
        subject: type,
        code: type.slice(type.lastIndexOf('\\') + 1),
        details: { message: message.replace(PLACE, '') },
      }),
    ),
    rule(['Fatal error: '], /(?:^|PHP )Fatal error: {1,2}(.{1,400})/, ([, message = ''], place) =>
      PLACE.test(lineAt(place, 0)) || before(place, 1, /^PHP /) !== null
        ? { kind: 'exception', subject: 'Fatal error', code: 'fatal', details: { message: message.replace(PLACE, '') } }
        : null,
    ),
  ],
};

function streamDraft(path: string, reason: string): Draft {
  if (/(?:^|\/)vendor\/autoload\.php$/.test(path) && reason === 'No such file or directory')
    return { kind: 'module_missing', subject: path, code: 'autoload', details: { isPackage: true } };
  switch (reason) {
    case 'Permission denied':
      return { kind: 'permission_denied', subject: path, code: 'EACCES' };
    case 'Is a directory':
      return { kind: 'is_a_directory', subject: path, code: 'EISDIR' };
    case 'Read-only file system':
      return { kind: 'read_only_file_system', subject: path, code: 'EROFS' };
    case 'No space left on device':
      return { kind: 'disk_full', subject: path, code: 'ENOSPC' };
    case 'Too many open files':
      return { kind: 'too_many_open_files', subject: path, code: 'EMFILE' };
    default:
      return { kind: 'path_missing', subject: path, code: 'ENOENT' };
  }
}

function socketDraft(address: string, reason: string): Draft | null {
  const { host, port } = addressOf(address);
  if (reason === 'Address already in use')
    return { kind: 'port_in_use', subject: port || address, code: 'EADDRINUSE', details: named({ address: host }) };
  return reason === 'Permission denied' ? { kind: 'port_forbidden', subject: port, code: 'EACCES' } : null;
}

const STACK_FRAME = /^#\d{1,4} (\/[^\s(]{1,400}|[\w./-]{1,300}\.php)\((\d{1,7})\): (.{1,200}?)\(/;
const FIRST_FRAME = /^(?:\[[^\]]{1,40}\] )?(?:PHP )?(?:Fatal error|Parse error|Warning): /;

export function phpFrame(text: string): Frame | null {
  const found = STACK_FRAME.exec(text) ?? (FIRST_FRAME.test(text) ? PLACE.exec(text) : null);
  if (!found) return null;
  const [, path = '', line = '', name = ''] = found;
  const installed = /\/vendor\/([\w.-]{1,60}\/[\w.-]{1,60})\//.exec(path)?.[1] ?? null;
  const isComposer = /\/vendor\/(?:composer\/|autoload\.php)/.test(path);
  const isStandard = path.startsWith('/usr/share/php/');
  return {
    path,
    function: name,
    line: Number(line),
    inDependency: installed !== null || isComposer || isStandard,
    package: isComposer ? 'composer' : (installed ?? (isStandard ? 'php' : null)),
  };
}
