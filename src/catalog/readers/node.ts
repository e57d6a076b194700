import type { Frame } from '../../domains/incidents/index.ts';
import { addressOf, inUse, refused } from './address.ts';
import { installedPackage } from './installed-package.ts';
import { after, before, lineAt, named, near, rule, type Draft, type Place, type Reader } from './rule.ts';

/** `{ errno, code, syscall, address, port, path }`, as Node prints an error's fields below its stack. */
function field(place: Place, name: string): string {
  return near(place, 14, new RegExp(`^\\s{1,12}${name}: '?([^',]{1,300})`))?.[1] ?? '';
}

/** The code of the error that begins here: its fields are indented by two, those of its cause by more. */
function ownCode(place: Place): string {
  const end = Math.min(place.lines.length, place.at + 20);
  for (let i = place.at + 1; i < end; i++) {
    const text = place.lines[i]?.text ?? '';
    const code = /^ {2}code: '(\w{1,60})'/.exec(text)?.[1];
    if (code) return code;
    if (!text.startsWith(' ') && !text.startsWith('Emitted ')) return '';
  }
  return '';
}

/** Where Node shows the place of a syntax error: the line above the code. */
const CRASH_PLACE = /^(?:file:\/\/)?(\/.{1,300}|[A-Z]:\\.{1,300}):(\d{1,7})$/;

