import type { Frame } from '../../domains/incidents/index.ts';
import { after, before, rule, type Draft, type Place, type Reader } from './rule.ts';

/** What the standard library calls the errors of the operating system. */
const KINDS: Readonly<Record<string, Draft['kind']>> = {
  AddrInUse: 'port_in_use',
  AddrNotAvailable: 'address_unavailable',
  NotFound: 'path_missing',
  PermissionDenied: 'permission_denied',
  ConnectionRefused: 'connection_refused',
  ConnectionReset: 'connection_lost',
  BrokenPipe: 'connection_lost',
  TimedOut: 'timeout',
  StorageFull: 'disk_full',
  ReadOnlyFilesystem: 'read_only_file_system',
  IsADirectory: 'is_a_directory',
  NotADirectory: 'not_a_directory',
  ArgumentListTooLong: 'arguments_too_long',
  OutOfMemory: 'out_of_memory',
};

/** What panics and `Result`s returned from main say. */
export const rust: Reader = {
  runtime: 'rust',
  rules: [
    rule(
      ['kind: ', 'Os { code: '],
      /(?:^|[\s(:])Os \{ code: (\d{1,4}), kind: (\w{1,40}), message: "([^"]{1,100})" \}/,
      ([, code = '', kind = ''], place) => {
        const text = place.lines[place.at]?.text ?? '';
        if (code === '24') return { kind: 'too_many_open_files', code: 'EMFILE' };
        if (code === '11') return { kind: 'process_limit', code: 'EAGAIN' };
        const known = KINDS[kind];
        return known === undefined ? null : { kind: known, subject: whatOf(known, text), code: kind };
      },
    ),
    rule(['NotPresent'], /\b([A-Z][A-Z0-9_]{2,100})\b.{0,120}: NotPresent\b/, ([, name = '']) => ({
      kind: 'env_missing',
      subject: name,
      code: 'NotPresent',
    })),
    // anyhow and eyre: the chain stands below, and its last line is the cause.
    rule(['Error: '], /^Error: (.{1,300})$/, ([, message = ''], place) =>
      causesAt(place) !== null
        ? { kind: 'exception', subject: 'Error', code: 'anyhow', details: { message: lastCause(place) ?? message } }
        : null,
    ),
    rule(
      ['needs to be updated but --locked was passed', 'but --locked was passed'],
      /lock file (\S{1,300}Cargo\.lock) needs to be updated but --locked/,
      ([, path = '']) => ({
        kind: 'lock_file_outdated',
        subject: path,
        code: 'cargo_locked',
      }),
    ),
    rule(['no matching package named'], /no matching package named `([\w-]{1,64})` found/, ([, name = '']) => ({
      kind: 'module_missing',
      subject: name,
      code: 'cargo',
      details: { isPackage: true },
    })),
    rule(['error[E'], /^error\[(E\d{4})\]: (.{1,300})$/, ([, code = '', message = ''], place) => {
      const where = after(place, 2, /^\s{1,8}--> ([^\s:]{1,300}):(\d{1,7}):(\d{1,5})$/);
      return where === null
        ? null
        : {
            kind: 'syntax_error',
            subject: where[1] ?? '',
            code: 'rustc',
            details: { language: 'rust', error: code, message, line: Number(where[2]), column: Number(where[3]) },
          };
    }),
  ],
  exceptions: [
    // `thread 'main' (123) panicked at src/main.rs:3:5:` and the message on the next line; before 1.73 in one line.
    rule(['panicked at'], /^thread '([^']{1,60})' (?:\(\d{1,10}\) )?panicked at (?:'(.{1,300}?)', )?/, ([, , message = ''], place) =>
      panic(message || (place.lines[place.at + 1]?.text ?? ''), place),
    ),
    // A `Result` of main: `Error: NotPresent`, `Error: Context { … }`.
    rule(['Error: '], /^Error: ([A-Z]\w{2,60})(?: ?[({].{0,300})?$/, ([text, type = ''], place) =>
      before(place, 3, /panicked at/) ? [] : { kind: 'exception', subject: type, code: 'main', details: { message: text.slice(7) } },
    ),
  ],
};

