import type { Frame } from '../../domains/incidents/index.ts';
import { addressOf, inUse, refused } from './address.ts';
import { lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** What Go programs say: one line, the innermost error last, a colon between each layer. */
export const go: Reader = {
  runtime: 'go',
  rules: [
    rule(
      [': bind: '],
      /listen (?:tcp|udp|unix)[46]? (\S{1,200}): bind: (address already in use|permission denied|cannot assign requested address)/,
      ([, address = '', why]) => {
        const { host, port } = addressOf(address);
        if (why === 'permission denied')
          return port === ''
            ? { kind: 'permission_denied', subject: host, code: 'EACCES' }
            : { kind: 'port_forbidden', subject: port, code: 'EACCES', details: named({ address: host }) };
        if (why !== 'address already in use')
          return { kind: 'address_unavailable', subject: host, code: 'EADDRNOTAVAIL', details: { key: 'address' } };
        return inUse(address, 'EADDRINUSE');
      },
    ),
    rule(
      ['dial '],
      /dial (?:tcp|udp|unix)[46]?(?: (\S{1,200}))?: (?:connect: )?(connection refused|no such file or directory|no route to host|network is unreachable|i\/o timeout|operation timed out|connection timed out|connection reset by peer)/,
      ([, address = '', why = '']) => {
        if (/time/.test(why)) return { kind: 'timeout', subject: address, code: 'ETIMEDOUT' };
        if (why === 'connection reset by peer') return { kind: 'connection_lost', subject: address, code: 'ECONNRESET' };
        return refused(
          address,
          why === 'connection refused' ? 'ECONNREFUSED' : why === 'no such file or directory' ? 'ENOENT' : 'EHOSTUNREACH',
        );
      },
    ),
    rule(
      ['lookup '],
      /lookup ([\w.-]{1,253})(?: on \S{1,100})?: (?:no such host|server misbehaving|Temporary failure in name resolution|i\/o timeout)/,
      ([, host = '']) => ({ kind: 'host_unresolved', subject: host, code: 'no such host' }),
    ),
    rule(['executable file not found in'], /exec: "([^"]{1,200})": executable file not found in/, ([, command = '']) => ({
      kind: 'command_missing',
      subject: command,
      code: 'exec.ErrNotFound',
    })),
    rule(
      ['fork/exec '],
      /fork\/exec (\S{1,300}): (no such file or directory|permission denied|exec format error)/,
      ([, command = '', why]) => {
        if (why === 'permission denied') return { kind: 'permission_denied', subject: command, code: 'EACCES' };
        return why === 'exec format error'
          ? { kind: 'wrong_architecture', subject: command, code: 'ENOEXEC' }
          : { kind: 'command_missing', subject: command, code: 'ENOENT' };
      },
    ),
    rule(
      [
        ': no such file or directory',
        ': permission denied',
        ': is a directory',
        ': not a directory',
        ': no space left on device',
        ': too many open files',
        ': read-only file system',
      ],
      /\b(?:open|stat|lstat|mkdir|chdir|read|write|readlink|remove|unlink|chmod|chown|truncate|readdirent|CreateFile) ([^\s:]{1,400}): (no such file or directory|permission denied|is a directory|not a directory|no space left on device|too many open files|read-only file system)/,
      ([, path = '', why = '']) => byText(path, why),
    ),
    rule(
      [
        'no required module provides package',
        'is not in GOROOT',
        'is not in std',
        'cannot find package "',
        'cannot find module providing package',
      ],
      /(?:no required module provides package|cannot find module providing package|cannot find package|package) "?([\w./@-]{1,200})"?(?:;|:| is not in| in any of|$)/,
      ([, name = '']) => ({ kind: 'module_missing', subject: name, code: 'go_package', details: { isPackage: true } }),
    ),
    rule(
      ['missing go.sum entry'],
      /missing go\.sum entry for (?:module providing package |go\.mod file; to add it|module )?([\w./-]{1,200})?/,
      ([, name = '']) => ({ kind: 'lock_file_outdated', subject: 'go.sum', code: 'go_sum', details: named({ package: name }) }),
    ),
    rule(
      ['plugin.Open('],
      /plugin\.Open\("([^"]{1,300})"\): (realpath failed|plugin was built with a different version of package \S{1,200})/,
      ([, path = '', why = '']) =>
        why === 'realpath failed'
          ? { kind: 'path_missing', subject: path, code: 'plugin' }
          : {
              kind: 'artifact_broken',
              subject: path,
              code: 'plugin_version',
              details: { reason: 'was built with other versions than the program' },
            },
    ),
    rule(
      ['no packages loaded from', 'directory not found', 'go.mod file not found'],
      /no packages loaded from (\S{1,300})|(go\.mod) file not found/,
      ([, path = '', mod = '']) => ({ kind: 'path_missing', subject: path || mod, code: 'go_package' }),
    ),
    rule(['requires go >= '], /requires go >= ([\d.]{1,12}) \(running go ([\d.]{1,12})/, ([, wants = '', has = '']) => ({
      kind: 'runtime_version_mismatch',
      subject: `go ${wants}`,
      code: 'go_version',
      details: { wants, has },
    })),
    rule(
      ['.go:'],
      /^(?:vet: |# )?(\.{0,2}[\w./@-]{1,300}\.go):(\d{1,7}):(\d{1,5}): (.{1,300})$/,
      ([, path = '', line = '', column = '', message = '']) => ({
        kind: 'syntax_error',
        subject: path,
        code: 'go_build',
        details: { language: 'go', line: Number(line), column: Number(column), message },
      }),
    ),
    rule(['Config File "'], /Config File "([^"]{1,200})" Not Found in "\[?([^\]"]{0,300})/, ([, name = '', folders = '']) => ({
      kind: 'path_missing',
      subject: name,
      code: 'viper',
      details: named({ searched: folders }),
    })),
    rule(['required key '], /required key (\w{1,128}) missing value/, ([, name = '']) => ({
      kind: 'env_missing',
      subject: name,
      code: 'envconfig',
    })),
    rule(
      ['context deadline exceeded'],
      /(?:(\w{1,40}) )?"?(\w{1,10}:\/\/[^\s":]{1,253}[^\s"]{0,100})?"?:? ?context deadline exceeded/,
      ([, , url = '']) => ({ kind: 'timeout', subject: url, code: 'context deadline exceeded' }),
    ),
    rule(['Dirty database version'], /Dirty database version (\d{1,20})/, ([, version = '']) => ({
      kind: 'migration_failed',
      subject: version,
      code: 'dirty',
      details: { tool: 'golang-migrate' },
    })),
    rule(
      ['runtime: out of memory', 'cannot allocate memory'],
      /fatal error: runtime: (?:out of memory|cannot allocate memory)|runtime: out of memory/,
      () => ({ kind: 'out_of_memory', code: 'runtime' }),
    ),
  ],
  exceptions: [
    rule(['panic: '], /^panic: (?:(runtime error): )?(.{1,400})/, ([, runtimeError, message = '']) => ({
      kind: 'exception',
      subject: runtimeError ?? 'panic',
      code: 'panic',
      details: { message: message.replace(/ \[recovered\].{0,40}$/, '') },
    })),
    rule(['SIG'], /^(SIG[A-Z]{2,8}): (.{1,100})$/, ([, signal = '', message = ''], place) =>
      lineAt(place, 1).startsWith('PC=0x') ? { kind: 'exception', subject: signal, code: signal, details: { message } } : null,
    ),
    rule(['fatal error: '], /^fatal error: (.{1,300})/, ([, message = ''], place) =>
      place.lines.slice(place.at + 1, place.at + 6).some((line) => line.text.startsWith('goroutine ') || line.text.startsWith('runtime'))
        ? { kind: 'exception', subject: 'fatal error', code: 'fatal', details: { message } }
        : null,
    ),
  ],
};