/** What Node.js says, with the tools that come with it (npm, vite, TypeScript). */
export const node: Reader = {
  runtime: 'node',
  rules: [
    rule(['EADDRINUSE'], /(?:listen|bind) EADDRINUSE:? (?:address already in use )?(\S{1,200})/, ([, address = '']) =>
      inUse(address, 'EADDRINUSE'),
    ),
    rule([' EACCES: permission denied'], /(?:listen|bind) EACCES: permission denied (\S{1,200})/, ([, address = '']) => {
      const { host, port } = addressOf(address);
      return port === ''
        ? // Node says so too of a socket file whose directory is not there.
          { kind: 'permission_denied', subject: host, code: 'EACCES', details: { socket: true } }
        : { kind: 'port_forbidden', subject: port, code: 'EACCES', details: { address: host } };
    }),
    rule(['EADDRNOTAVAIL'], /(?:listen|bind|connect) EADDRNOTAVAIL:? (?:address not available )?(\S{1,200})/, ([, address = '']) => ({
      kind: 'address_unavailable',
      subject: addressOf(address).host,
      code: 'EADDRNOTAVAIL',
      details: { key: 'address' },
    })),
    rule(
      ['connect '],
      /connect (ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES|ETIMEDOUT|ECONNRESET) (\S{1,300})/,
      ([, code = '', address = '']) => {
        if (code === 'ETIMEDOUT') return { kind: 'timeout', subject: address, code };
        if (code === 'ECONNRESET') return { kind: 'connection_lost', subject: address, code };
        if (code === 'EACCES') return { kind: 'permission_denied', subject: address, code };
        return refused(address, code);
      },
    ),
    rule(['AggregateError ['], /AggregateError \[(ECONNREFUSED|ETIMEDOUT)\]/, ([, code = '']) => ({
      kind: code === 'ECONNREFUSED' ? 'connection_refused' : 'timeout',
      code,
    })),
    rule(
      ['getaddrinfo ', 'querySrv ', 'queryA '],
      /(?:getaddrinfo|query\w{1,6}) (ENOTFOUND|EAI_AGAIN|ESERVFAIL|ETIMEOUT) (\S{1,253})/,
      ([, code = '', host = '']) => ({ kind: 'host_unresolved', subject: host, code }),
    ),
    rule(
      ['ECONNRESET', 'socket hang up', 'EPIPE', 'ConnectTimeoutError', 'Connection is closed.'],
      /(read ECONNRESET|write ECONNRESET|write EPIPE|socket hang up|ConnectTimeoutError|Connection is closed\.)/,
      ([, what = '']) =>
        what === 'ConnectTimeoutError'
          ? { kind: 'timeout', code: 'UND_ERR_CONNECT_TIMEOUT' }
          : { kind: 'connection_lost', code: what.includes('EPIPE') ? 'EPIPE' : 'ECONNRESET' },
    ),
    rule(['node: '], /^(?:\/\S{0,200}\/)?node: (\S{1,300}): not found$/, ([, path = '']) => ({
      kind: 'path_missing',
      subject: path,
      code: 'ENOENT',
      details: { option: '--env-file' },
    })),
    rule(['spawn '], /spawn(?:Sync)? (.{1,200}) (ENOENT|EACCES|ENOTDIR|E2BIG)\b/, ([, command = '', code = '']) => {
      if (code === 'ENOENT') return { kind: 'command_missing', subject: command, code };
      return code === 'EACCES' ? { kind: 'permission_denied', subject: command, code } : null;
    }),
    rule(
      ['ENOENT: ', 'EACCES: ', 'EPERM: ', 'EROFS: ', 'ENOTDIR: ', 'EISDIR: ', 'ENOSPC: ', 'EMFILE: ', 'ENFILE: ', 'ENOMEM: '],
      /\b(ENOENT|EACCES|EPERM|EROFS|ENOTDIR|EISDIR|ENOSPC|EMFILE|ENFILE|ENOMEM): [^,]{1,60}, (\w{1,20})(?: '([^']{1,400})')?/,
      ([, code = '', syscall = '', path = '']) => fileDraft(code, syscall, path),
    ),

    // Modules
    rule(
      ['Cannot find module ', 'Cannot find package '],
      /Cannot find (?:module|package) ["']([^"']{1,300})["'](?: imported from (.{1,300}))?/,
      ([text, name = '', importer = ''], place) => {
        const isEsm = importer !== '' || lineAt(place, 0).includes('ERR_MODULE_NOT_FOUND');
        const from = importer || (after(place, 2, /^- (.{1,300})$/)?.[1] ?? '');
        return {
          kind: 'module_missing',
          subject: name,
          code: isEsm ? 'ERR_MODULE_NOT_FOUND' : /TS2307/.test(lineAt(place, 0)) ? 'TS2307' : 'MODULE_NOT_FOUND',
          details: named({ from, isPackage: text.startsWith('Cannot find package') || isPackageName(name) }),
        };
      },
    ),
    rule(
      [
        'Failed to resolve import',
        'failed to resolve import',
        'Could not resolve "',
        "Can't resolve '",
        'Failed to resolve entry for package',
      ],
      /(?:[Ff]ailed to resolve (?:import|entry for package)|Could not resolve|Can't resolve) ["']([^"']{1,300})["'](?:(?: from| in) ["']([^"']{1,300})["'])?/,
      ([, name = '', from = '']) => ({
        kind: 'module_missing',
        subject: name,
        code: 'MODULE_NOT_FOUND',
        details: named({ from, isPackage: isPackageName(name) }),
      }),
    ),
    rule(['Directory import '], /Directory import '([^']{1,300})' is not supported/, ([, path = '']) => ({
      kind: 'module_system_mismatch',
      subject: path,
      code: 'ERR_UNSUPPORTED_DIR_IMPORT',
      details: { wants: 'file' },
    })),
    rule(['No such built-in module: '], /No such built-in module: ([\w:/-]{1,60})/, ([, name = '']) => ({
      kind: 'runtime_version_mismatch',
      subject: name,
      code: 'ERR_UNKNOWN_BUILTIN_MODULE',
      details: { wants: name },
    })),
    rule(
      ['does not provide an export named', 'is not exported by'],
      /requested module ["']([^"']{1,300})["'] does not provide an export named ["']([^"']{1,128})["']|"([^"]{1,128})" is not exported by "([^"]{1,300})"/,
      ([, module = '', name = '', bundled = '', file = '']) => ({
        kind: 'export_missing',
        subject: name || bundled,
        code: 'SyntaxError',
        details: { module: module || file },
      }),
    ),
    rule(
      ['Named export '],
      /Named export '([^']{1,128})' not found\. The requested module '([^']{1,300})'/,
      ([, name = '', module = '']) => ({
        kind: 'export_missing',
        subject: name,
        code: 'SyntaxError',
        details: { module, isCommonJs: true },
      }),
    ),
    rule(
      ['is not defined by "exports" in', 'No "exports" main defined in'],
      /Package subpath '([^']{1,300})' is not defined by "exports" in (.{1,300}?)package\.json|No "exports" main defined in (.{1,300}?)package\.json/,
      ([, name = '.', module = '', main = '']) => ({
        kind: 'export_missing',
        subject: name,
        code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
        details: { module: packageIn(module || main) },
      }),
    ),
    rule(
      ['inside circular dependency'],
      /Accessing non-existent property '([^']{1,128})' of module exports inside circular dependency/,
      ([, name = '']) => ({ kind: 'circular_import', subject: name, code: 'circular_dependency' }),
    ),
    rule(['ERR_REQUIRE_CYCLE_MODULE'], /(ERR_REQUIRE_CYCLE_MODULE)/, () => ({
      kind: 'circular_import',
      code: 'ERR_REQUIRE_CYCLE_MODULE',
    })),

    // The runtime itself
    rule(
      ['heap out of memory', 'heap limit Allocation failed', 'ERR_WORKER_OUT_OF_MEMORY', 'Array buffer allocation failed'],
      /FATAL ERROR: .{0,120}(?:heap out of memory|Allocation failed)|ERR_WORKER_OUT_OF_MEMORY|Array buffer allocation failed|JavaScript heap out of memory/,
      (_, place) => {
        const sizes = before(place, 12, /(?:\) MB|Mark-Compact).{0,120}?-> [\d.]{1,12} \(([\d.]{1,12})\) MB/);
        return { kind: 'out_of_memory', code: 'heap', details: named({ limitMb: sizes ? Math.round(Number(sizes[1])) : undefined }) };
      },
    ),
    rule(
      [
        'The engine "node" is incompatible',
        'Unsupported engine',
        'is required. You are using Node',
        'Node.js version',
        'EBADENGINE',
        'requires Node.js',
      ],
      /The engine "node" is incompatible with this module\. Expected version "([^"]{1,60})"\. Got "([^"]{1,40})"|(?:Node\.js version|requires Node\.js|requires node)(?: version)? ["']?([><=^~v\d. |]{1,40})/i,
      ([, wants = '', has = '', other = '']) => {
        const wanted = (wants || other).trim();
        return wanted === ''
          ? null
          : { kind: 'runtime_version_mismatch', subject: `node ${wanted}`, code: 'EBADENGINE', details: named({ wants: wanted, has }) };
      },
    ),
    rule(['notsup Required: '], /Required: {1,2}\{.{0,60}"node":"([^"]{1,60})"/, ([, wants = '']) => ({
      kind: 'runtime_version_mismatch',
      subject: `node ${wants}`,
      code: 'EBADENGINE',
      details: { wants },
    })),
    rule(
      ['bad option: ', 'is not allowed in NODE_OPTIONS'],
      /bad option: (\S{1,100})|(?<!\S)(\S{1,100}) is not allowed in NODE_OPTIONS/,
      ([, option = '', other = '']) => ({
        kind: 'unknown_option',
        subject: (option || other).split('=')[0] ?? '',
        code: 'bad_option',
        details: { program: 'node', isInEnvironment: option === '' },
      }),
    ),
    rule(['issing script'], /[Mm]issing script:? "?([\w:.@/-]{1,100})"?/, ([, script = '']) => ({
      kind: 'command_missing',
      subject: `npm run ${script}`,
      code: 'missing_script',
      details: { script },
    })),
    rule(['error Command "'], /error Command "([\w:.@/-]{1,100})" not found/, ([, script = '']) => ({
      kind: 'command_missing',
      subject: `yarn run ${script}`,
      code: 'missing_script',
      details: { script },
    })),
    rule(['SyntaxError: '], /SyntaxError: (.{1,400})/, ([, message = ''], place) => {
      // JSON.parse throws SyntaxErrors too; those are about data, see config-files.
      if (/JSON/.test(message)) return null;
      const shown = before(place, 6, CRASH_PLACE);
      const inText = /^(\/[^\s:]{1,300}):? /.exec(message);
      if (!shown && !inText && !/^\s{1,8}at /.test(lineAt(place, 1))) return null;
      const carets = before(place, 3, /^(\s{0,400})[~^]/);
      const path = shown?.[1] ?? inText?.[1] ?? '';
      return {
        kind: 'syntax_error',
        subject: path,
        code: 'SyntaxError',
        details: named({
          language: path.endsWith('.ts') ? 'typescript' : 'javascript',
          message,
          line: shown ? Number(shown[2]) : undefined,
          column: carets ? (carets[1]?.length ?? 0) + 1 : undefined,
        }),
      };
    }),
    rule(["code: 'E"], /^\s{1,8}code: '(EADDRINUSE|EACCES|ECONNREFUSED|ENOENT|ENOTFOUND|EMFILE|ENOSPC|EROFS)'/, ([, code = ''], place) =>
      fieldsDraft(code, place),
    ),
  ],
  exceptions: [
    // `[TypeError: fetch failed] {`, `[cause]: Error: …`, `Uncaught Error [CODE]: …`, pg's `error: …`
    rule(
      ['rror', 'xception', 'ejection'],
      /^\s{0,16}(?:(?:Uncaught|Unhandled) (?:[\w ]{1,20}: )?|\[cause\]: |\[errors\]: |\[)?([A-Z]\w{0,60}(?:Error|Exception|Rejection)|Error|error)(?: \[(\w{1,60})\])?: (.{0,400})/,
      ([, type = '', code = '', message = ''], place) => {
        if (type === 'error' && !/^\s{1,8}at /.test(lineAt(place, 1))) return null;
        return { kind: 'exception', subject: type, code: code || ownCode(place), details: { message: message.replace(/\](?: \{)?$/, '') } };
      },
    ),
    // An error class that is not named for what it is: only its stack gives it away.
    rule([': '], /^(?:Uncaught )?([A-Z][\w$]{1,60})(?: \[(\w{1,60})\])?: (.{0,400})/, ([, type = '', code = '', message = ''], place) =>
      /^ {4}at .{1,300}:\d/.test(lineAt(place, 1)) ? { kind: 'exception', subject: type, code, details: { message } } : null,
    ),
    // `ValidationError` without a message, `AggregateError`
    rule(['Error'], /^([A-Z]\w{0,60}Error)(?: \[(\w{1,60})\])?:?(?: \{)?$/, ([, type = '', code = ''], place) =>
      /^\s{2,8}at /.test(lineAt(place, 1)) ? { kind: 'exception', subject: type, code, details: { message: '' } } : null,
    ),
    // Something that is no error was thrown: the text stands above this hint.
    rule(['(Use `node --trace-uncaught'], /trace-uncaught/, (_, place) => ({
      kind: 'exception',
      subject: 'thrown value',
      code: '',
      details: {
        message: lineAt(place, -1)
          .replace(/^Uncaught:? ?/, '')
          .slice(0, 400),
      },
      linesAbove: 1,
    })),
    // An object that was thrown has no such hint: Node shows the place, and below the caret the object.
    rule(['Node.js v'], /^Node\.js v\d/, (_, place) => {
      const above = [1, 2].find((lines) => lineAt(place, -lines) !== '') ?? 1;
      const shown = lineAt(place, -above);
      return /^\{.{0,400}\}$/.test(shown) && /^\s{0,400}\^/.test(lineAt(place, -above - 1))
        ? { kind: 'exception', subject: 'thrown value', code: '', details: { message: shown.slice(0, 400) }, linesAbove: above }
        : null;
    }),
    rule(
      ['Error', 'error', 'xception'],
      /(?:: |\] |"|^|- )([A-Z]\w{0,60}(?:Error|Exception)): (.{1,400})/,
      ([, type = '', message = ''], place) =>
        place.lines[place.at]?.tone === 'error' ? { kind: 'exception', subject: type, code: '', details: { message } } : null,
    ),
  ],
};

function fileDraft(code: string, syscall: string, path: string): Draft | null {
  switch (code) {
    case 'ENOENT':
      return { kind: 'path_missing', subject: path, code, details: { syscall } };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'permission_denied', subject: path, code, details: { syscall } };
    case 'EROFS':
      return { kind: 'read_only_file_system', subject: path, code, details: { syscall } };
    case 'ENOTDIR':
      return { kind: 'not_a_directory', subject: path, code, details: { syscall } };
    case 'EISDIR':
      return { kind: 'is_a_directory', subject: path, code, details: { syscall } };
    case 'ENOSPC':
      return syscall === 'watch' ? watchersDraft() : { kind: 'disk_full', subject: path, code, details: { syscall } };
    case 'EMFILE':
    case 'ENFILE':
      return syscall === 'watch'
        ? watchersDraft('fs.inotify.max_user_instances')
        : { kind: 'too_many_open_files', subject: path, code, details: { syscall } };
    case 'ENOMEM':
      return { kind: 'out_of_memory', code, details: { syscall } };
    default:
      return null;
  }
}