/** Where the chain begins: an empty line may stand between. */
function causesAt(place: Place): number | null {
  for (const at of [place.at + 1, place.at + 2]) if (place.lines[at]?.text === 'Caused by:') return at + 1;
  return null;
}

function lastCause(place: Place): string | null {
  const from = causesAt(place) ?? place.at;
  let cause: string | null = null;
  for (let at = from; at < from + 20; at++) {
    const found = /^\s{2,8}(?:\d{1,3}: )?(\S.{0,300})$/.exec(place.lines[at]?.text ?? '');
    if (found === null) break;
    cause = found[1] ?? cause;
  }
  return cause;
}

/** What the panic says is a fact of its own when it ends in an error that a rule knows: the next line is read by that rule. */
function panic(message: string, place: Place): Draft | readonly Draft[] {
  const next = place.lines[place.at + 1]?.text ?? '';
  const kind = /Os \{ code: \d{1,4}, kind: (\w{1,40})/.exec(next)?.[1] ?? '';
  if (KINDS[kind] !== undefined || /\b[A-Z][A-Z0-9_]{2,100}\b.{0,120}: NotPresent/.test(next)) return [];
  return { kind: 'exception', subject: 'panic', code: 'panic', details: { message } };
}

/** The message of an `expect` often names what it was about; the error itself never does. */
function whatOf(kind: Draft['kind'], text: string): string {
  if (kind === 'port_in_use') return /(?:port |:)(\d{2,5})\b/.exec(text.split('Os {')[0] ?? '')?.[1] ?? '';
  if (kind === 'connection_refused') return /([\w.-]{1,253}:\d{2,5})\b/.exec(text.split('Os {')[0] ?? '')?.[1] ?? '';
  return (
    /(?<![\w/])((?:\.{0,2}\/)?[\w@+-]{1,100}(?:[./][\w@+-]{1,100}){1,12})/.exec(
      (text.split('Os {')[0] ?? '').replace(/^Error: /, ''),
    )?.[1] ?? ''
  );
}

/** RUST_BACKTRACE prints a frame on two lines: number and function, then the place. */
const PLACE = /^\s{4,20}at (\.{0,2}\/[^\s:]{1,400}\.rs|\/[^\s:]{1,400}\.rs):(\d{1,7})(?::\d{1,5})?$/;
const PANICKED = /panicked at (?:'.{1,300}?', )?((?!\/rustc\/)[^\s:']{1,300}\.rs):(\d{1,7}):\d{1,5}:?$/;
const FUNCTION = /^\s{1,6}\d{1,5}:\s{1,4}(?:0x[0-9a-f]{1,16} - )?(.{1,300})$/;

export function rustFrame(text: string, previous: string): Frame | null {
  if (!text.includes('.rs:')) return null;
  const panicked = PANICKED.exec(text);
  if (panicked)
    return {
      path: panicked[1] ?? '',
      function: '',
      line: Number(panicked[2]),
      inDependency: (panicked[1] ?? '').includes('/.cargo/registry/'),
      package: null,
    };
  const found = PLACE.exec(text);
  if (!found) return null;
  const [, path = '', line = ''] = found;
  const crate = /\/\.cargo\/registry\/src\/[^/]{1,100}\/([\w-]{1,64}?)-\d/.exec(path)?.[1];
  const isStandard = path.startsWith('/rustc/') || path.includes('/library/std/') || path.includes('/library/core/');
  return {
    path,
    function: FUNCTION.exec(previous)?.[1] ?? '',
    line: Number(line),
    inDependency: isStandard || crate !== undefined,
    package: crate ?? (isStandard ? 'std' : null),
  };
}
