import type { Frame } from '../../domains/incidents/index.ts';
import { addressOf } from './address.ts';
import { after, lineAt, named, near, rule, type Place, type Reader } from './rule.ts';

/** Class file version 45 was JDK 1.1, 61 is JDK 17. */
const CLASS_FILE_BASE = 44;

/** What the JVM and the frameworks on it say. Of a chain of causes, only the deepest is a fact. */
export const java: Reader = {
  runtime: 'java',
  rules: [
    rule(['was already in use'], /Port (\d{1,5}) was already in use/, ([, port = '']) => ({
      kind: 'port_in_use',
      subject: port,
      code: 'EADDRINUSE',
    })),
    rule(
      ['BindException'],
      /BindException: (?:bind\(\.\.\) failed: )?(Address already in use|Permission denied|Cannot assign requested address)(?:[^/]{0,60}\/?([\w.:[\]]{1,100}:\d{1,5}))?/,
      ([, why, address = ''], place) => {
        const port =
          addressOf(address).port ||
          near(place, 12, /\b[Pp]ort:? (\d{2,5})\b|http-nio-(\d{2,5})|(?<!\.(?:java|kt|scala|groovy)):(\d{4,5})\)?$/)
            ?.slice(1)
            .find((value) => value !== undefined) ||
          '';
        if (why === 'Permission denied') return { kind: 'port_forbidden', subject: port, code: 'EACCES' };
        return why === 'Address already in use'
          ? { kind: 'port_in_use', subject: port, code: 'EADDRINUSE' }
          : { kind: 'config_invalid', subject: addressOf(address).host, code: 'EADDRNOTAVAIL', details: { key: 'address' } };
      },
    ),
    rule(
      ['ClassNotFoundException: ', 'NoClassDefFoundError: ', 'Could not find or load main class'],
      /(?:(ClassNotFoundException|NoClassDefFoundError): |Could not find or load main class )(?:Could not initialize class )?([\w$./-]{1,300})/,
      ([, code = 'ClassNotFoundException', name = '']) => ({
        kind: 'module_missing',
        subject: name.replaceAll('/', '.'),
        code: 'ClassNotFoundException',
        details: named({ reason: code === 'ClassNotFoundException' ? undefined : code }),
      }),
    ),
    rule(
      ['has been compiled by a more recent version'],
      /(?<![\w$./-])([\w$./-]{1,300}) has been compiled by a more recent version of the Java Runtime \(class file version (\d{1,3})\.\d\).{0,120}up to (\d{1,3})/,
      ([, name = '', wants = '', has = '']) => ({
        kind: 'runtime_version_mismatch',
        subject: `java ${Number(wants) - CLASS_FILE_BASE}`,
        code: 'UnsupportedClassVersionError',
        details: { class: name, wants: Number(wants) - CLASS_FILE_BASE, has: Number(has) - CLASS_FILE_BASE },
      }),
    ),
    rule(
      ['OutOfMemoryError', 'Could not reserve enough space for'],
      /OutOfMemoryError(?:: (.{1,80}))?|Could not reserve enough space for (\d{1,15})KB/,
      ([, area = '', kb]) => ({
        kind: 'out_of_memory',
        code: 'OutOfMemoryError',
        details: named({ area, wantsMb: kb === undefined ? undefined : Math.round(Number(kb) / 1024) }),
      }),
    ),
    // The next line says which error it was.
    rule(['LinkageError occurred while loading main class'], /LinkageError occurred/, () => []),
    rule(['Unable to access jarfile'], /Unable to access jarfile (.{1,300})$/, ([, path = '']) => ({
      kind: 'path_missing',
      subject: path,
      code: 'jarfile',
    })),
    rule(['no main manifest attribute'], /no main manifest attribute, in (.{1,300})$/, ([, path = '']) => ({
      kind: 'config_invalid',
      subject: path,
      code: 'manifest',
      details: { key: 'Main-Class' },
    })),
    rule(['Unrecognized VM option', 'Unrecognized option: '], /Unrecognized (?:VM )?option:? '?([^\s']{1,100})/, ([, option = '']) => ({
      kind: 'runtime_version_mismatch',
      subject: option,
      code: 'vm_option',
      details: { wants: option },
    })),
    rule(['Connection to '], /Connection to ([\w.-]{1,253}:\d{1,5}) refused/, ([, address = '']) => refusedAt(address)),
    rule(
      ['ConnectException: '],
      /ConnectException: (?:.{0,80}?)(Connection refused|Connection timed out)(?:: (?:[\w.-]{0,253}\/)?([\w.:[\]-]{1,253}:\d{1,5}))?/,
      ([, why, address = ''], place) => {
        const at = address || near(place, 12, /([\w.-]{1,253}:\d{2,5}) (?:refused|failed)/)?.[1] || '';
        return why === 'Connection refused' ? refusedAt(at) : { kind: 'timeout', subject: at, code: 'ETIMEDOUT' };
      },
    ),
    rule(['UnknownHostException: '], /UnknownHostException: ([\w.-]{1,253})/, ([, host = '']) => ({
      kind: 'host_unresolved',
      subject: host,
      code: 'UnknownHostException',
    })),
    rule(
      ['SocketTimeoutException', 'HttpTimeoutException', 'SocketException: Connection reset'],
      /(SocketTimeoutException|HttpTimeoutException|SocketException)(?:: (.{0,200}))?/,
      ([, code = '', what = '']) =>
        code === 'SocketException' ? { kind: 'connection_lost', code: 'ECONNRESET' } : { kind: 'timeout', subject: what, code },
    ),
    rule(
      ['NoSuchFileException: ', 'AccessDeniedException: /', 'NotDirectoryException: ', 'ReadOnlyFileSystemException'],
      /(NoSuchFileException|AccessDeniedException|NotDirectoryException): (\S{1,400})/,
      ([, code = '', path = '']) => ({
        kind: code === 'NoSuchFileException' ? 'path_missing' : code === 'AccessDeniedException' ? 'permission_denied' : 'not_a_directory',
        subject: path,
        code,
      }),
    ),
    rule(
      ['FileNotFoundException: '],
      /FileNotFoundException: (.{1,300}?) \((No such file or directory|Permission denied|Is a directory|Too many open files|Read-only file system)\)/,
      ([, path = '', why]) => {
        const kind =
          why === 'Permission denied'
            ? 'permission_denied'
            : why === 'Is a directory'
              ? 'is_a_directory'
              : why === 'Too many open files'
                ? 'too_many_open_files'
                : why === 'Read-only file system'
                  ? 'read_only_file_system'
                  : 'path_missing';
        return { kind, subject: path, code: 'FileNotFoundException' };
      },
    ),
    rule(['Could not resolve placeholder'], /Could not resolve placeholder '([^']{1,200})'/, ([, key = '']) =>
      /^[A-Z][A-Z0-9_]+$/.test(key)
        ? { kind: 'env_missing', subject: key, code: 'placeholder' }
        : { kind: 'config_invalid', subject: key, code: 'placeholder', details: { key } },
    ),
    rule(["Failed to configure a DataSource: 'url' attribute is not specified"], /Failed to configure a DataSource/, () => ({
      kind: 'config_invalid',
      subject: 'spring.datasource.url',
      code: 'datasource',
      details: { key: 'spring.datasource.url' },
    })),
    rule(
      ['Detected resolved migration not applied'],
      /Detected resolved migration not applied to database: ([\w.]{1,60})/,
      ([, version = '']) => ({ kind: 'migration_pending', subject: version, code: 'flyway', details: { tool: 'flyway' } }),
    ),
    rule(
      [
        'Detected failed migration',
        'Migration of schema',
        'Migration checksum mismatch',
        'Validate failed: ',
        'Migrations have failed validation',
      ],
      /Detected failed migration to (?:version|repeatable migration) ([\w.]{1,60})|to version "([^"]{1,128})" failed|checksum mismatch for migration version ([\w.]{1,60})|Validate failed|Migrations have failed validation/,
      ([, failed = '', version = '', changed = '']) => ({
        kind: 'migration_failed',
        subject: failed || version || changed,
        code: 'flyway',
        details: { tool: 'flyway' },
      }),
    ),
    rule(['Migration V', 'Script V'], /(?:Migration|Script) (V[\w.]{1,128}\.sql) failed/, ([, script = '']) => ({
      kind: 'migration_failed',
      subject: script,
      code: 'flyway',
      details: { tool: 'flyway' },
    })),
    rule(
      ['Migration failed for change', 'Could not acquire change log lock'],
      /Migration failed for change\s?set (\S{1,300}?):?(?:\s|$)|Could not acquire change log lock/,
      ([, changeset]) =>
        changeset === undefined
          ? { kind: 'lock_held', subject: 'DATABASECHANGELOGLOCK', code: 'liquibase' }
          : { kind: 'migration_failed', subject: changeset, code: 'liquibase', details: { tool: 'liquibase' } },
    ),
  ],
  exceptions: [
    rule(
      ['xception', 'Error', 'Throwable'],
      /^(?:Exception in thread "[^"]{1,100}" |Caused by: |\s{1,4}|.{0,120}? (?:- |: |\] ))?((?:[a-z][\w$]{0,40}\.){1,10}[A-Z][\w$]{0,100}(?:Exception|Error|Throwable|Failure|Fault)\w{0,20})(?:: (.{0,400}))?$/,
      ([, type = '', message = ''], place) => {
        if (hasDeeperCause(place)) return [];
        const isTrace =
          /^\s{1,8}(?:at |\.\.\. \d)/.test(lineAt(place, 1)) ||
          /^(?:Caused by|Exception in thread)/.test(lineAt(place, 0)) ||
          place.lines[place.at]?.tone === 'error';
        return isTrace ? { kind: 'exception', subject: type, code: type.split('.').at(-1) ?? type, details: { message } } : null;
      },
    ),
    rule(
      ['Exception in thread '],
      /^Exception in thread "[^"]{1,100}" ([\w$.]{1,200})(?:: (.{0,400}))?/,
      ([, type = '', message = ''], place) =>
        hasDeeperCause(place) ? [] : { kind: 'exception', subject: type, code: type.split('.').at(-1) ?? type, details: { message } },
    ),
    rule(['Error occurred during initialization of VM'], /Error occurred during initialization of VM/, (_, place) =>
      after(place, 1, /reserve enough space/)
        ? []
        : { kind: 'exception', subject: 'VM initialization', code: 'vm', details: { message: lineAt(place, 1) } },
    ),
  ],
};