/** Linux says ENOSPC and EMFILE when a user has used up what he may watch; neither the disk nor open files have to do with it. */
function watchersDraft(limit = 'fs.inotify.max_user_watches'): Draft {
  return { kind: 'watch_limit', subject: '', code: limit.endsWith('watches') ? 'ENOSPC' : 'EMFILE', details: { limit } };
}

/** The fields alone, when the message above them was somebody's own words. */
function fieldsDraft(code: string, place: Place): Draft | null {
  const port = field(place, 'port');
  const host = field(place, 'address') || field(place, 'hostname') || field(place, 'host');
  const syscall = field(place, 'syscall');
  const path = field(place, 'path');
  switch (code) {
    case 'EADDRINUSE':
      // A socket file has the port -1.
      return host.includes('/') ? inUse(host, code) : { kind: 'port_in_use', subject: port, code, details: named({ address: host }) };
    case 'ECONNREFUSED':
      return host === '' ? { kind: 'connection_refused', code } : refused(`${host}:${port}`, code);
    case 'ENOTFOUND':
      return { kind: 'host_unresolved', subject: host, code };
    case 'ENOENT':
      if (syscall.startsWith('spawn')) return { kind: 'command_missing', subject: path, code };
      return syscall === 'connect' ? { kind: 'connection_refused', subject: host || path, code } : fileDraft(code, syscall, path);
    case 'EACCES':
      if (host.includes('/')) return { kind: 'permission_denied', subject: host, code, details: { socket: true } };
      if (syscall === 'listen' || syscall === 'bind')
        return { kind: 'port_forbidden', subject: port, code, details: named({ address: host }) };
      return fileDraft(code, syscall, path);
    default:
      return fileDraft(code, syscall, path);
  }
}

