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
          : { kind: 'address_unavailable', subject: addressOf(address).host, code: 'EADDRNOTAVAIL', details: { key: 'address' } };
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
      ['Could not reserve enough space for', 'Native memory allocation (', 'insufficient memory for the Java Runtime'],
      /Could not reserve enough space for (?:(\d{1,15})KB )?|Native memory allocation \(\w{1,10}\) failed to (?:map|allocate) (\d{1,18}) bytes/,
      ([, kb, bytes]) => ({
        kind: 'memory_refused',
        subject: '-Xmx',
        code: 'heap',
        details: named({
          wantsMb:
            kb === undefined ? (bytes === undefined ? undefined : Math.round(Number(bytes) / 1048576)) : Math.round(Number(kb) / 1024),
        }),
      }),
    ),
    // A line of the same failure that does not say which option it was.
    rule(
      ['insufficient memory for the Java Runtime', 'os::commit_memory', 'warning][os,thread]'],
      /insufficient memory for the Java|os::commit_memory|\[os,thread\]/,
      () => [],
    ),
    rule(['OutOfMemoryError'], /OutOfMemoryError(?:: (.{1,80}))?/, ([, area = '']) => ({
      kind: 'out_of_memory',
      code: 'OutOfMemoryError',
      details: named({ area }),
    })),
    // The next line says which error it was.
    rule(['LinkageError occurred while loading main class'], /LinkageError occurred/, () => []),
    rule(
      ['Could not create the Java Virtual Machine', 'A fatal exception has occurred. Program will exit'],
      /^Error: (?:Could not create the Java Virtual Machine|A fatal exception has occurred)/,
      () => [],
    ),
    rule(['Unable to access jarfile'], /Unable to access jarfile (.{1,300})$/, ([, path = '']) => ({
      kind: 'path_missing',
      subject: path,
      code: 'jarfile',
    })),
    rule(['no main manifest attribute'], /no main manifest attribute, in (.{1,300})$/, ([, path = '']) => ({
      kind: 'artifact_broken',
      subject: path,
      code: 'manifest',
      details: { reason: 'does not say which class to start (Main-Class)' },
    })),
    rule(
      [
        'corrupt jarfile',
        'zip END header not found',
        'error in opening zip file',
        'invalid LOC header',
        'Error opening zip file or JAR manifest missing',
      ],
      /[Cc]orrupt jarfile (.{1,300})$|ZipException: (?:zip END header not found|error in opening zip file|invalid LOC header)|JAR manifest missing : (.{1,300})$/,
      ([text, path = '', agent = '']) => ({
        kind: 'artifact_broken',
        subject: path || agent,
        code: text.includes('manifest') ? 'agent' : 'zip',
        details: named({ reason: agent === '' ? undefined : 'is missing, or is not an archive' }),
      }),
    ),
    rule(
      [
        'Unrecognized VM option',
        'Unrecognized option: ',
        'Invalid maximum heap size',
        'Invalid initial heap size',
        'Invalid thread stack size',
        'stack size specified is too small',
        'Improperly specified VM option',
        'Initial heap size set to a larger value',
        'Conflicting collector combinations',
      ],
      /Unrecognized (?:VM )?option:? '?([^\s']{1,100})|Invalid (?:maximum|initial) heap size: (\S{1,60})|Invalid thread stack size: (\S{1,60})|Improperly specified VM option '([^']{1,100})|(stack size specified is too small)|(Initial heap size set to a larger value)|(Conflicting collector)/,
      ([, option = '', heap = '', stack = '', improper = '', small, initial]) => ({
        kind: 'option_invalid',
        subject: option || heap || stack || improper || (small ? '-Xss' : initial ? '-Xms' : '-XX:+Use…GC'),
        code: 'vm_option',
      }),
    ),
    rule(['No suitable driver found for'], /No suitable driver found for (jdbc:\w{1,30})/, ([, url = '']) => ({
      kind: 'module_missing',
      subject: `${url} driver`,
      code: 'no_suitable_driver',
      details: { isPackage: true },
    })),
    // Spring puts the program together before it runs.
    rule(
      ['required a bean of type', 'required a bean named', 'required a single bean', 'No qualifying bean of type'],
      /^(.{1,300}?) required (?:a bean (?:of type|named) '([^']{1,200})' that could not be found|a single bean, but (\d{1,3}) were found)|No qualifying bean of type '([^']{1,200})' available(: expected single)?/,
      ([, into = '', type = '', many, core = '', single], place) => {
        // The trace above says it too, less well.
        if (core !== '' && hasDeeperCause(place)) return [];
        return {
          kind: 'wiring_broken',
          subject: type || core || 'bean of that type',
          code: 'bean',
          details: named({
            into: into.replace(/^\w{1,10} (\w{1,60}|\d{1,3} of constructor) in /, ''),
            reason: many !== undefined || single !== undefined ? 'ambiguous' : undefined,
          }),
        };
      },
    ),
    rule(
      ['form a cycle', 'currently in creation'],
      /dependencies of some of the beans .{0,60}form a cycle|Requested bean is currently in creation/,
      (_, place) =>
        hasDeeperCause(place)
          ? []
          : {
              kind: 'wiring_broken',
              subject: after(place, 6, /^\|\s{1,4}([\w$.]{1,120})/)?.[1] ?? /with name '([^']{1,120})'/.exec(lineAt(place, 0))?.[1] ?? '',
              code: 'cycle',
              details: { reason: 'circle' },
            },
    ),
    rule(
      ['Failed to bind properties under'],
      /Failed to bind properties under '([\w.[\]-]{1,150})' to ([\w.$<>]{1,150})/,
      ([, key = '', type = '']) => ({
        kind: 'config_invalid',
        subject: key,
        code: 'binding',
        details: { key, type },
      }),
    ),
    rule(
      ['Failed to load property source from', 'Config data resource'],
      /Failed to load property source from .{0,60}?'?([\w./-]{1,200}\.(?:ya?ml|properties))|Config data (?:resource|location) '(?:(?:optional:)?(?:file|classpath|class path resource):? ?\[?)?([^\]']{1,200})/,
      ([, broken = '', missing = '']) =>
        broken === ''
          ? { kind: 'path_missing', subject: missing, code: 'config_data' }
          : { kind: 'config_invalid', subject: broken, code: 'property_source' },
    ),
    rule(
      ['Schema-validation: '],
      /Schema-validation: (?:missing (table|column|sequence) \[([\w.$-]{1,128})\](?: in table \[([\w.$-]{1,128})\])?|wrong column type encountered in column \[([\w.$-]{1,128})\])/,
      ([, object = '', name = '', table = '', wrong = ''], place) =>
        hasDeeperCause(place)
          ? []
          : {
              kind: 'relation_missing',
              subject: name || wrong,
              code: 'schema_validation',
              details: named({ object: object || 'column', table }),
            },
    ),
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
        'Validation Failed',
      ],
      /Detected failed migration to (?:version|repeatable migration) ([\w.]{1,60})|to version "([^"]{1,128})" failed|checksum mismatch for migration version ([\w.]{1,60})|Validate failed|Migrations have failed validation/,
      ([, failed = '', version = '', changed = ''], place) => {
        if (changed !== '') return { kind: 'migration_changed', subject: changed, code: 'flyway', details: { tool: 'flyway' } };
        // The lines below say what did not validate.
        if (failed + version === '' && after(place, 4, /checksum mismatch|Detected (?:failed|resolved|applied)/)) return [];
        return { kind: 'migration_failed', subject: failed || version, code: 'flyway', details: { tool: 'flyway' } };
      },
    ),
    rule(['change sets check sum'], /change ?sets check ?sum/i, (_, place) => ({
      kind: 'migration_changed',
      subject: after(place, 2, /^\s{0,20}([\w./-]{1,200})::/)?.[1] ?? '',
      code: 'liquibase',
      details: { tool: 'liquibase' },
    })),
    rule(
      ['Could not acquire change log lock'],
      /Could not acquire change log lock(?:\.\s{1,3}Currently locked by ([\w.:% -]{1,80}?) \([^)]{1,60}\)(?: since (.{1,30}))?)?/,
      ([, holder = '', since = '']) => ({
        kind: 'migration_locked',
        subject: 'DATABASECHANGELOGLOCK',
        code: 'liquibase',
        details: named({ holder, since: since.trim() }),
      }),
    ),
    rule(['Migration V', 'Script V'], /(?:Migration|Script) (V[\w.]{1,128}\.sql) failed/, ([, script = '']) => ({
      kind: 'migration_failed',
      subject: script,
      code: 'flyway',
      details: { tool: 'flyway' },
    })),
    rule(['Migration failed for change'], /Migration failed for change\s?set (\S{1,300}?):?(?:\s|$)/, ([, changeset = '']) => ({
      kind: 'migration_failed',
      subject: changeset,
      code: 'liquibase',
      details: { tool: 'liquibase' },
    })),
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
