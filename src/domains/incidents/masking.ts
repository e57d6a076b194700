/** Circumstance taken out of what programs say: what differs from run to run, and from machine to machine. */

/** Error text is hostile input; what a failure is about stands within this. */
const TEXT_CHARS_MAX = 512;

/**
 * A sentence without its circumstances: numbers, times, ids, addresses and the folders that a file happens to lie in.
 * Words stay, and so do quoted names, since they are the fix, and numbers that are codes (`status 503`, `errno 13`).
 */
export function maskText(text: string): string {
  let masked = text.slice(0, TEXT_CHARS_MAX);
  if (masked.includes('://')) masked = masked.replace(URL, (_, scheme: string, rest: string) => `${scheme}://${maskUrl(rest)}`);
  if (masked.includes('/')) masked = masked.replace(QUOTED_PATH, (_, quote: string, path: string) => `${quote}${maskPath(path)}${quote}`);
  if (masked.includes('/')) masked = masked.replace(BARE_PATH, maskPath);
  masked = masked.replace(VALUE, '$1<value>');
  if (!DIGIT.test(masked)) return masked.trim();
  return masked
    .replace(TIME, '<time>')
    .replace(UUID, '<id>')
    .replace(HEX, '<hex>')
    .replace(ADDRESS, '<addr>')
    .replace(DEPLOYED_NAME, (_, before: string, name: string) => before + maskName(name))
    .replace(HOST_AND_PORT, (_, host: string) => `${maskName(host)}:<n>`)
    .replace(QUOTED_NUMBER, '$1<n>$1')
    .replace(RANDOM, (word) => (isRandom(word) ? '<id>' : word))
    .replace(NUMBER, (number, at: number, whole: string) => (isCode(number, at, whole) ? number : '<n>'))
    .trim();
}

const DIGIT = /\d/;
/** What a row or a request held, shown by databases beside the name of the rule that it broke. */
const VALUE = /(\bDuplicate entry |\bdup key: |\)=\(|\bFailing row contains )(?:'[^']{0,300}'|\{[^}]{0,300}\}|[^'{][^)]{0,300}(?=\)))/g;
const URL = /\b([a-z][a-z0-9+.-]{1,20}):\/\/([^\s"'`<>]{1,400})/gi;
const QUOTED_PATH = /(["'`])((?:\.{0,2}|~)\/[^"'`]{1,300})\1/g;
const BARE_PATH = /(?<![\w.@~+/:<>-])(?:\.{1,2}|~)?\/[\w@+%~-][\w.@+%~-]*(?:\/[\w.@+%~-]+)*\/?/g;
/** `2026-11-26T05:00:00.123Z`, `2026/11/26 05:00:00 UTC`, `Thu, 26 Nov 2026`, `Nov 26 05:00:00`, `5:00:00 AM`. */
const TIME =
  /\b\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d:\d\d)?(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d| [A-Z]{2,4}T?(?= ))?|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?(?:\d{1,2}[ /-])?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}[ /-] ?\d{1,4}(?:,? \d{4})?(?: \d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: [A-Z]{3,4})?(?: \d{4}\b)?)?|(?<![\w.:])\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?[AP]M)?(?!\w|:\d)/g;
