/** Numbers of Linux, with the words of strerror(3) in the C locale. */
const ERRORS: readonly (readonly [number: number, name: string, words: string])[] = [
  [1, 'EPERM', 'Operation not permitted'],
  [2, 'ENOENT', 'No such file or directory'],
  [4, 'EINTR', 'Interrupted system call'],
  [5, 'EIO', 'Input/output error'],
  [6, 'ENXIO', 'No such device or address'],
  [7, 'E2BIG', 'Argument list too long'],
  [8, 'ENOEXEC', 'Exec format error'],
  [9, 'EBADF', 'Bad file descriptor'],
  [10, 'ECHILD', 'No child processes'],
  [11, 'EAGAIN', 'Resource temporarily unavailable'],
  [12, 'ENOMEM', 'Cannot allocate memory'],
  [13, 'EACCES', 'Permission denied'],
  [14, 'EFAULT', 'Bad address'],
  [16, 'EBUSY', 'Device or resource busy'],
  [17, 'EEXIST', 'File exists'],
  [18, 'EXDEV', 'Invalid cross-device link'],
  [19, 'ENODEV', 'No such device'],
  [20, 'ENOTDIR', 'Not a directory'],
  [21, 'EISDIR', 'Is a directory'],
  [22, 'EINVAL', 'Invalid argument'],
  [23, 'ENFILE', 'Too many open files in system'],
  [24, 'EMFILE', 'Too many open files'],
  [25, 'ENOTTY', 'Inappropriate ioctl for device'],
  [26, 'ETXTBSY', 'Text file busy'],
  [27, 'EFBIG', 'File too large'],
  [28, 'ENOSPC', 'No space left on device'],
  [29, 'ESPIPE', 'Illegal seek'],
  [30, 'EROFS', 'Read-only file system'],
  [31, 'EMLINK', 'Too many links'],
  [32, 'EPIPE', 'Broken pipe'],
  [36, 'ENAMETOOLONG', 'File name too long'],
  [37, 'ENOLCK', 'No locks available'],
  [38, 'ENOSYS', 'Function not implemented'],
  [39, 'ENOTEMPTY', 'Directory not empty'],
  [40, 'ELOOP', 'Too many levels of symbolic links'],
  [75, 'EOVERFLOW', 'Value too large for defined data type'],
  [71, 'EPROTO', 'Protocol error'],
  [88, 'ENOTSOCK', 'Socket operation on non-socket'],
  [89, 'EDESTADDRREQ', 'Destination address required'],
  [90, 'EMSGSIZE', 'Message too long'],
  [93, 'EPROTONOSUPPORT', 'Protocol not supported'],
  [95, 'EOPNOTSUPP', 'Operation not supported'],
  [97, 'EAFNOSUPPORT', 'Address family not supported by protocol'],
  [98, 'EADDRINUSE', 'Address already in use'],
  [99, 'EADDRNOTAVAIL', 'Cannot assign requested address'],
  [100, 'ENETDOWN', 'Network is down'],
  [101, 'ENETUNREACH', 'Network is unreachable'],
  [103, 'ECONNABORTED', 'Software caused connection abort'],
  [104, 'ECONNRESET', 'Connection reset by peer'],
  [105, 'ENOBUFS', 'No buffer space available'],
  [106, 'EISCONN', 'Transport endpoint is already connected'],
  [107, 'ENOTCONN', 'Transport endpoint is not connected'],
  [110, 'ETIMEDOUT', 'Connection timed out'],
  [111, 'ECONNREFUSED', 'Connection refused'],
  [112, 'EHOSTDOWN', 'Host is down'],
  [113, 'EHOSTUNREACH', 'No route to host'],
  [114, 'EALREADY', 'Operation already in progress'],
  [115, 'EINPROGRESS', 'Operation now in progress'],
  [116, 'ESTALE', 'Stale file handle'],
  [122, 'EDQUOT', 'Disk quota exceeded'],
  [125, 'ECANCELED', 'Operation canceled'],
];

const BY_NUMBER: ReadonlyMap<number, string> = new Map(ERRORS.map(([number, name]) => [number, name]));
const BY_WORDS: ReadonlyMap<string, string> = new Map(ERRORS.map(([, name, words]) => [words.toLowerCase(), name]));

/** `[Errno 39]`, `(os error 39)`, `errno=39`, `Errno::ENOTEMPTY`, `ENOTEMPTY: …`. */
const NUMBERED = /\[Errno (\d{1,3})\]|\(os error (\d{1,3})\)|\berrno[= ](\d{1,3})\b|\bOs \{ code: (\d{1,3}),/;
const NAMED = /\b(?:Errno::)?(E[A-Z2]{3,15})\b/;
const SPELLED = new RegExp(`\\b(?:${ERRORS.map(([, , words]) => words.replaceAll('.', '\\.')).join('|')})\\b`, 'i');

/** The error of the operating system that a sentence tells, by number, by name or in words. Empty when it tells none. */
export function errnoIn(sentence: string): string {
  const number = NUMBERED.exec(sentence)
    ?.slice(1)
    .find((digits) => digits !== undefined);
  if (number !== undefined) return BY_NUMBER.get(Number(number)) ?? '';
  const name = NAMED.exec(sentence)?.[1];
  if (name !== undefined && NAMES.has(name)) return name;
  return BY_WORDS.get(SPELLED.exec(sentence)?.[0].toLowerCase() ?? '') ?? '';
}

const NAMES: ReadonlySet<string> = new Set(ERRORS.map(([, name]) => name));