/** `express` and `@scope/name/sub`, but not `./lib` or `/srv/app/dist/index.js`. */
function isPackageName(name: string): boolean {
  return /^(?:@[\w.-]+\/)?[A-Za-z0-9][\w.-]*(?:\/|$)/.test(name);
}

function packageIn(path: string): string {
  return installedPackage(path) ?? path.replace(/\/$/, '');
}

const FRAME =
  /^\s{2,12}at (?:async )?(?:([^()]{1,200}?) (?:\[as [^\]]{1,80}\] )?\()?((?:file:\/\/|node:|\/|[A-Z]:\\|webpack|\.\/|internal\/)[^()]{0,400}?|<anonymous>|\[eval\]|\[stdin\]):(\d{1,7})(?::\d{1,7})?\)?(?: \{)?$/;

export function nodeFrame(text: string): Frame | null {
  if (!text.includes('at ')) return null;
  const found = FRAME.exec(text);
  if (!found) return null;
  const [, name = '', raw = '', line = ''] = found;
  const path = raw.startsWith('file://') ? raw.slice('file://'.length) : raw;
  const isInternal = path.startsWith('node:') || path.startsWith('internal/') || path === '<anonymous>';
  const dependency = installedPackage(path);
  return {
    path,
    function: name.replace(/^new /, ''),
    line: Number(line),
    inDependency: isInternal || dependency !== null,
    package: isInternal ? 'node' : dependency,
  };
}
