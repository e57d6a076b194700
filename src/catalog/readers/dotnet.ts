import type { Frame } from '../../domains/incidents/index.ts';
import { addressOf, inUse } from './address.ts';
import { named, near, rule, type Place, type Reader } from './rule.ts';

/** What .NET and Mono say when an exception is not caught. Of a chain of causes, only the innermost is a fact. */
export const dotnet: Reader = {
  runtime: 'dotnet',
  rules: [
    rule(
      ['Failed to bind to address'],
      /Failed to bind to address (?:https?:\/\/)?([\w.:[\]-]{1,253}:\d{1,5}): address already in use/,
      ([, address = '']) => inUse(address, 'EADDRINUSE'),
    ),
    rule(
      ['FileNotFoundException: ', 'DirectoryNotFoundException: '],
      /(FileNotFoundException|DirectoryNotFoundException): (?:Could not (?:find|load) (?:a part of the path|file|file or assembly) ['"]([^'"]{1,300})['"]|The configuration file '([^']{1,200})' was not found)/,
      ([text, code = '', path = '', config = '']) => {
        const assembly = /file or assembly/.test(text);
        return assembly
          ? { kind: 'module_missing', subject: path.split(',')[0] ?? path, code, details: { isPackage: true } }
          : { kind: 'path_missing', subject: path || config, code };
      },
    ),
    rule(
      ['UnauthorizedAccessException: '],
      /UnauthorizedAccessException: Access to the path ["']([^"']{1,300})["'] is denied/,
      ([, path = '']) => ({ kind: 'permission_denied', subject: path, code: 'UnauthorizedAccessException' }),
    ),
    rule(
      ['SocketException'],
      /SocketException \((?:\d{1,10}|0x[0-9a-fA-F]{1,8})\): (Connection refused|Name or service not known|No such host is known|Could not resolve host '([^']{1,253})'|Address already in use|Cannot assign requested address)(?: \[::ffff:([\d.]{7,15})\]:(\d{1,5})| ([\w.:[\]-]{1,253}:\d{1,5}))?/,
      ([, why = '', host = '', v4 = '', v4port = '', other = ''], place) => {
        const address = v4 === '' ? other : `${v4}:${v4port}`;
        const at = address || near(place, 6, /\(([\w.-]{1,253}:\d{2,5})\)/)?.[1] || '';
        if (why.startsWith('Connection'))
          return { kind: 'connection_refused', subject: at, code: 'ECONNREFUSED', details: named({ ...addressDetails(at) }) };
        if (why.startsWith('Address')) return at === '' ? { kind: 'port_in_use', code: 'EADDRINUSE' } : inUse(at, 'EADDRINUSE');
        if (why.startsWith('Cannot')) return { kind: 'address_unavailable', subject: addressOf(at).host, code: 'EADDRNOTAVAIL' };
        return { kind: 'host_unresolved', subject: host || addressOf(at).host, code: 'ENOTFOUND' };
      },
    ),
    rule(
      ['You must install or update .NET', 'The framework '],
      /[Ff]ramework:? '?(Microsoft\.[\w.]{1,60})'?,? version '([\d.]{1,20}[\w.-]{0,20})'(?: \(\w{1,10}\))?(?: was not found)?/,
      ([, framework = '', wants = '']) => ({
        kind: 'runtime_version_mismatch',
        subject: `${framework} ${wants}`,
        code: 'framework',
        details: { wants },
      }),
    ),
    rule(
      ['Unable to resolve service for type', 'No service for type', 'circular dependency was detected for the service'],
      /Unable to resolve service for type '([^']{1,200})' while attempting to activate '([^']{1,200})'|No service for type '([^']{1,200})' has been registered|circular dependency was detected for the service of type '([^']{1,200})'/,
      ([, type = '', into = '', other = '', circle = '']) => ({
        kind: 'wiring_broken',
        subject: type || other || circle,
        code: 'dependency_injection',
        details: named({ into, reason: circle === '' ? undefined : 'circle' }),
      }),
    ),
    rule(
      ['BadImageFormatException', 'does not contain a valid CIL image'],
      /BadImageFormatException: .{0,100}?'([^',]{1,200})|Cannot open assembly '([^']{1,300})': File does not contain a valid CIL image/,
      ([, net = '', mono = '']) => ({ kind: 'artifact_broken', subject: net || mono, code: 'BadImageFormat' }),
    ),
    rule(
      ['Cannot open assembly', 'application to execute does not exist'],
      /Cannot open assembly '([^']{1,300})': No such file|The application to execute does not exist: '([^']{1,300})'/,
      ([, mono = '', net = '']) => ({ kind: 'path_missing', subject: mono || net, code: 'assembly' }),
    ),
    rule(
      ['InvalidDataException: Failed to load configuration', 'Failed to load configuration from file'],
      /Failed to load configuration from file '([^']{1,300})'/,
      ([, path = '']) => ({
        kind: 'config_invalid',
        subject: path,
        code: 'json_parse',
      }),
    ),
    rule(
      ['OptionsValidationException: ', 'ConnectionString property has not been initialized', 'Value cannot be null'],
      /OptionsValidationException: (.{1,200})|ConnectionString property has not been initialized|Value cannot be null\. \(Parameter 'connectionString'\)/,
      ([, what = '']) => ({
        kind: 'config_invalid',
        subject: what === '' ? 'ConnectionStrings' : (/'([\w.:]{1,100})'/.exec(what)?.[1] ?? ''),
        code: 'options',
        details: named({ key: what === '' ? 'ConnectionStrings' : undefined, reason: what }),
      }),
    ),
    // Mono repeats the whole exception.
    rule(['[ERROR] FATAL UNHANDLED EXCEPTION'], /^\[ERROR\] FATAL UNHANDLED EXCEPTION/, () => []),
  ],
  exceptions: [
    rule(
      ['Exception'],
      /^(?:Unhandled exception\. |\s{0,3}---> )?((?:[A-Z]\w{0,60}\.){1,8}[A-Z]\w{0,80}Exception)(?: \((?:0x)?[0-9A-Fa-f]{1,10}\))?: (.{0,400})$/,
      ([text, type = '', message = ''], place) => {
        // The chain goes on below, or in this very line.
        const inline = / ---> ((?:[A-Z]\w{0,60}\.){1,8}[A-Z]\w{0,80}Exception): (.{0,300})/.exec(text);
        if (inline)
          return { kind: 'exception', subject: inline[1] ?? '', code: shortName(inline[1] ?? ''), details: { message: inline[2] ?? '' } };
        if (hasInner(place)) return [];
        return { kind: 'exception', subject: type, code: shortName(type), details: { message } };
      },
    ),
  ],
};

