import { addressOf, inUse, refused } from './address.ts';
import { lineAt, named, rule, type Draft, type Place, type Reader } from './rule.ts';

/** A path as messages write it: quoted, or standing alone between colons and spaces. */
const PATH = /["'`‘]((?:\/|\.{1,2}\/|[A-Z]:\\)[^"'`’]{1,300})["'`’]|(?<![\w/:.])((?:\/|\.{1,2}\/)[\w.@%+~/-]{1,300})/;
const ADDRESS = /(?<![\w./-])(\[[0-9a-f:]{2,40}\]:\d{1,5}|(?:(?=[\d-]{0,253}[A-Za-z_.])[\w.-]{1,253}|\*|::):\d{2,5})(?![\w/])/;
const PORT = /\bport:? ?#?(\d{2,5})\b/i;

function pathIn(text: string): string {
  const found = PATH.exec(text);
  return (found?.[1] ?? found?.[2] ?? '').replace(/[.,:;]$/, '');
}

/** An error of the operating system about the path that the line names, if it names one. */
const ofPath =
  (kind: Draft['kind'], code: string) =>
  (_: RegExpExecArray, place: Place): Draft => ({ kind, subject: pathIn(lineAt(place, 0)), code });

/** What the operating system says, in the words of strerror(3), whichever program repeats it. */
export const generic: Reader = {
  runtime: 'unknown',
  rules: [
    // Locks come first: they too end in "Permission denied" or "Resource temporarily unavailable".
    rule(
      ['lready running', 'nother instance', 'lready in use by another', 'is locked by another', 'lready started'],
      /\b(?:is |are )?already (?:running|started)(?: (?:with|as|\(|under))?[^\d/]{0,20}(\d{2,10})?|[Aa]nother instance|(?:locked|in use) by another/,
      ([, pid], place) => {
        const text = lineAt(place, 0);
        const owner = pid ?? /\b(?:pid|PID|process)[ :=#(]{1,3}(\d{1,10})\b/.exec(text)?.[1];
        return {
          kind: 'lock_held',
          subject: pathIn(text),
          code: 'already_running',
          details: named({ pid: owner === undefined ? undefined : Number(owner) }),
        };
      },
    ),
    rule(
      ['lock', 'Lock', 'LOCK', 'pid file', 'PID file', 'pidfile'],
      /(?:(?:[Uu]nable|[Ff]ailed|[Cc]ould not|[Cc]annot|[Cc]an't)(?: to)? (?:open|create|write|acquire|obtain|get|take|lock|read)(?: (?:the|a|an|exclusive))?.{0,40}?\b(?:[Ll]ock|LOCK|[Pp]id ?file|PID file|pid file)|[Ll]ock ?file.{0,200}(?:exists|is held)|While lock file|[Ll]ock is (?:already )?held)/,
      (_, place) => {
        const text = lineAt(place, 0);
        const path = pathIn(text);
        if (/Permission denied|EACCES/.test(text)) return { kind: 'permission_denied', subject: path, code: 'EACCES' };
        if (/No such file|ENOENT/.test(text)) return { kind: 'path_missing', subject: path, code: 'ENOENT' };
        if (/Read-only file system/.test(text)) return { kind: 'read_only_file_system', subject: path, code: 'EROFS' };
        const pid = /\b(?:pid|PID|process)[ :=#(]{1,3}(\d{1,10})\b/.exec(text)?.[1];
        return { kind: 'lock_held', subject: path, code: 'lock', details: named({ pid: pid === undefined ? undefined : Number(pid) }) };
      },
    ),
    // Words of a program's own, without what the system said: `cannot open config file /srv/x.yaml: … does not exist`.
    rule(
      ['does not exist', "doesn't exist", 'ot found', 'not be found'],
      /\b[Ff]ile:? ["'`]?((?:\.{0,2}\/)?[\w@.+-]{1,80}(?:\/[\w@.+-]{1,80}){0,16})["'`]?(?![\w/])[^\n]{0,80}?\b(?:does not exist|doesn't exist|(?:was |is )?not found|(?:could|can) ?not be found)\b/,
      ([, path = '']) => (/\.[a-z]\w{0,9}$/i.test(path) ? { kind: 'path_missing', subject: path, code: 'said_missing' } : null),
    ),
    // LevelDB and RocksDB: the lock is one of the operating system, so its holder lives.
    rule(
      ['IO error: '],
      /IO error: (?:While )?lock(?: file)?:? ([^\s:]{1,300}): (?:Resource temporarily unavailable|already held)/,
      ([, path = '']) => ({
        kind: 'lock_held',
        subject: path,
        code: 'EAGAIN',
      }),
    ),
    rule(
      ['ddress already in use', 'ort already in use', 'EADDRINUSE', 'ort is already allocated', 'os error 98', 'already in use'],
      /[Aa]ddress already in use|EADDRINUSE|[Pp]ort (?:\d{1,5} )?(?:is )?already (?:in use|allocated)|\(os error 98\)|(?:bind|listen).{0,80}\(98\)/,
      (_, place) => {
        const text = lineAt(place, 0);
        const address = ADDRESS.exec(text)?.[1];
        if (address) return inUse(address, 'EADDRINUSE');
        return { kind: 'port_in_use', subject: PORT.exec(text)?.[1] ?? '', code: 'EADDRINUSE' };
      },
    ),
    rule(
      ['bind', 'listen', 'Bind', 'Listen'],
      /\b(?:bind|listen)(?:ing)?\b.{0,120}(?:[Pp]ermission denied|EACCES)|[Pp]ermission denied.{0,60}\bbind/i,
      (_, place) => {
        const text = lineAt(place, 0);
        const port = addressOf(ADDRESS.exec(text)?.[1] ?? '').port || PORT.exec(text)?.[1] || '';
        return port === '' ? null : { kind: 'port_forbidden', subject: port, code: 'EACCES' };
      },
    ),
    rule(
      ['annot assign requested address', 'EADDRNOTAVAIL', 'os error 99', 'ddress family not supported', 'EAFNOSUPPORT', 'os error 97'],
      /[Cc]annot assign requested address|EADDRNOTAVAIL|\(os error 99\)|[Aa]ddress family not supported|EAFNOSUPPORT|\(os error 97\)/,
      ([text], place) => ({
        kind: 'address_unavailable',
        subject: addressOf(ADDRESS.exec(lineAt(place, 0))?.[1] ?? '').host,
        code: /family|EAFNO|97/.test(text) ? 'EAFNOSUPPORT' : 'EADDRNOTAVAIL',
      }),
    ),
    rule(
      ['o space left on device', 'ENOSPC', 'isk quota exceeded', 'os error 28', 'isk full', 'isk is full'],
      /[Nn]o space left on device|ENOSPC|[Dd]isk quota exceeded|\(os error 28\)|[Dd]isk (?:is )?full/,
      ofPath('disk_full', 'ENOSPC'),
    ),
    rule(
      ['oo many open files', 'EMFILE', 'ENFILE', 'os error 24'],
      /[Tt]oo many open files|EMFILE|ENFILE|\(os error 24\)/,
      ofPath('too_many_open_files', 'EMFILE'),
    ),
    rule(
      ['ead-only file system', 'EROFS', 'os error 30'],
      /[Rr]ead-only file system|EROFS|\(os error 30\)/,
      ofPath('read_only_file_system', 'EROFS'),
    ),
    rule(
      ['annot allocate memory', 'ENOMEM', 'std::bad_alloc', 'memory allocation of', 'out of memory', 'Out of memory'],
      /[Cc]annot allocate memory|ENOMEM|std::bad_alloc|memory allocation of \d{1,20} bytes failed|\b[Oo]ut of memory\b/,
      () => ({ kind: 'out_of_memory', code: 'ENOMEM' }),
    ),
    rule(['onnection refused', 'ECONNREFUSED', 'os error 111'], /[Cc]onnection refused|ECONNREFUSED|\(os error 111\)/, (_, place) => {
      const address = ADDRESS.exec(lineAt(place, 0))?.[1];
      return address ? refused(address, 'ECONNREFUSED') : { kind: 'connection_refused', code: 'ECONNREFUSED' };
    }),
    rule(['onnection reset by peer', 'ECONNRESET', 'roken pipe'], /[Cc]onnection reset by peer|ECONNRESET|[Bb]roken pipe/, () => ({
      kind: 'connection_lost',
      code: 'ECONNRESET',
    })),
    rule(
      [
        'ame or service not known',
        'emporary failure in name resolution',
        'o such host',
        'ENOTFOUND',
        'EAI_AGAIN',
        'ould not resolve host',
        'o address associated with hostname',
      ],
      /[Nn]ame or service not known|[Tt]emporary failure in name resolution|[Nn]o such host|ENOTFOUND|EAI_AGAIN|[Cc]ould not resolve host(?:name)?:? "?([\w.-]{1,253})?|[Nn]o address associated/,
      ([, host = ''], place) => ({
        kind: 'host_unresolved',
        subject:
          host ||
          addressOf(ADDRESS.exec(lineAt(place, 0))?.[1] ?? '').host ||
          (/(?<![\w.-])((?:[\w-]{1,63}\.){1,6}[a-z]{2,24})(?![\w.-])/.exec(lineAt(place, 0))?.[1] ?? ''),
        code: 'ENOTFOUND',
      }),
    ),
    rule(['ot a directory', 'ENOTDIR'], /\b[Nn]ot a directory\b|ENOTDIR/, ofPath('not_a_directory', 'ENOTDIR')),
    rule(['s a directory', 'EISDIR'], /\b[Ii]s a directory\b|EISDIR/, ofPath('is_a_directory', 'EISDIR')),
    rule(
      ['ermission denied', 'EACCES', 'peration not permitted', 'EPERM', 'os error 13', 'ccess is denied'],
      /[Pp]ermission denied|EACCES|[Oo]peration not permitted|\bEPERM\b|\(os error 13\)|[Aa]ccess is denied/,
      ofPath('permission_denied', 'EACCES'),
    ),
    rule(
      ['o such file or directory', 'ENOENT', 'os error 2)', 'annot find the file specified', 'annot find the path specified'],
      /[Nn]o such file or directory|ENOENT|\(os error 2\)|cannot find the (?:file|path) specified/,
      ofPath('path_missing', 'ENOENT'),
    ),
    rule(
      ['does not exist', "doesn't exist", 'not found', 'is missing'],
      /(?:[Ff]ile|[Dd]irectory|[Ff]older|[Pp]ath|[Cc]onfig(?:uration)?(?: file)?)(?: at)? ["'`]?(\/[^\s"'`]{1,300})["'`]? (?:does not exist|doesn't exist|(?:was |is )?not found|is missing)/,
      ([, path = '']) => ({ kind: 'path_missing', subject: path, code: 'ENOENT' }),
    ),
    rule(
      ['timed out', 'ETIMEDOUT'],
      /\b(?:connection|connect|request|operation|handshake|query|startup|connecting)[\w ]{0,40} timed out|ETIMEDOUT/i,
      (_, place) => ({ kind: 'timeout', subject: ADDRESS.exec(lineAt(place, 0))?.[1] ?? '', code: 'ETIMEDOUT' }),
    ),
    rule(
      ['igrations pending', 'ending migrations', 'igrations have not yet been applied', 'not yet been applied', 'P3009', 'P3018', 'P3005'],
      /(?<!\b0 )\b(?:there are |has |have )?(?:[1-9]\d{0,4} )?(?:pending migrations|migrations pending|unapplied migrations)|migrations? ha(?:ve|s) not yet been applied|\b(P3009|P3018|P3005)\b/i,
      ([text, code], place) => {
        if (/\b(?:no|0) pending|applying|running pending/i.test(lineAt(place, 0))) return null;
        const name = /(?:migration|Migration name:) [`"']?(\d{8,14}_\w{1,100})/.exec(lineAt(place, 0))?.[1] ?? '';
        return code === undefined
          ? { kind: 'migration_pending', subject: /prisma/i.test(text) ? 'prisma' : '', code: 'pending' }
          : { kind: 'migration_failed', subject: name, code, details: { tool: 'prisma' } };
      },
    ),
    rule(
      ['igration'],
      /\b[Mm]igration (?:["'`]?([\w.-]{3,120})["'`]? )?failed\b|\bmigration file "?([\w.-]{3,120})"? failed/,
      ([, name = '', file = '']) => ({ kind: 'migration_failed', subject: name || file, code: 'failed' }),
    ),
  ],
  exceptions: [
    rule(['terminate called after throwing'], /terminate called after throwing an instance of '([^']{1,128})'/, ([, type = ''], place) => ({
      kind: 'exception',
      subject: type,
      code: 'terminate',
      details: { message: lineAt(place, 1).replace(/^\s{0,4}what\(\):\s{0,4}/, '') },
    })),
    rule(['PHP Fatal error'], /PHP Fatal error: {1,2}(?:Uncaught )?([\w\\.]{1,128})(?:: (.{0,300}))?/, ([, type = '', message = '']) => ({
      kind: 'exception',
      subject: type,
      code: '',
      details: { message },
    })),
  ],
};