const UUID = /(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])/gi;
const HEX = /\b(?:0x[0-9a-f]{1,32}|(?=[a-f]{0,64}\d)[0-9a-f]{12,64})\b/gi;
/** IPv4 and IPv6, with or without a port. */
const ADDRESS = /(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\]?(?![\w.]))(?::\d{1,5})?(?![\w.]*\w)/gi;
/** Names that whoever installs the service chooses, and numbers: `user "app0"`, `database "tenant_12"`. */
const DEPLOYED_NAME =
  /(\b(?:credentials for|user|role|login|account|database|tenant|host(?:name)?|server|node|peer|pod|instance|shard|replica|container|thread|worker|process|task|fiber|goroutine)[ :=]{1,2}["'`]?)(?=[\w.@-]{0,64}\d)([\w.@-]{1,128})/gi;
const HOST_AND_PORT = /(?<![\w.-])((?:[A-Za-z][\w-]{0,62}\.){0,8}[A-Za-z][\w-]{0,62}):\d{2,5}(?![\w.])/g;
/** A short number in quotes can be the name of something; a long one is a port, a pid or a size. */
const QUOTED_NUMBER = /(["'`])\d{4,20}\1/g;
const RANDOM = /(?<![\w<])\w{10,64}(?![\w>])/g;
const NUMBER =
  /(?<![A-Za-z\d"'`])\d+(?:[.,]\d+)*(?:[kKMGTm]i?[bB]|%|(?:[mnuµ]?s|m|h)(?:\d+(?:\.\d+)?(?:[mnuµ]?s|m))*)?(?![\w"'`])|(?<=[A-Za-z][-_.]?)\d{4,20}(?!\w)|\bv\d+(?:\.\d+){1,3}(?![\w"'`])/g;

/** What stands before a number that is a code, not an amount. */
const CODE_BEFORE =
  /(?:\b(?:status|code|errno|exit|signal|sqlstate|returned|responded with|answered|response|HTTP(?:\/\d(?:\.\d)?)?|os error|exit status|status code)["']?[ :=#([]{1,3}|\berror #?|returned error: )-?$/i;
const REASON_AFTER = /^ (?:[A-Z][a-z]+|I'm a)/;

function isCode(number: string, at: number, whole: string): boolean {
  if (!/^\d{1,5}$/.test(number)) return false;
  // `API_KEY_2` is a name in the code.
  if (/[A-Z]_$/.test(whole.slice(Math.max(0, at - 2), at)) || CODE_BEFORE.test(whole.slice(Math.max(0, at - 24), at))) return true;
  // `404 Not Found`
  return /^[45]\d\d$/.test(number) && REASON_AFTER.test(whole.slice(at + number.length, at + number.length + 12));
}

/** `V1StGXR8Z5jdHi6B`: letters and digits that change places more often than in any word. */
function isRandom(word: string): boolean {
  let changes = 0;
  for (let at = 1; at < word.length; at++) if (isDigit(word, at) !== isDigit(word, at - 1)) changes++;
  return changes >= 4;
}

function isDigit(word: string, at: number): boolean {
  const code = word.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** Longer names are what is wrong, not who. */
const NAME_CHARS_MAX = 128;

/** The names of users, databases, hosts and folders: people number them, and then the number says only which of many. */
export function maskName(name: string): string {
  if (name.length > NAME_CHARS_MAX) return '<long>';
  return name.replace(/[A-Za-z0-9]+/g, (word) => {
    if (!DIGIT.test(word)) return word;
    // 6 is the length of the shortest names that `mktemp` and bundlers make up.
    if (word.length >= 6 && (isMixed(word) || /^(?=\d*[a-f])[0-9a-f]+$/i.test(word))) return '<id>';
    return word.replace(/\d+/g, '<n>');
  });
}

function isMixed(word: string): boolean {
  return /\d[A-Za-z]+\d|[A-Za-z]\d+[A-Za-z]/.test(word);
}

/**
 * @param text   a host, with or without a port
 * @returns      the name without numbers, `<addr>` for this machine and for numeric addresses; for a port that a known
 *               service has by default, that service: a database that is down is not a cache that is down
 */
export function maskAddress(text: string): string {
  const [, host = text, port = ''] = /^\[?(.*?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (host.includes('/')) return maskPath(host);
  const name = host === '' || host === 'localhost' || /^[\d.:a-f]+$/i.test(host) ? '<addr>' : maskName(host);
  const service = port === '' ? null : serviceOn(Number(port));
  return service === null ? name : `${name} ${service}`;
}

/** First and last port: a second instance usually listens on the next one. */
const SERVICES: readonly (readonly [first: number, last: number, name: string])[] = [
  [1433, 1434, 'sqlserver'],
  [1521, 1522, 'oracle'],
  [2181, 2183, 'zookeeper'],
  [2379, 2380, 'etcd'],
  [3306, 3309, 'mysql'],
  [4222, 4224, 'nats'],
  [5432, 5439, 'postgres'],
  [5671, 5674, 'amqp'],
  [6379, 6389, 'redis'],
  [9092, 9094, 'kafka'],
  [9200, 9202, 'elasticsearch'],
  [11211, 11213, 'memcached'],
  [27017, 27019, 'mongodb'],
];

function serviceOn(port: number): string | null {
  return SERVICES.find(([first, last]) => port >= first && port <= last)?.[2] ?? null;
}

/** Folders whose folders are made up by a program for one run; a TMPDIR is mostly called so too. */
const TEMPORARY = /^(?:\/[^/]{1,255}){0,12}?\/(?:tmp|temp|shm|run\/user\/\d{1,10}|var\/folders\/[^/]{1,8}\/[^/]{1,64}\/T)\//;
/** The same on every machine of a kind. */
const SYSTEM = /^\/(?:etc|usr|lib|lib64|bin|sbin|proc|sys|dev|run|var\/(?:lib|log|run|cache|spool))\//;
/** Folders that a program's own structure names, wherever it is installed. */
const STRUCTURE =
  /^(?:bin|src|lib|dist|build|out|app|apps|server|config|conf|conf\.d|etc|settings|env|certs?|ssl|tls|keys|secrets?|data|db|database|databases|storage|store|state|cache|logs?|run|migrations?|schemas?|seeds?|models?|routes?|plugins?|modules?|templates?|views?|locales?|i18n|lang|public|static|assets|uploads?|media|fixtures?|scripts?|jobs?|queues?|tests?|node_modules|vendor|packages)$/i;

/** Whether the path says by itself which file it is, wherever the service is installed. */
export function isFixedPath(path: string): boolean {
  return !path.startsWith('/') || (SYSTEM.test(path) && !TEMPORARY.test(path));
}

/**
 * The part of a path that is the same in another checkout, another temporary folder and on another machine: its last name,
 * and the folders above it as far as the program itself or the system names them.
 */
export function maskPath(path: string): string {
  const trimmed = path.replace(/\/{1,8}$/, '');
  const names = trimmed.split('/').filter((name) => name !== '' && name !== '.');
  const last = names.at(-1) ?? path;
  // What a program calls itself, relative to where it runs, is the same everywhere.
  if (!trimmed.startsWith('/') && !trimmed.startsWith('~')) return names.slice(-3).map(maskNumbers).join('/');
  if (TEMPORARY.test(trimmed)) {
    const inside = trimmed.replace(TEMPORARY, '').split('/');
    if (inside.length === 1) return /\.[a-z]{2,5}\d?$/.test(last) ? maskName(last) : '<tmp>';
    return fromStructure(inside.slice(1));
  }
  if (SYSTEM.test(trimmed)) return names.slice(-2).map(maskName).join('/');
  return fromStructure(names);
}

function fromStructure(names: readonly string[]): string {
  const last = maskName(names.at(-1) ?? '');
  const parent = names.at(-2) ?? '';
  return STRUCTURE.test(parent) ? `${parent}/${last}` : last;
}

/** Only numbers that stand alone: `base/56839/54811`, but not `s3.json`. */
function maskNumbers(name: string): string {
  return name.replace(/(?<![A-Za-z0-9])\d+(?![A-Za-z0-9])|\d{4,}/g, '<n>');
}

function maskUrl(rest: string): string {
  const at = rest.indexOf('@');
  const end = rest.indexOf('/');
  const hasUser = at >= 0 && (end < 0 || at < end);
  const address = rest.slice(hasUser ? at + 1 : 0, end < 0 ? undefined : end);
  const path = end < 0 ? '' : rest.slice(end).replace(/[?#].{0,400}$/, '');
  return `${hasUser ? '<user>@' : ''}${maskAddress(address)}${path.split('/').map(maskName).join('/')}`;
}