function shortName(type: string): string {
  return type.split('.').at(-1) ?? type;
}

function addressDetails(address: string): { host?: string; port?: number } {
  const { host, port } = addressOf(address);
  return port === '' ? {} : { host, port: Number(port) };
}

function hasInner(place: Place): boolean {
  return /^\s{0,3}---> /.test(place.lines[place.at + 1]?.text ?? '');
}

/** .NET: `at Shop.Orders.Load(String path) in /src/Orders.cs:line 12`; Mono: `at P.Load (System.String p) [0x00003] in /src/P.cs:2`. */
const FRAME =
  /^\s{2,6}at ((?:\(wrapper [\w-]{1,40}\) )?[\w.`<>[\],|+$]{1,300}?) ?\((?!<anonymous>|native\)|index \d)[\w.`<>[\],&*?$ ]{0,400}\)(?: \[0x[0-9a-f]{1,8}\])?(?: in (\S{1,400}?):(?:line )?(\d{1,7}))?\s?$/;
const LIBRARIES =
  /^(?:System|Microsoft|Npgsql|Newtonsoft|MySql|MySqlConnector|StackExchange|RabbitMQ|MongoDB|Serilog|NLog|Autofac|Polly|Dapper|Grpc|Azure|Amazon)\./;

export function dotnetFrame(text: string): Frame | null {
  if (!text.includes('at ') || !/[)\d]\s?$/.test(text)) return null;
  const found = FRAME.exec(text);
  if (!found) return null;
  const [, name = '', path = '', line] = found;
  if (!name.includes('.') && path === '') return null;
  const isNode = /\.(?:[cm]?[jt]sx?|java|kt|scala)$/.test(path);
  if (isNode) return null;
  const place = path.startsWith('<') ? '' : path;
  const library = LIBRARIES.exec(name.replace(/^\(wrapper [\w-]{1,40}\) /, ''))?.[0].slice(0, -1) ?? null;
  return {
    path: place === '' ? name.split('.').slice(0, -1).join('.') : place,
    function: name,
    line: place === '' || line === undefined ? null : Number(line),
    inDependency: library !== null,
    package: library,
  };
}
