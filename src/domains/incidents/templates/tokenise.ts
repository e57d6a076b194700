import { foldVariables } from './fold.ts';
import { readInContext } from './context.ts';
import { variable, type Token, type TokenKind } from './token.ts';
import { isFlag, isHostName, isHttpMethod, isLocation, isMailAddress, isMessageKey, isNothing } from './values.ts';

/** Tokens of one line that are looked at. What follows them is one variable: a line that long ends in data. */
export const TOKENS_MAX = 120;

/** The tokens of a shape, with everything masked that is known to vary from the line alone. */
export function tokenise(shape: string): readonly Token[] {
  return foldVariables(readInContext(split(maskDates(shape))));
}

/** Colons and spaces of dates and addresses would otherwise take them apart. All quantifiers are bounded. */
function maskDates(shape: string): string {
  return shape
    .replace(ADDRESS, (found) => (found.includes('0') ? '0' : found))
    .replace(DATE, '0')
    .replace(UNDER_ONE, '0');
}

/** Hardware and IPv6 addresses, and times of more than three parts. */
const ADDRESS = /(?<![\w.])(?:[0-9a-fA-F]{0,4}:){3,15}[0-9a-fA-F]{1,4}(?![\w])/g;
const WEEKDAY = '(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?';
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}';
const CLOCK = '(?:,? 0:0(?::0(?:[.,]0)?)?)?';
/** `Sat Jul 9 22:53:19 EDT 2005`, `Jul 9`, `Sat, 9 Jul 2005 22:53:19` as they look in a shape. */
const DATE = new RegExp(`\\b${WEEKDAY}(?:${MONTH} {1,2}0${CLOCK}(?: [A-Z]{3,4})?(?: 0)?|0 ${MONTH} 0${CLOCK})(?!\\w)`, 'g');
/** `<1 sec`, where other lines have `00:02`. */
const UNDER_ONE = /<0 ?(?:secs?|seconds?|ms|mins?)\b/g;

function split(shape: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  /** Where the quotes end within which we are. */
  let closing = -1;
  while (at < shape.length) {
    const start = at;
    while (isSpace(shape.charCodeAt(at))) at++;
    if (at >= shape.length) break;
    const gap = at > start;
    if (tokens.length >= TOKENS_MAX) {
      tokens.push(variable(gap));
      break;
    }
    const quoted = at === closing ? null : quotedAt(shape, at, isMessageNext(tokens));
    if (quoted?.value != null) {
      const quote: Token = { text: shape[at] ?? '', kind: 'mark', gap };
      tokens.push(quote, { ...quoted.value, gap: false }, { ...quote, gap: false });
      at = quoted.close + 1;
    } else if (quoted !== null) {
      closing = quoted.close;
      tokens.push({ text: shape[at] ?? '', kind: 'mark', gap });
      at++;
    } else if (isMark(shape.charCodeAt(at))) {
      tokens.push({ text: shape[at] ?? '', kind: 'mark', gap });
      at++;
    } else {
      const end = endOfAtom(shape, at);
      pushAtom(tokens, shape.slice(at, end), gap);
      at = end;
    }
  }
  return tokens;
}

/** Behind `msg=` or `"msg":` stands what the program says, however short. */
function isMessageNext(tokens: readonly Token[]): boolean {
  const isJson = tokens.at(-1)?.text === ':' && tokens.at(-3)?.kind === 'key';
  return isJson ? isMessageKey(tokens.at(-3)?.text) : tokens.at(-1)?.text === '=' && isMessageKey(tokens.at(-2)?.text);
}

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

const MARKS = new Uint8Array(128);
for (const mark of '=,;:()[]{}<>"\'|!?`') MARKS[mark.charCodeAt(0)] = 1;
const isMark = (code: number): boolean => code < 128 && MARKS[code] === 1;

