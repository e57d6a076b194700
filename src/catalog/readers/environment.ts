import { after, before, lineAt, rule, type Draft, type Place, type Reader } from './rule.ts';

/** A block of missing variables lists no more than this. */
const NAMES_MAX = 20;

/** Two words or more, so that it cannot be an ordinary word in capitals. */
const NAME = String.raw`[A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,8}`;
/** With the word "environment" beside it, one word is enough: `PORT`, `TOKEN`. */
const ANY_NAME = String.raw`[A-Z][A-Z0-9_]{2,80}`;

const NAMES = new RegExp(String.raw`(?<![\w.$/-])(${NAME})(?![\w(/])`, 'g');
const ANY_NAMES = new RegExp(String.raw`(?<![\w.$/-])(${ANY_NAME})(?![\w(/])`, 'g');

const IS_ABSENT = String.raw`(?:is|was|are|were|has|must|cannot|can't|should|needs?|has to|not|isn't|wasn't|missing|required|undefined|unset)`;
const ABOUT_ENVIRONMENT = /\benv(?:ironment)?\b|\benv[-_ ]?vars?\b|process\.env|os\.environ|ENV\[/i;
const ABSENT =
  /\b(?:missing|required|not set|unset|not defined|undefined|must (?:not )?be (?:set|provided|defined|specified|present|configured|empty)|not provided|not configured|not specified|is empty|(?:cannot|can't|must not|should not) be (?:empty|blank|undefined|null)|not found|no value|(?:needs?|has|have) to be (?:set|provided|defined)|isn't set|wasn't set|not been set|not present|please (?:set|provide|define)|forg[eo]t(?:ten)? to set|set the|does not exist|no such)\b/i;

/** `"NAME" is required`, `NAME must be set`, `NAME (the database) was not set`. */
const NAME_THEN_ABSENT = new RegExp(
  String.raw`(?<![\w.$/-])["'\`]?(${NAME})["'\`]?(?: \([^)]{0,60}\))?:? (?:\w{1,16} ){0,2}?${IS_ABSENT}\b`,
);
/** `missing required variable NAME`, `Please set NAME`. */
const ABSENT_THEN_NAME = new RegExp(
  String.raw`\b(?:[Mm]issing|[Rr]equired|[Uu]ndefined|[Uu]nset|[Ss]et|[Pp]rovide|[Dd]efine|[Nn]o)\b[^A-Z\n]{0,60}["'\`]?(${NAME})\b`,
);

/** Capitals with underscores that are codes, not variables. */
const NOT_VARIABLES =
  /^(?:ERR_|E[A-Z]{3,14}$|SQLITE_|ER_|[A-Z_]*NOT_FOUND$|NOT_NULL|PRIMARY_KEY|UTF_|HTTP_\d|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|ERROR|FATAL|WARN|WARNING|INFO|DEBUG_|ENV$|ENVIRONMENT|ENV_VARS?$|NULL|TRUE|FALSE|JSON|YAML|HTML|HTTPS?$|URL$|API$|SSL$|TLS$|SQL$|AWS$|NODE$|USD|THE$|NOT$|AND$|FOR$|ARE$|MUST$|MISSING|REQUIRED|UNDEFINED|INVALID|CONFIG$|CONFIGURATION|VARIABLES?$|ALL$|UNIX|UTC|GMT)/;

/** Missing environment variables, in the words of the libraries and of everybody's own checks. */
export const environment: Reader = {
  runtime: 'unknown',
  rules: [
    // zod prints its issues as JSON: the name stands alone on the line after "path".
    rule(['"path": ['], /"path": \[(?:\s{0,4}"([\w.-]{1,128})")?/, ([, same = ''], place) => {
      const name = same || (/^\s{1,20}"([\w.-]{1,128})"/.exec(lineAt(place, 1))?.[1] ?? '');
      if (name === '' || !before(place, 60, /\bZodError\b|"(?:code|expected|invalid)/)) return null;
      const issue = [
        before(place, 5, /"received": "([^"]{1,40})"/)?.[1] ?? '',
        after(place, 8, /"message": "([^"]{1,200})"/)?.[1] ?? '',
      ].join(' ');
      return issueDraft(name, issue);
    }),
    // t3-env, zod's flatten(): `DATABASE_URL: [ 'Required' ]`
    rule(
      [": [ '", ': [ "', ': ["', ": ['"],
      new RegExp(String.raw`^\s{0,8}["']?(${ANY_NAME})["']?: \[ ?["'](.{1,160}?)["']`),
      ([, name = '', issue = '']) => issueDraft(name, issue),
    ),
    // zod's prettifyError: `✖ Invalid input: expected string, received undefined` / `  → at DATABASE_URL`
    rule(['→ at '], new RegExp(String.raw`^\s{0,8}→ at (${ANY_NAME})$`), ([, name = ''], place) => issueDraft(name, lineAt(place, -1))),
    // envalid lists them below a headline of its own.
    rule(
      ['nvironment variables', 'nv variables', 'env vars', 'nvironment variable'],
      /\b(missing|required|undefined|unset|invalid)\b.{0,60}\b(?:environment |env )(?:variables?|vars?)\b|\b(?:environment |env )(?:variables?|vars?)\b.{0,80}\b(missing|required|not set|undefined|unset|not defined)\b/i,
      (_, place) => listed(place),
    ),
    rule(['"', "'", '`', '_'], NAME_THEN_ABSENT, (_, place) => (ABSENT.test(lineAt(place, 0)) ? namesIn(lineAt(place, 0), NAMES) : null)),
    rule(['_'], ABSENT_THEN_NAME, (_, place) =>
      ABSENT.test(lineAt(place, 0)) && !/\b(?:set|setting|using) [A-Z_]{3,80} to\b/.test(lineAt(place, 0))
        ? namesIn(lineAt(place, 0), NAMES)
        : null,
    ),
    rule(['env', 'Env', 'ENV'], ABSENT, (_, place) =>
      ABOUT_ENVIRONMENT.test(lineAt(place, 0)) ? namesIn(lineAt(place, 0), ANY_NAMES) : null,
    ),
    // Joi, as NestJS repeats it: `"PORT" must be a number`. Absent ones were understood above.
    rule(['" must be', '" must '], new RegExp(String.raw`"(${ANY_NAME})" must (.{1,100})`), ([, name = '', reason = '']) => ({
      kind: 'config_invalid',
      subject: name,
      code: 'validation',
      details: { key: name, reason },
    })),
    // Rust: `env var not found`, panics of `env::var("X").unwrap()`: "NotPresent"
    rule(
      ['NotPresent'],
      /(?:called `Result::unwrap\(\)` on an `Err` value: |\b([A-Z][A-Z0-9_]{1,80})?[^:]{0,80}: )NotPresent/,
      ([, name = '']) => ({
        kind: 'env_missing',
        subject: name,
        code: 'NotPresent',
      }),
    ),
  ],
};

function missing(name: string): Draft {
  return { kind: 'env_missing', subject: name, code: 'missing' };
}

/** What a validator says about one variable: absent, or present and wrong. */
function issueDraft(name: string, issue: string): Draft | null {
  if (!/^[A-Z][A-Z0-9_]{1,127}$/.test(name) || issue.trim() === '') return null;
  return /\brequired\b|undefined|missing|nvalid_type.*undefined/i.test(issue)
    ? missing(name)
    : { kind: 'config_invalid', subject: name, code: 'validation', details: { key: name, reason: issue.trim().slice(0, 200) } };
}

function namesIn(text: string, pattern: RegExp): readonly Draft[] | null {
  const names = [...text.replaceAll('process.env.', 'process.env ').matchAll(pattern)]
    .map((found) => found[1] ?? '')
    .filter((name) => !NOT_VARIABLES.test(name));
  return names.length === 0 ? null : [...new Set(names)].slice(0, NAMES_MAX).map(missing);
}

/** The names on the headline, else those listed below it, one on a line. */
function listed(place: Place): readonly Draft[] | null {
  const isInvalid = /\binvalid\b/i.test(lineAt(place, 0)) && !/missing|required/i.test(lineAt(place, 0));
  const here = namesIn(lineAt(place, 0), ANY_NAMES);
  if (here)
    return isInvalid
      ? here.map((draft) => ({ ...draft, kind: 'config_invalid' as const, code: 'validation', details: { key: draft.subject ?? '' } }))
      : here;
  const drafts: Draft[] = [];
  for (let offset = 1; offset <= NAMES_MAX; offset++) {
    const found = LISTED.exec(lineAt(place, offset));
    if (!found) break;
    const [, name = '', said = ''] = found;
    if (NOT_VARIABLES.test(name)) break;
    // Validators that print the issue beside the name are read line by line.
    if (said.startsWith('[')) return null;
    drafts.push(isInvalid ? { kind: 'config_invalid', subject: name, code: 'validation', details: { key: name } } : missing(name));
  }
  return drafts.length === 0 ? null : drafts;
}

const LISTED = new RegExp(
  String.raw`^\s{0,12}(?:[-*•·✗✖❌x] {0,3}|\d{1,2}[.)] )?["'\`]?(${ANY_NAME})["'\`]?(?:$|,$|: ?(.{0,200})$| [-–—(=].{0,200}$)`,
);
