import type { Frame } from '../../domains/incidents/index.ts';
import { rails } from './rails.ts';
import { lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** What Ruby, Bundler and Rails say: `file.rb:3:in 'method': message (ErrorClass)`. */
export const ruby: Reader = {
  runtime: 'ruby',
  rules: [
    ...rails,
    rule(['cannot load such file -- '], /cannot load such file -- (\S{1,300})/, ([, name = '']) => ({
      kind: 'module_missing',
      subject: name.replace(/\)$/, ''),
      code: 'LoadError',
      details: { isPackage: !name.startsWith('/') && !name.startsWith('.') },
    })),
    rule(
      ['in locally installed gems', 'Could not find gem ', 'in any of the sources', 'Could not find '],
      /Could not find (?:gem '([\w-]{1,100})|([\w-]{1,100}?)-(\d[\w.]{0,40})[ ,])/,
      ([, gem = '', name = '', version = ''], place) => {
        if (gem === '' && !/locally installed gems|any of the sources|GemNotFound/.test(lineAt(place, 0))) return null;
        return { kind: 'module_missing', subject: gem || name, code: 'Bundler::GemNotFound', details: named({ version, isPackage: true }) };
      },
    ),
    rule(
      ['Your Ruby version is '],
      /Your Ruby version is ([\d.]{1,12}), but your Gemfile specified ([^\s]{1,40})/,
      ([, has = '', wants = '']) => ({
        kind: 'runtime_version_mismatch',
        subject: `ruby ${wants}`,
        code: 'Bundler::RubyVersionMismatch',
        details: { wants, has },
      }),
    ),
    rule(['(Errno::', 'Errno::E'], /Errno::(E[A-Z]{2,20})/, ([, code = ''], place) => errnoDraft(code, lineAt(place, 0))),
    rule(['key not found: '], /key not found: ["']([A-Z][A-Z0-9_]{1,128})["']/, ([, name = '']) => ({
      kind: 'env_missing',
      subject: name,
      code: 'KeyError',
    })),
    rule(['Missing secret_key_base', 'Missing `secret_key_base`'], /Missing `?secret_key_base/, () => ({
      kind: 'env_missing',
      subject: 'SECRET_KEY_BASE',
      code: 'ArgumentError',
    })),
    rule(['PendingMigrationError', 'Migrations are pending'], /PendingMigrationError|Migrations are pending/, () => ({
      kind: 'migration_pending',
      subject: 'rails',
      code: 'ActiveRecord::PendingMigrationError',
    })),
    rule(
      ['A server is already running'],
      /A server is already running[.]? ?(?:\(pid: (\d{1,10}), file: ([^)]{1,300})\)|Check (\S{1,300}?)\.?$)?/,
      ([, pid, file = '', checked = '']) => ({
        kind: 'lock_held',
        subject: file || checked,
        code: 'server_pid',
        details: named({ pid: pid === undefined ? undefined : Number(pid) }),
      }),
    ),
    rule(
      ['SocketError', 'getaddrinfo: '],
      /getaddrinfo(?:\(3\))?: (?:Name or service not known|Temporary failure|nodename nor servname)/,
      (_, place) => ({
        kind: 'host_unresolved',
        subject: /host(?:name)?[ "':=]{1,4}([\w.-]{1,253})/.exec(lineAt(place, 0))?.[1] ?? '',
        code: 'SocketError',
      }),
    ),
    rule(
      ['syntax error', 'syntax errors found', '(SyntaxError)'],
      /^([^\s:]{1,300}\.(?:rb|ru|rake)|[^\s:]{0,300}Gemfile|[^\s:]{0,300}Rakefile):(\d{1,7}): (?:--> .{0,200}|syntax errors? ?(?:found)?,? ?(.{0,300}))/,
      ([, path = '', line = '', message = '']) => ({
        kind: 'syntax_error',
        subject: path,
        code: 'SyntaxError',
        details: named({ language: 'ruby', line: Number(line), message }),
      }),
    ),
    rule(['failed to allocate memory (NoMemoryError)', 'NoMemoryError'], /NoMemoryError/, () => ({
      kind: 'out_of_memory',
      code: 'NoMemoryError',
    })),
  ],
  exceptions: [
    rule(
      ['('],
      /^(?:[^\s:][^:]{0,300}):\d{1,7}:in [`'][^']{1,200}': (.{0,400}?) ?\(([A-Z][\w:]{1,120})\)$/,
      ([, message = '', type = '']) => ({ kind: 'exception', subject: type, code: type, details: { message } }),
    ),
    rule(['('], /^[^\s:][^:]{0,300}\.rb: (.{0,400}?) ?\(([A-Z][\w:]{1,120})\)$/, ([, message = '', type = '']) => ({
      kind: 'exception',
      subject: type,
      code: type,
      details: { message },
    })),
    rule(
      ['rror', 'xception'],
      /^(?:bundler: failed to load command: .{0,200})?([A-Z]\w{0,60}(?:::[A-Z]\w{0,60}){1,5}): (.{1,400})/,
      ([, type = '', message = '']) => ({ kind: 'exception', subject: type, code: type, details: { message } }),
    ),
  ],
};

