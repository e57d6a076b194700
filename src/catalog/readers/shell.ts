import { lineAt, named, rule, type Draft, type Reader } from './rule.ts';

/** `bash: line 1: `, `/bin/sh: 1: `, `./start.sh: line 4: `, `sh: `. */
const SHELL_PREFIX =
  /^(?:(?:[\w./-]{1,200}: line \d{1,7}|(?:[\w./-]{0,100}\/)?(?:ba|da|z|k)?sh(?:: \d{1,7})?|[\w./-]{1,200}\.sh: \d{1,7}): )/;

/** What bash, sh, zsh and env say: `script: line 3: subject: complaint`. */
export const shell: Reader = {
  runtime: 'shell',
  rules: [
    rule([': command not found', 'command not found: '], /: command not found|command not found: /, ([text], place) => ({
      kind: 'command_missing',
      subject: text.startsWith('command')
        ? (lineAt(place, 0).split('command not found: ')[1]?.trim() ?? '')
        : subjectBefore(lineAt(place, 0), ': command not found'),
      code: '127',
    })),
    rule(
      [': not found'],
      /^(?:[\w./-]{1,200}): (?:line )?(?:\d{1,7}: )?(?:exec: |eval: )?([^\s:]{1,200}): not found$/,
      ([, command = '']) => ({ kind: 'command_missing', subject: command, code: '127' }),
    ),
    rule(['bad interpreter'], /bad interpreter/, (_, place) => {
      const text = lineAt(place, 0);
      const interpreter = subjectBefore(text, ': bad interpreter').replace(/\^M$/, '');
      return {
        kind: 'command_missing',
        subject: interpreter,
        code: '126',
        details: named({ reason: text.includes('^M') ? 'windows line endings' : 'bad interpreter' }),
      };
    }),
    rule(['cannot execute: required file not found'], /required file not found/, (_, place) => ({
      kind: 'command_missing',
      subject: subjectBefore(lineAt(place, 0), ': cannot execute'),
      code: '127',
      details: { reason: 'its interpreter is missing' },
    })),
    rule(['env: '], /env: [‘'"`]?([^\s’'":]{1,200})[’'"]?: No such file or directory/, ([, command = '']) => ({
      kind: 'command_missing',
      subject: command.replace(/\\r$/, ''),
      code: '127',
      details: named({ reason: command.endsWith('\\r') ? 'windows line endings' : undefined }),
    })),
    rule(
      ['failed to run command', 'exec '],
      /failed to run command [‘'`"]([^’'"]{1,200})[’'"]: (No such file or directory|Permission denied)|^exec (\S{1,300}): (no such file or directory|permission denied)/,
      ([, command = '', why = '', entry = '', whyNot = '']) => ({
        kind: /denied/.test(why || whyNot) ? 'permission_denied' : 'command_missing',
        subject: command || entry,
        code: '127',
      }),
    ),
    rule(
      ['cannot open '],
      /^[\w./-]{1,100}: \d{1,7}: (?:\.: )?cannot open ([^\s:]{1,300}): (No such file|Permission denied)/,
      ([, path = '', why]) => ({
        kind: why === 'Permission denied' ? 'permission_denied' : 'path_missing',
        subject: path,
        code: why === 'Permission denied' ? 'EACCES' : 'ENOENT',
      }),
    ),
    rule(
      [
        ': No such file or directory',
        ': Permission denied',
        ': Is a directory',
        ': Not a directory',
        ': Read-only file system',
        ': No space left on device',
      ],
      SHELL_PREFIX,
      (_, place) => complaint(lineAt(place, 0)),
    ),
    rule(
      [': unbound variable', ': parameter not set', ': parameter null or not set', ': must be set'],
      /(?:^|: )([A-Z_][A-Z0-9_]{1,128}): (?:unbound variable|parameter (?:null or )?not set|must be set)/,
      ([, name = '']) => ({ kind: 'env_missing', subject: name, code: 'unbound variable' }),
    ),
    rule(
      ['syntax error', 'Syntax error: '],
      /^([^\s:]{1,300}): (?:line )?(\d{1,7}): (?:[Ss]yntax error:? ?(.{0,200}))/,
      ([, path = '', line = '', message = '']) => ({
        kind: 'syntax_error',
        subject: path,
        code: 'shell',
        details: { language: 'shell', line: Number(line), message },
      }),
    ),
    rule(['Killed'], /^(?:[\w./-]{1,200}: (?:line )?\d{1,7}:\s{1,4}\d{1,10} )?Killed(?:\s{2,40}(.{1,200}))?$/, ([, command = '']) =>
      // Nothing else kills a service's process without its supervisor knowing.
      ({ kind: 'out_of_memory', code: 'SIGKILL', details: named({ command, isLikely: true }) }),
    ),
    rule(
      ['Out of memory: Killed process', 'Memory cgroup out of memory', 'oom-kill:'],
      /(?:Out of memory|Memory cgroup out of memory): Kill(?:ed)? process (\d{1,10}) \(([^)]{1,60})\)|oom-kill:/,
      ([, pid, name = '']) => ({
        kind: 'out_of_memory',
        code: 'OOM',
        runtime: 'kernel',
        details: named({ pid: pid === undefined ? undefined : Number(pid), process: name }),
      }),
    ),
    rule(
      ['Segmentation fault', 'Bus error', 'Illegal instruction', 'Floating point exception'],
      /\b(Segmentation fault|Bus error|Illegal instruction|Floating point exception)(?:\s{1,4}\(core dumped\))?/,
      ([, what = '']) => ({
        kind: 'exception',
        subject: what,
        code:
          what === 'Segmentation fault'
            ? 'SIGSEGV'
            : what === 'Bus error'
              ? 'SIGBUS'
              : what === 'Illegal instruction'
                ? 'SIGILL'
                : 'SIGFPE',
        runtime: 'kernel',
        details: { message: what },
      }),
    ),
  ],
};

function complaint(text: string): Draft | null {
  const at = text.lastIndexOf(': ');
  const subject = subjectBefore(text, text.slice(at));
  switch (text.slice(at + 2)) {
    case 'No such file or directory':
      return { kind: 'path_missing', subject, code: 'ENOENT' };
    case 'Permission denied':
      return { kind: 'permission_denied', subject, code: 'EACCES' };
    case 'Is a directory':
      return { kind: 'is_a_directory', subject, code: 'EISDIR' };
    case 'Not a directory':
      return { kind: 'not_a_directory', subject, code: 'ENOTDIR' };
    case 'Read-only file system':
      return { kind: 'read_only_file_system', subject, code: 'EROFS' };
    case 'No space left on device':
      return { kind: 'disk_full', subject, code: 'ENOSPC' };
    default:
      return null;
  }
}

/** What stands between the last two colons before `complaint`. */
function subjectBefore(text: string, complaint: string): string {
  const end = text.indexOf(complaint);
  const start = text.lastIndexOf(': ', end - 1);
  return text.slice(start < 0 || start >= end ? 0 : start + 2, end).trim();
}
