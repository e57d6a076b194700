/**
 * How a line was said.
 * `quiet` lines say that all is well and are never read for errors; `warning` lines are believed only when the program
 * failed for no other known reason, since most warnings are followed by success; `echo` is source code shown beside an
 * error, which names things without failing.
 */
export type Tone = 'plain' | 'error' | 'warning' | 'quiet' | 'echo';

/** A level stands at the start of a line, behind times, process ids and logger names. */
const PREFIX_CHARS = 100;

const LEVEL =
  /(?:^|[\s[|("<-])(TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN|WARNING|ERROR|ERR|FATAL|CRITICAL|CRIT|ALERT|EMERG|PANIC|SEVERE)(?=[\s\]|:)>,-]|$)/;
const BRACKETED = /\[(trace|debug|verbose|info|note|notice|system|warn|warning|error|err|fatal|critical|crit|alert|emerg|panic)\]/i;
const LEADING = /^(trace|debug|verbose|silly|http|info|notice|warn|warning|error|fatal|critical)(?:\s{1,3}-|:\s| \|)/i;
/** `npm error …`, `I0102 15:04:05.000000 …` (glog), `E, [2024-01-02T…` (Ruby's Logger). */
const NPM = /^npm (error|ERR!|warn|WARN|notice|info)\b/;
const GLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d/;
const RUBY_LOGGER = /^([DIWEF]), \[\d{4}-/;

const BY_LETTER: Readonly<Record<string, Tone>> = { D: 'quiet', I: 'quiet', W: 'warning', E: 'error', F: 'error' };

/** Words that begin a sentence about a variable of that name: `DEBUG must be set`. */
const SENTENCE = /^["'`]?\s{1,2}(?:is|must|not|has|was|environment|env|variable|should|cannot)\b/;
const AN_ERROR_BEFORE = /(?:Error|Exception|panic|fatal|cause\]?): |[a-z] (?:for|of|in|the|and|or) $/;

const HARMLESS = /DeprecationWarning|ExperimentalWarning|\bdeprecated\b|PendingDeprecation|FutureWarning/;
/** `0 errors`, `no migration failed`: what did not happen. */
const NEGATED = /\b(?:no|0|zero|without)(?: \w{1,20})? (?:errors?|failures?|failed|problems?|conflicts?)\b/i;
/** The program tells what it does instead: it did not fail of this, or not yet. */
const GOES_ON =
  /\b(?:retrying|will retry|retry in|trying again|reconnecting|falling back|fallback enabled|(?:using|use) (?:the )?defaults?|skipp(?:ed|ing)|ignor(?:ed|ing)|continuing|(?:creating|created|recreating) (?:it|one)|optional (?:env|environment|variable|setting|config)|running without|(?:reporting|tracing|caching|metrics|feature|integration) (?:is )?disabled|handler (?:installed|registered)|in use for development)\b|: ok$/i;

/** PostgreSQL explains an error on further lines; they name other things than what went wrong. */
const EXPLANATION = /^.{0,80}?\b(?:HINT|DETAIL|STATEMENT|CONTEXT|QUERY|LOCATION): {1,2}/;

export function toneOf(text: string): Tone {
  if (EXPLANATION.test(text)) return 'echo';
  const level = levelOf(text);
  if (level === 'quiet') return 'quiet';
  if (HARMLESS.test(text)) return 'quiet';
  if (GOES_ON.test(text)) return 'warning';
  if (level === 'plain' && NEGATED.test(text)) return 'quiet';
  return level;
}

function levelOf(text: string): Tone {
  const letter = GLOG.exec(text)?.[1] ?? RUBY_LOGGER.exec(text)?.[1];
  if (letter) return BY_LETTER[letter] ?? 'plain';
  const npm = NPM.exec(text)?.[1];
  if (npm) return npm === 'ERR!' ? 'error' : toneOfLevel(npm);
  const leading = LEADING.exec(text)?.[1];
  // `Error: …` and `error: …` are how exceptions and compilers begin, not a logger's level.
  if (leading) return /^error$/i.test(leading) ? 'plain' : toneOfLevel(leading);
  const prefix = text.slice(0, PREFIX_CHARS);
  const bracketed = BRACKETED.exec(prefix);
  if (bracketed && !AN_ERROR_BEFORE.test(prefix.slice(0, bracketed.index))) return toneOfLevel(bracketed[1] ?? '');
  const found = LEVEL.exec(prefix);
  if (!found) return 'plain';
  if (AN_ERROR_BEFORE.test(prefix.slice(0, found.index + 1))) return 'plain';
  if (SENTENCE.test(prefix.slice(found.index + found[0].length))) return 'plain';
  return toneOfLevel(found[1] ?? '');
}

/** @param level   a logger's word or pino's and bunyan's number */
export function toneOfLevel(level: string): Tone {
  const number = Number(level);
  if (level !== '' && Number.isInteger(number)) return number >= 50 ? 'error' : number >= 40 ? 'warning' : 'quiet';
  switch (level.toLowerCase()) {
    case 'trace':
    case 'debug':
    case 'verbose':
    case 'silly':
    case 'http':
    case 'info':
    case 'information':
    case 'note':
    case 'notice':
    case 'system':
      return 'quiet';
    case 'warn':
    case 'warning':
      return 'warning';
    case 'error':
    case 'err':
    case 'fatal':
    case 'critical':
    case 'crit':
    case 'alert':
    case 'emerg':
    case 'emergency':
    case 'panic':
    case 'dpanic':
    case 'severe':
      return 'error';
    default:
      return 'plain';
  }
}