function refusedAt(address: string): ReturnType<Reader['rules'][number]['read']> {
  const { host, port } = addressOf(address);
  return {
    kind: 'connection_refused',
    subject: address,
    code: 'ECONNREFUSED',
    details: named({ host, port: port === '' ? undefined : Number(port) }),
  };
}

/** True when the same trace goes on to a `Caused by:`. */
function hasDeeperCause(place: Place): boolean {
  const end = Math.min(place.lines.length, place.at + 120);
  for (let i = place.at + 1; i < end; i++) {
    const text = place.lines[i]?.text ?? '';
    if (text.startsWith('Caused by: ')) return true;
    if (!/^\s{1,8}(?:at |\.\.\. |Suppressed: )/.test(text)) return false;
  }
  return false;
}

const FRAME =
  /^\s{1,8}at (?:([\w.@-]{1,60})\/)?((?:[\w$]{1,80}\.){1,12})([\w$<>]{1,120})\(([\w$.-]{1,120}\.(?:java|kt|scala|groovy|clj)|Native Method|Unknown Source|<generated>)(?::(\d{1,7}))?\)(?: ~?\[([\w.-]{1,120}?)(?:[!:/].{0,60})?\])?$/;
const LIBRARIES =
  /^(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|org\.(?:springframework|apache|hibernate|eclipse|postgresql|flywaydb|junit|slf4j|gradle|jboss|codehaus|aspectj|yaml|jooq|quartz|bouncycastle)|com\.(?:fasterxml|google|mysql|zaxxer|mongodb|rabbitmq|netflix|datastax)|io\.(?:netty|micrometer|micronaut|quarkus|vertx|grpc|lettuce|undertow|projectreactor)|reactor|redis\.clients|ch\.qos|liquibase|okhttp3|retrofit2)\./;

export function javaFrame(text: string): Frame | null {
  if (!text.includes('at ') || (!text.endsWith(')') && !text.endsWith(']'))) return null;
  const found = FRAME.exec(text);
  if (!found) return null;
  const [, module, owner = '', method = '', file = '', line, jar] = found;
  const className = owner.slice(0, -1);
  const library =
    module?.startsWith('java.') || module?.startsWith('jdk.') ? 'java' : (LIBRARIES.exec(className)?.[0].slice(0, -1) ?? null);
  const folder = className.split('.').slice(0, -1).join('/');
  const path = /\.\w{1,6}$/.test(file) && folder !== '' ? `${folder}/${file}` : file;
  return {
    path,
    function: `${className}.${method}`,
    line: line === undefined ? null : Number(line),
    inDependency: library !== null,
    package: library === null ? null : library.startsWith('java') ? 'java' : (jar ?? library),
  };
}