function errnoDraft(code: string, text: string): Draft | null {
  const at = /for "([^"]{0,253})" port (\d{1,5})/.exec(text);
  const path = /(?:@ \w{1,40} )?- (\/[^\s(]{1,400}|[\w.][^\s(]{0,400}) \(?/.exec(text)?.[1] ?? '';
  switch (code) {
    case 'EADDRINUSE':
      return { kind: 'port_in_use', subject: at?.[2] ?? '', code, details: named({ address: at?.[1] }) };
    case 'EACCES':
      return at || /bind\(2\)/.test(text)
        ? { kind: 'port_forbidden', subject: at?.[2] ?? '', code }
        : { kind: 'permission_denied', subject: path, code };
    case 'ECONNREFUSED':
      return at
        ? { kind: 'connection_refused', subject: `${at[1]}:${at[2]}`, code, details: { host: at[1] ?? '', port: Number(at[2]) } }
        : { kind: 'connection_refused', code };
    case 'ETIMEDOUT':
      return { kind: 'timeout', subject: at ? `${at[1]}:${at[2]}` : '', code };
    case 'ECONNRESET':
    case 'EPIPE':
      return { kind: 'connection_lost', code };
    case 'ENOENT':
      return { kind: 'path_missing', subject: path, code };
    case 'EPERM':
      return { kind: 'permission_denied', subject: path, code };
    case 'ENOTDIR':
      return { kind: 'not_a_directory', subject: path, code };
    case 'EISDIR':
      return { kind: 'is_a_directory', subject: path, code };
    case 'ENOSPC':
      return { kind: 'disk_full', subject: path, code };
    case 'EMFILE':
      return { kind: 'too_many_open_files', subject: path, code };
    case 'EROFS':
      return { kind: 'read_only_file_system', subject: path, code };
    default:
      return null;
  }
}

const FRAME = /^(?:\s{1,12}(?:\d{1,4}: )?from )?([^\s:][^:]{0,400}|<internal:[^>]{1,300}>):(\d{1,7}):in [`']([^']{1,200})'(?::.{0,512})?$/;

export function rubyFrame(text: string): Frame | null {
  if (!text.includes(':in ')) return null;
  const found = FRAME.exec(text);
  if (!found) return null;
  const [, path = '', line = '', name = ''] = found;
  const gem = /\/gems\/([\w-]{1,100}?)-\d[\w.]{0,40}\//.exec(path)?.[1] ?? null;
  const isStandard = gem === null && (path.startsWith('<internal:') || /\/(?:lib|share)\/ruby\//.test(path));
  return {
    path: path.replace(/^<internal:(.{1,300})>$/, '$1'),
    function: name,
    line: Number(line),
    inDependency: gem !== null || isStandard,
    package: gem ?? (isStandard ? 'ruby' : null),
  };
}
