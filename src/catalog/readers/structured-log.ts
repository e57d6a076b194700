import { cleanLines } from '../../domains/incidents/index.ts';
import { toneOfLevel, type Tone } from './tone.ts';

/** What a logger's line says once taken out of JSON or logfmt. */
export interface LogRecord {
  readonly tone: Tone;
  /** The message, then the error and its stack, as they would have been printed. */
  readonly texts: readonly string[];
}

/** Deeper objects are context, not the error. */
const DEPTH_MAX = 3;
/** A stack inside one line of 512 characters has no more. */
const TEXTS_MAX = 24;

const MESSAGES = ['msg', 'message', 'event', 'fields.message', 'text', '@m', '@mt', 'short_message', 'MESSAGE'];
const LEVELS = ['level', 'severity', 'lvl', 'log.level', 'levelname', 'loglevel', '@l'];
const ERRORS = ['err', 'error', 'exception', 'e', 'fields.error', 'cause', 'thrown', 'attr.error'];
/** mongod writes its severity as one letter, `s`, beside `c` and `ctx`. */
const MONGOD: Readonly<Record<string, string>> = { F: 'fatal', E: 'error', W: 'warning', I: 'info' };
const STACKS = ['stack', 'stacktrace', 'stack_trace', 'exc_info', 'exception', 'traceback', '@x'];
/** The stack inside an object that is an error. */
const INNER_STACKS = ['stack', 'stack_trace', 'stacktrace', 'extendedStackTrace'];
/** GELF and journald number levels as syslog does: 0 emergency, 3 error, 4 warning, 6 information. */
const SYSLOG_ERROR = 3;
const SYSLOG_WARNING = 4;

/**
 * Reads a line of pino, bunyan, winston, slog, zap, zerolog, logrus, structlog, Serilog, Logback, Log4j, ECS, GELF, journald, mongod.
 * @returns null when the line is not a log record
 */
export function logRecord(line: string): LogRecord | null {
  const text = line.trimStart();
  const values = OBJECT.test(text) ? jsonValues(text) : LOGFMT_LEVEL.test(text) ? logfmtValues(text) : null;
  if (!values) return null;
  const first = (names: readonly string[]): string => {
    for (const name of names) {
      const value = values.get(name);
      if (value !== undefined && value !== '') return value;
    }
    return '';
  };
  const level = first(LEVELS) || (values.has('ctx') ? (MONGOD[values.get('s') ?? ''] ?? '') : '');
  const message = first(MESSAGES);
  // lograge tells of a request, and only of an error when there was one.
  if (level === '' && message === '' && !values.has('error')) return null;
  return { tone: toneIn(values, level), texts: textsOf(values, message, first) };
}

