/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Names whose values are secrets, in environments, configs and `key=value` output. */
const SECRET_NAME =
  /(?:^|[_.-])(?:pass(?:wd|word|phrase)?|pwd|secret|secrets|token|api[_-]?key|apikey|private[_-]?key|access[_-]?key|auth|credentials?|cookie|session[_-]?key|signing[_-]?key|encryption[_-]?key|salt|dsn|webhook)(?:$|[_.-])|(?:password|secret|token|apikey)$/i;

/** The working directory, whatever its name looks like. */
const NOT_SECRET = new Set(['PWD', 'OLDPWD', 'SSH_AUTH_SOCK', 'DBUS_SESSION_BUS_ADDRESS', 'XAUTHORITY', 'GIT_ASKPASS', 'SSH_ASKPASS']);

/** True when a variable of this name is taken for a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !NOT_SECRET.has(name);
}

/** `DB_PASSWORD_FILE` says where the secret lies. */
const NAMES_FILE = /_(?:FILE|PATH|DIR)$/i;
const IS_PATH = /^(?:~?\/|\.{1,2}\/)[\w./@~-]{1,1000}$|^[\w./@-]{1,1000}\.[A-Za-z]{2,6}$/;

/**
 * Words of Grace's own in what it reports, and names that the config chose: a short secret that happens to be one of them is not in there,
 * and taking them out would break the answer and give the secret away. Each with what has to stand beside it; null for nothing.
 */
const FIXED: ReadonlyMap<string, readonly string[] | null> = new Map([
  ['severity', null],
  ['type', null],
  ['state', null],
  ['result', null],
  ['outcome', null],
  ['stage', null],
  ['mode', null],
  ['component', null],
  ['service', null],
  ['code', ['severity']],
  ['name', ['durationMs', 'startedAfterMs']],
  ['title', ['durationMs']],
]);
const FIXED_CHARS_MAX = 80;

/** Shapes that are secrets wherever they stand; each is bounded, so that hostile text cannot make it slow. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // to its end; without one, as far as it can be a key
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[\s\S]{0,8192}?-----END [A-Z ]{0,30}PRIVATE KEY-----|[\sA-Za-z0-9+/=\\]{0,65536})/g,
    REDACTED,
  ],
  // user:password@ in a URL: the user stays, it is often the fix
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@'"]{0,128}):([^\s/'"]{1,256})@/gi, `$1:${REDACTED}@`],
  [/\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,512}/g, `$1 ${REDACTED}`],
  [/\beyJ[A-Za-z0-9_-]{8,1024}\.[A-Za-z0-9_-]{4,2048}(?:\.[A-Za-z0-9_-]{0,1024})?/g, REDACTED],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, REDACTED],
  [/\bgh[pousr]_[A-Za-z0-9]{20,255}\b/g, REDACTED],
  [/\bgithub_pat_[A-Za-z0-9_]{20,255}\b/g, REDACTED],
  [/\bglpat-[A-Za-z0-9_-]{16,64}\b/g, REDACTED],
  [/\bnpm_[A-Za-z0-9]{30,64}\b/g, REDACTED],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,255}\b/g, REDACTED],
  [/\bsk[-_](?:live|test|ant|proj)?[-_]?[A-Za-z0-9_-]{16,255}\b/g, REDACTED],
  [/\bAIza[A-Za-z0-9_-]{30,50}\b/g, REDACTED],
  // "name": "value", whatever is escaped inside the quotes
  [
    /((?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credential)[A-Za-z0-9_.-]{0,32}["']?\s{0,4}[:=]\s{0,4})"(?:[^"\\\n]|\\.){3,512}/gi,
    `$1"${REDACTED}`,
  ],
  // name=value and "name": "value"; what stands before the name stays as it is, and looking for it would cost a second look
  // at every word. A source file is no name: `routes/token.js:12:5` says where
  [
    /((?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|credential)[A-Za-z0-9_.-]{0,32}(?<!\.(?:[cm]?[jt]sx?|py|rb|go|php|java|rs|cs))["']?\s{0,4}[:=]\s{0,4}["']?)([^\s"',;&}]{3,512})/gi,
    `$1${REDACTED}`,
  ],
];

/** Shorter values would redact ordinary words. */
const VALUE_CHARS_MIN = 6;
/** Values that are named like secrets but say nothing: redacting them would only hide what is wrong. */
const HARMLESS = new Set([
  'true', 'false', 'null', 'none', 'undefined', 'changeme', 'development', 'production', 'localhost', 'password', 'postgres',
  'secret', 'secrets', 'example', 'default', 'placeholder',
]); // prettier-ignore