/** What ends a URL, a path with a query, or a Windows path. */
const ENDS_LOCATION = /[\s"'<>)\],;|]/g;

function endOfLocation(shape: string, from: number): number {
  ENDS_LOCATION.lastIndex = from;
  let end = ENDS_LOCATION.exec(shape)?.index ?? shape.length;
  // The colon or stop behind a URL belongs to the sentence.
  while (end > from && ':.?!'.includes(shape[end - 1] ?? '')) end--;
  return end;
}

function endOfAtom(shape: string, start: number): number {
  let end = start;
  while (end < shape.length && !isSpace(shape.charCodeAt(end)) && !isMark(shape.charCodeAt(end))) end++;
  const mark = shape[end];
  if (mark === ':' && shape.startsWith('//', end + 1)) return endOfLocation(shape, end + 3);
  if (mark === ':' && shape[end + 1] === '\\' && end - start === 1) return endOfLocation(shape, end + 2);
  if (mark === '?' && shape[start] === '/') return endOfLocation(shape, end + 1);
  return end;
}

/** Quoted text longer than this is no value. */
const VALUE_CHARS_MAX = 200;
/** So many words in quotes are a message, to be read like any other; fewer are one value. */
const MESSAGE_WORDS_MIN = 3;

/**
 * What is in the quotes that begin here; null when none do. An apostrophe begins them only where a value can begin.
 * @returns   `value` is null where it is to be read like any other text: a message, or a request (`"GET /index HTTP/1.1"`)
 */
function quotedAt(
  shape: string,
  at: number,
  isMessage: boolean,
): { readonly value: Omit<Token, 'gap'> | null; readonly close: number } | null {
  const quote = shape[at];
  if (quote !== '"' && quote !== "'") return null;
  if (quote === "'" && at > 0 && !/[\s=([{:,]/.test(shape[at - 1] ?? '')) return null;
  const close = shape.indexOf(quote, at + 1);
  if (close < 0) return null;
  if (quote === "'" && /[A-Za-z]/.test(shape[close + 1] ?? '')) return null;
  const text = shape.slice(at + 1, close);
  return { value: isMessage || text.length > VALUE_CHARS_MAX ? null : valueOf(text, shape[close + 1] === ':'), close };
}

function valueOf(text: string, isBeforeColon: boolean): Omit<Token, 'gap'> | null {
  // In JSON: "level":30
  if (isBeforeColon && /^[\w.-]{1,40}$/.test(text)) return { text, kind: 'key' };
  const words = text.split(' ');
  if (words.length >= MESSAGE_WORDS_MIN || isHttpMethod(words[0])) return null;
  const isSurelyData = text === '' || text.includes('0') || isLocation(text) || isNothing(text);
  return isSurelyData ? variable(false) : { text, kind: 'value' };
}

function pushAtom(tokens: Token[], atom: string, gap: boolean): void {
  let end = atom.length;
  while (end > 1 && atom[end - 1] === '.') end--;
  const body = atom.slice(0, end);
  // Dot leaders of a table: `store operation.......0`
  const leader = body.indexOf('...');
  if (leader > 0 && /^\.{3,}0$/.test(body.slice(leader))) {
    tokens.push({ text: body.slice(0, leader), kind: 'word', gap }, variable(false));
    return;
  }
  tokens.push({ text: body, kind: kindOf(body), gap });
  if (end < atom.length) tokens.push({ text: '.', kind: 'mark', gap: false });
}

function kindOf(atom: string): TokenKind {
  if (/^[A-Za-z]{2,}0$/.test(atom)) return 'numbered';
  if (isLocation(atom)) return 'variable';
  // Which exception it was is what happened, even when its module has a number: `psycopg2.errors.UniqueError`.
  if (/^[A-Za-z_][\w.$]*(?:Exception|Error)$/.test(atom)) return 'word';
  if (atom.includes('0') || isMailAddress(atom)) return 'variable';
  if (isFlag(atom)) return 'flag';
  if (!/[A-Za-z\u0080-\uFFFF]/.test(atom)) return 'mark';
  return isDotted(atom) ? kindOfDotted(atom) : 'word';
}

/** `a.b.c`, or two parts of which the last is short and in small letters: a file's extension, a top-level domain. */
function isDotted(atom: string): boolean {
  const parts = atom.split('.');
  if (parts.length < 2 || parts.some((part) => !/^[\w$*/-]+$/.test(part)) || !/^[A-Za-z]/.test(atom)) return false;
  return parts.length > 2 || /^[a-z]{2,4}$/.test(parts[1] ?? '');
}

function kindOfDotted(atom: string): TokenKind {
  // A constant of the program, qualified: there are few of them, and which one it is says what happened.
  if (/\.[A-Z][A-Z0-9_]*$/.test(atom)) return 'value';
  return isHostName(atom) ? 'variable' : 'name';
}