/** A JSON object, whatever spaces its writer likes. */
const OBJECT = /^\{\s?"/;

function toneIn(values: ReadonlyMap<string, string>, level: string): Tone {
  const syslog = values.get('PRIORITY') ?? (values.has('short_message') ? level : '');
  if (/^\d$/.test(syslog)) return Number(syslog) <= SYSLOG_ERROR ? 'error' : Number(syslog) === SYSLOG_WARNING ? 'warning' : 'quiet';
  return level === '' ? 'plain' : toneOfLevel(level);
}

function textsOf(values: ReadonlyMap<string, string>, message: string, first: (names: readonly string[]) => string): string[] {
  const inner = ERRORS.find((name) => ['message', 'msg', ...INNER_STACKS].some((field) => values.has(`${name}.${field}`)));
  const stack = first(inner ? INNER_STACKS.map((field) => `${inner}.${field}`) : STACKS);
  const type = inner ? (values.get(`${inner}.type`) ?? values.get(`${inner}.name`) ?? 'Error') : '';
  const errorMessage = inner ? (values.get(`${inner}.message`) ?? values.get(`${inner}.msg`) ?? '') : first(ERRORS);
  const code = (inner ? values.get(`${inner}.code`) : values.get('code')) ?? '';
  // pino adds the messages of the causes to the message; its stack begins with the first.
  const isInStack = stack.includes(errorMessage.split(': ', 1)[0] ?? '');
  const error = errorMessage === '' || isInStack ? '' : type === '' ? errorMessage : `${type}: ${errorMessage}`;
  const texts: string[] = [];
  // Go's loggers: what was tried, and beside it the error in words.
  if (type === '' && error !== '' && message !== '' && !error.includes(message)) texts.push(`${message}: ${error}`);
  else texts.push(stack.includes(message) || error.includes(message) ? '' : message, error);
  texts.push(stack);
  if (code !== '' && !texts.some((text) => text.includes(code))) texts.push(`  code: '${code}'`);
  // Escapes inside JSON were not there when the line was cleaned.
  return cleanLines(texts.join('\n')).slice(0, TEXTS_MAX);
}

/**
 * The strings and numbers of a JSON object by their path (`err.message`).
 * Not JSON.parse: long records are cut in the middle of a stack, and what came before the cut is what we want.
 */
function jsonValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const path: string[] = [];
  let key = '';
  let expectsKey = true;
  let arrays = 0;
  let at = 1;
  while (at < text.length) {
    const char = text[at];
    if (char === '"') {
      const [value, end] = jsonString(text, at);
      at = end;
      if (arrays > 0) continue;
      if (expectsKey) key = value;
      else keep(values, path, key, value);
      continue;
    }
    if (char === ':') expectsKey = false;
    else if (char === ',') expectsKey = arrays === 0;
    else if (char === '[') arrays++;
    else if (char === ']') arrays = Math.max(0, arrays - 1);
    else if (char === '{' && arrays === 0) {
      path.push(key);
      expectsKey = true;
    } else if (char === '}' && arrays === 0) {
      path.pop();
      expectsKey = false;
    } else if (arrays === 0 && !expectsKey && ((char !== undefined && char >= '0' && char <= '9') || char === '-')) {
      const start = at;
      while (at < text.length && /[-+.\deE]/.test(text[at] ?? '')) at++;
      keep(values, path, key, text.slice(start, at));
      continue;
    }
    at++;
  }
  return values;
}

function keep(values: Map<string, string>, path: readonly string[], key: string, value: string): void {
  if (path.length >= DEPTH_MAX) return;
  const name = [...path, key].join('.');
  if (!values.has(name)) values.set(name, value);
}

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '  ', r: '', b: '', f: '' };

/** @returns the string that opens at `from`, up to the cut when it does not close, and where it ends */
function jsonString(text: string, from: number): [value: string, end: number] {
  let value = '';
  let at = from + 1;
  let start = at;
  for (; at < text.length; at++) {
    const char = text[at];
    if (char === '"') return [value + text.slice(start, at), at + 1];
    if (char !== '\\') continue;
    value += text.slice(start, at);
    const escaped = text[at + 1] ?? '';
    if (escaped === 'u') {
      const code = Number.parseInt(text.slice(at + 2, at + 6), 16);
      if (code >= 32) value += String.fromCharCode(code);
      at += 5;
    } else {
      value += ESCAPED[escaped] ?? escaped;
      at += 1;
    }
    start = at + 1;
  }
  return [value + text.slice(start), text.length];
}

const LOGFMT_LEVEL = /(?:^|\s)(?:level|lvl|severity)="?[A-Za-z]{3,9}"?(?:\s|$)/;
const LOGFMT_PAIR = /(?<![\w.])([A-Za-z_][\w.]{0,30})=("(?:[^"\\]|\\.){0,500}"?|[^\s"]{1,300})/g;

function logfmtValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const found of text.matchAll(LOGFMT_PAIR)) {
    const raw = found[2] ?? '';
    keep(values, [], found[1] ?? '', raw.startsWith('"') ? jsonString(raw, 0)[0] : raw);
  }
  return values;
}