/**
 * Removes secrets from text: the values it was told of, and whatever is shaped like one.
 * Knows a value also in its URL-encoded, JSON-escaped and base64 form, since error messages print those.
 */
export class Redactor {
  private readonly values = new Set<string>();
  private sorted: readonly string[] = [];

  /** Tells it of secret values; short and harmless ones are ignored. */
  learn(values: Iterable<string>): void {
    for (const value of values) {
      if (value.length < VALUE_CHARS_MIN || HARMLESS.has(value.toLowerCase()) || this.values.has(value)) continue;
      this.values.add(value);
      this.values.add(encodeURIComponent(value.toWellFormed()));
      this.values.add(JSON.stringify(value).slice(1, -1));
      this.values.add(Buffer.from(value).toString('base64'));
      for (const form of base64FormsOf(value)) this.values.add(form);
      for (const line of value.split('\n')) if (line.length >= 16) this.values.add(line);
    }
    this.sorted = [...this.values].toSorted((a, b) => b.length - a.length);
  }

  /** Learns the secret-named values of an environment, and the passwords inside URLs of any name. */
  learnEnvironment(env: Readonly<Record<string, string | undefined>>): void {
    const found: string[] = [];
    for (const [name, value] of Object.entries(env)) {
      if (!value) continue;
      if (isSecretName(name) && !(NAMES_FILE.test(name) && IS_PATH.test(value))) found.push(value);
      const password = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:([^\s/]+)@/i.exec(value)?.[1];
      if (password) found.push(password, safeDecode(password));
    }
    this.learn(found);
  }

  /** Learns what a command line gives to options with secret names, and the passwords inside its URLs. */
  learnCommand(argv: readonly string[]): void {
    argv.forEach((word, i) => {
      const [, name, value] = /^-{0,2}([A-Za-z][\w.-]*)=([^]*)$/.exec(word) ?? [];
      const option = /^--?([A-Za-z][\w.-]*)$/.exec(argv[i - 1] ?? '')?.[1];
      if (name !== undefined) this.learnEnvironment({ [name]: value });
      this.learnEnvironment({ [option !== undefined && !word.startsWith('-') ? option : '']: word });
    });
  }

  /** Only the values it was told of: for text that is still to be cut, since half a secret is recognised by nobody. */
  redactKnown(text: string): string {
    let out = text;
    for (const value of this.sorted) if (out.includes(value)) out = out.replaceAll(value, REDACTED);
    return out;
  }

  redact(text: string): string {
    let out = this.redactKnown(text);
    for (const [shape, replacement] of SHAPES) out = out.replace(shape, replacement);
    return out;
  }

  /** Every string inside a JSON-like value; strings and numbers under secret names go whole, in lists too. */
  redactDeep<T>(value: T): T {
    return this.walk(value, false, false) as T;
  }

  /** A report, finding or event of Grace's: as `redactDeep`, but for identifiers that are fixed, such as codes, states and names of checks. */
  redactReport<T>(value: T): T {
    return this.walk(value, false, true) as T;
  }

  private walk(value: unknown, isSecret: boolean, isReport: boolean): unknown {
    if (typeof value === 'string') return isSecret && value !== '' ? REDACTED : this.redact(value);
    // A PIN, and one of several; in what Grace itself reports a number is one of its own.
    if (typeof value === 'number') return isSecret && !isReport ? REDACTED : value;
    if (Array.isArray(value)) return value.map((item) => this.walk(item, isSecret && !isReport, isReport));
    if (value !== null && typeof value === 'object')
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          isReport && isFixed(key, item, value) ? item : this.walk(item, isSecretName(key), isReport),
        ]),
      );
    return value;
  }
}

function isFixed(key: string, item: unknown, beside: object): boolean {
  const needs = FIXED.get(key);
  return typeof item === 'string' && item.length <= FIXED_CHARS_MAX && needs !== undefined && (needs?.some((one) => one in beside) ?? true);
}

/**
 * What base64 of any longer text contains when the value is part of it: three forms, by where the value begins in a group
 * of three bytes, without the characters at its ends that also hold bits of its neighbours.
 */
function base64FormsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const form = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not URL-encoded after all: the raw form is learned anyway
  }
}