function byText(path: string, why: string): Draft | null {
  switch (why) {
    case 'no such file or directory':
      return { kind: 'path_missing', subject: path, code: 'ENOENT' };
    case 'permission denied':
      return { kind: 'permission_denied', subject: path, code: 'EACCES' };
    case 'is a directory':
      return { kind: 'is_a_directory', subject: path, code: 'EISDIR' };
    case 'not a directory':
      return { kind: 'not_a_directory', subject: path, code: 'ENOTDIR' };
    case 'no space left on device':
      return { kind: 'disk_full', subject: path, code: 'ENOSPC' };
    case 'too many open files':
      return { kind: 'too_many_open_files', subject: path, code: 'EMFILE' };
    case 'read-only file system':
      return { kind: 'read_only_file_system', subject: path, code: 'EROFS' };
    default:
      return null;
  }
}

/** Go prints a frame on two lines: the function with its arguments, then the place, indented by a tab. */
const PLACE = /^\s{1,8}(\/[^\s:]{1,400}\.(?:go|s)|[A-Z]:\/[^\s:]{1,400}\.go):(\d{1,7})(?: \+0x[0-9a-f]{1,12})?$/;

export function goFrame(text: string, previous: string): Frame | null {
  if (!text.includes('.go:') && !text.includes('.s:')) return null;
  const found = PLACE.exec(text);
  if (!found) return null;
  const [, path = '', line = ''] = found;
  const open = previous.lastIndexOf('(');
  const name = (open > 0 ? previous.slice(0, open) : previous)
    .replace(/^created by /, '')
    .replace(/ in goroutine \d{1,10}$/, '')
    .trim();
  const module = /\/pkg\/mod\/((?:[\w.!-]{1,60}\/){0,5}[\w.!-]{1,60})@|\/vendor\/([\w.-]{1,60}\/[\w.-]{1,60}\/[\w.-]{1,60})\//.exec(path);
  const dependency = module?.[1] ?? module?.[2] ?? null;
  const isStandard =
    dependency === null &&
    (/\/go(?:-\d[\d.]{0,6}|\/\d[\d.]{0,6})?\/src\//.test(path) || /\/libexec\/src\//.test(path)) &&
    /^(?:runtime|net|os|main\b(?!\.)|sync|internal|testing|syscall|database|encoding|reflect|io|log|time|context|bufio|strings|strconv|sort|regexp|text|html|crypto|fmt|errors|bytes|path|panic)/.test(
      name,
    );
  return {
    path,
    function: name.split('/').at(-1) ?? name,
    line: Number(line),
    inDependency: dependency !== null || isStandard,
    package: dependency ?? (isStandard ? 'go' : null),
  };
}
