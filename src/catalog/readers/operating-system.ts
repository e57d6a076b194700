import { after, before, lineAt, named, near, rule, type Place, type Reader } from './rule.ts';

const POSTGRES = { runtime: 'postgres' } as const;
const PATH = /(?<![\w/:.])((?:\/|\.{1,2}\/)[\w.@%+~/-]{1,300})/;

function pathIn(place: Place): string {
  return (PATH.exec(lineAt(place, 0))?.[1] ?? '').replace(/[.,:;]$/, '');
}

/** What a machine says when it has no more to give, or was set up otherwise than a program expects. */
export const operatingSystem: Reader = {
  runtime: 'unknown',
  rules: [
    // Processes and threads
    rule(
      ['fork: ', 'unable to create native thread', "can't start new thread", 'pthread_create failed', 'new OS thread', 'annot fork'],
      /fork: (?:retry: )?(?:Resource temporarily unavailable|Cannot allocate memory)|unable to create (?:new )?native thread|can't start new thread|pthread_create failed|failed to create new OS thread|[Cc]annot fork/,
      (_, place) => (/warning\]/.test(lineAt(place, 0)) ? [] : { kind: 'process_limit', code: 'EAGAIN' }),
    ),
    rule(
      ['Resource temporarily unavailable', 'EAGAIN'],
      /(?:spawn|fork|clone|posix_spawn)\w{0,10}\b.{0,60}(?:EAGAIN|Resource temporarily unavailable)|BlockingIOError: \[Errno 11\] Resource temporarily unavailable$/,
      (_, place) =>
        lineAt(place, 0).startsWith('BlockingIOError') && before(place, 12, /_fork_exec|os\.fork|posix_spawn/) === null
          ? null
          : { kind: 'process_limit', code: 'EAGAIN' },
    ),
    rule(
      ['rgument list too long', 'E2BIG'],
      /(?:(?<![\w./-])([\w./-]{1,200})(?:: | ))?(?:E2BIG|\[Errno 7\]|[Aa]rgument list too long)(?:.{0,30}'([^']{1,200})')?/,
      ([, program = '', python = '']) => ({ kind: 'arguments_too_long', subject: python || program, code: 'E2BIG' }),
    ),

    // Memory
    rule(
      ['could not map anonymous shared memory', 'could not create shared memory segment'],
      /could not (?:map anonymous shared memory|create shared memory segment): (Cannot allocate memory|Invalid argument|No space left on device)/,
      ([, why], place) => {
        const bytes = near(place, 3, /\(currently (\d{1,18}) bytes\)/)?.[1];
        return why === 'No space left on device'
          ? { kind: 'shared_memory_full', code: 'ENOSPC', details: { object: 'segment' }, runtime: 'postgres' }
          : {
              kind: 'memory_refused',
              subject: 'shared_buffers',
              code: 'ENOMEM',
              details: named({ wantsMb: megabytes(bytes) }),
              runtime: 'postgres',
            };
      },
    ),
    rule(
      ['could not create semaphores', 'could not resize shared memory segment', 'shm_open', 'semget', '/dev/shm'],
      /could not create semaphores: No space left on device|could not resize shared memory segment .{1,100}No space left on device|semget.{0,60}No space left on device|(?:shm_open|\/dev\/shm).{0,80}No space left on device/,
      ([text]) => ({
        kind: 'shared_memory_full',
        code: 'ENOSPC',
        details: { object: text.includes('sem') ? 'semaphores' : 'segment' },
        ...(text.startsWith('could not') ? POSTGRES : {}),
      }),
    ),

    // File watches: inotify borrows the words of full disks and of open files.
    rule(
      ['file watchers', 'inotify'],
      /limit for number of file watchers reached|inotify_(?:init1?|add_watch)\b.{0,80}(?:No space left on device|Too many open files|ENOSPC|EMFILE)|inotify (?:watch|instance)(?:es)? limit|(?:User limit of )?inotify (?:instances|watches) (?:reached|exhausted)/,
      ([text]) => ({ kind: 'watch_limit', subject: '', code: /nstance|init/.test(text) ? 'EMFILE' : 'ENOSPC' }),
    ),

    // Node repeats the code below.
    rule(["code: 'ENOSPC'", "code: 'EMFILE'"], /^\s{1,8}code: '(?:ENOSPC|EMFILE)'/, (_, place) =>
      before(place, 20, /file watchers|inotify/) === null ? null : [],
    ),

    // Disks and network file systems
    rule(
      ['nput/output error', 'Stale file handle', 'ndpoint is not connected', 'EIO', 'ESTALE', 'os error 5)'],
      /\b[Ii]nput\/output error\b|\bStale (?:NFS )?file handle\b|[Tt]ransport endpoint is not connected|\bEIO\b|\bESTALE\b|\(os error 5\)/,
      ([text], place) => {
        if (/is not connected/.test(text) && pathIn(place) === '') return null;
        return {
          kind: 'storage_failing',
          subject: pathIn(place),
          code: /tale|ESTALE/.test(text) ? 'ESTALE' : /connected/.test(text) ? 'ENOTCONN' : 'EIO',
        };
      },
    ),

    // The machine's own name
    rule(['UnknownHostException: '], /UnknownHostException: ([\w.-]{1,253}): \1: /, ([, host = '']) => ({
      kind: 'own_name_unresolved',
      subject: host,
      code: 'UnknownHostException',
      runtime: 'java',
    })),
    // The cause of it says the name once more.
    rule(['UnknownHostException: '], /^Caused by: java\.net\.UnknownHostException: [\w.-]{1,253}: /, (_, place) =>
      before(place, 12, /InetAddress\.getLocalHost\(/) === null ? null : [],
    ),
    rule(
      ['unable to resolve host ', 'epmd error for host ', "can't resolve the hostname", 'Hostname seems not to be resolvable'],
      /(?:sudo: unable to resolve host|epmd error for host) "?([\w.-]{1,253}?)"?:? /,
      ([, host = '']) => ({ kind: 'own_name_unresolved', subject: host, code: 'nxdomain' }),
    ),

    // Locale, time zone, clock
    rule(
      ['unsupported locale setting', '_S_create_c_locale', 'annot change locale', 'Setting locale failed', 'invalid locale name'],
      /locale\.Error: unsupported locale setting|_S_create_c_locale name not valid|cannot change locale \(([\w.@-]{1,60})\)|Setting locale failed|invalid locale name "?([\w.@-]{0,60})/,
      ([, bash = '', other = '']) => ({ kind: 'locale_missing', subject: bash || other, code: 'locale' }),
    ),
    rule(['invalid value for parameter "lc_'], /invalid value for parameter "lc_\w{1,20}": "([\w.@-]{1,60})"/, ([, locale = '']) => ({
      kind: 'locale_missing',
      subject: locale,
      code: '22023',
      details: { engine: 'postgres' },
      runtime: 'postgres',
    })),
    rule(['locale is incompatible with operating system'], /database locale is incompatible with operating system/, (_, place) => ({
      kind: 'locale_missing',
      subject: after(place, 2, /LC_\w{1,10} "([\w.@-]{1,60})"/)?.[1] ?? '',
      code: 'locale',
      details: { engine: 'postgres' },
      runtime: 'postgres',
    })),
    rule(
      [
        'No time zone found with key',
        'unknown time zone ',
        'Unknown time-zone ID',
        'ncorrect time zone: ',
        'unknown default time zone',
        'parameter "TimeZone"',
        'time zone ID ',
        'Invalid time zone specified: ',
        'not recognized',
      ],
      /(?:No time zone found with key|unknown time zone|Unknown time-zone ID:|[Ii]ncorrect time zone:|unknown default time zone|parameter "TimeZone":|time zone ID|Invalid time zone specified:|time zone(?= "[^"]{1,80}" not recognized)) ["']?([A-Za-z][\w+-]{1,30}(?:\/[\w+-]{1,40}){0,2})/,
      ([text, zone = '']) => ({
        kind: 'time_zone_missing',
        subject: zone,
        code: text.includes('parameter') ? '22023' : 'zone',
        ...(text.includes('parameter') ? POSTGRES : {}),
      }),
    ),
    rule(
      [
        'not yet valid',
        'NOT_YET_VALID',
        'NotBefore: ',
        'RequestTimeTooSkewed',
        'not valid before',
        'is in the future',
        'Clock skew',
        'clock skew',
      ],
      /certificate is not yet valid|CERT_NOT_YET_VALID|CertificateNotYetValidException|current time \S{1,40} is before|RequestTimeTooSkewed|[Tt]oken (?:is )?(?:not yet valid|used before issued)|ImmatureSignatureError|issued (?:at|in) .{0,20}future|timestamp .{0,40}is in the future|[Cc]lock skew (?:too|is too|detected)/,
      ([text]) => ({
        kind: 'clock_wrong',
        code: /cert|current time/i.test(text) ? 'CERT_NOT_YET_VALID' : /oken|Immature|issued/.test(text) ? 'TOKEN_NOT_YET_VALID' : 'SKEW',
      }),
    ),

    // Looked up by the standard library for a zone that the system does not have.
    rule(["No module named 'tzdata'"], /No module named 'tzdata'/, () => []),

    // Deep recursion, in every language
    rule(
      [
        'StackOverflowError',
        'Maximum call stack size exceeded',
        'maximum recursion depth exceeded',
        'stack overflow',
        'has overflowed its stack',
        'stack level too deep',
        'goroutine stack exceeds',
      ],
      /java\.lang\.StackOverflowError|RangeError: Maximum call stack size exceeded|RecursionError: maximum recursion depth|has overflowed its stack|stack level too deep|goroutine stack exceeds|^Stack overflow\b|fatal error: stack overflow|fatal runtime error: stack overflow/,
      () => ({ kind: 'stack_overflow', code: 'stack' }),
    ),

    // Machine code
    rule(
      ['Aborted', 'free(): ', 'double free', 'malloc(): ', 'corrupted'],
      /^(?:[\w./-]{1,200}: (?:line )?\d{1,7}:\s{1,4}\d{1,10} )?Aborted\b|^(?:free|malloc|realloc|munmap_chunk|corrupted size)\(?\)?: (?:invalid|corrupted|unaligned|mismatching)|double free or corruption/,
      (_, place) =>
        before(place, 6, /terminate called|panicked|Assertion|locale::/) === null
          ? { kind: 'exception', subject: 'Aborted', code: 'SIGABRT', runtime: 'kernel', details: { message: lineAt(place, 0) } }
          : [],
    ),
    rule(['failed to lookup address information'], /failed to lookup address information/, () => ({
      kind: 'host_unresolved',
      code: 'ENOTFOUND',
      runtime: 'rust',
    })),
  ],
};

function megabytes(bytes: string | undefined): number | undefined {
  return bytes === undefined ? undefined : Math.round(Number(bytes) / 1024 / 1024);
}
