import { after, before, lineAt, named, near, rule, type Draft, type Place, type Reader } from './rule.ts';

/** A file is often named in the sentence before the parser's own words, or by the loader around it. */
const NEAR_LINES = 4;

const JSON_FILE = /(?<![\w./@-])((?:\/|\.{1,2}\/|[A-Z]:\\)?[\w./@\\-]{1,300}\.(?:json|json5|jsonc|webmanifest))\b/;
const YAML_FILE = /(?<![\w./@-])((?:\/|\.{1,2}\/|[A-Z]:\\)?[\w./@\\-]{1,300}\.ya?ml)\b/;
const TOML_FILE = /(?<![\w./@-])((?:\/|\.{1,2}\/|[A-Z]:\\)?[\w./@\\-]{1,300}\.toml)\b/;

/** What the parsers of JSON, YAML, TOML and .env files say, in any language. */
export const configFiles: Reader = {
  runtime: 'unknown',
  rules: [
    // V8
    rule(
      ['JSON'],
      /(Unexpected end of JSON input|Unexpected token .{1,40}? in JSON at position \d{1,9}|Unexpected (?:token|non-whitespace|string|number).{0,200}(?:is not valid JSON|after JSON)|(?:Expected|Unterminated|Bad|No number|Unexpected|Exponent) [^\n]{1,120}? in JSON at position \d{1,9}|"?undefined"? is not valid JSON|is not valid JSON)/,
      (found, place) => parseError('json', found[1] ?? '', jsonFile(place), place),
    ),
    // Python, Go, Java (Jackson), Ruby, jq
    rule(
      ['JSONDecodeError', 'Expecting ', 'Extra data: '],
      /(?:JSONDecodeError: )?((?:Expecting [\w' ,:"-]{1,60}|Extra data|Invalid control character at|Unterminated string starting at|Invalid \\escape)): line \d{1,7} column \d{1,7} \(char \d{1,9}\)/,
      (found, place) => parseError('json', found[1] ?? '', jsonFile(place), place),
    ),
    rule(
      [
        'looking for beginning of',
        'unexpected end of JSON input',
        'after top-level value',
        'after object key',
        'JsonParseException',
        'JSON::ParserError',
        'cannot unmarshal',
      ],
      /(invalid character .{1,40}? (?:looking for beginning of|after (?:object key|top-level value|array element))[\w :-]{0,40}|unexpected end of JSON input|JsonParseException|JSON::ParserError|json: cannot unmarshal .{1,120})/,
      (found, place) => parseError('json', found[1] ?? '', jsonFile(place), place),
    ),
    rule(
      ['Failed to parse JSON file', 'Invalid package.json', 'EJSONPARSE'],
      /(Failed to parse JSON file|Invalid package\.json|EJSONPARSE)/,
      (found, place) =>
        parseError('json', found[1] ?? '', jsonFile(place) || (found[1] === 'Invalid package.json' ? 'package.json' : ''), place),
    ),

    // YAML: js-yaml and yaml, PyYAML, go-yaml, SnakeYAML, Psych
    rule(
      ['YAMLException', 'YAMLParseError', 'YAMLSemanticError', 'YAMLSyntaxError'],
      /YAML(?:Exception|ParseError|SemanticError|SyntaxError): (.{1,200})/,
      (found, place) => parseError('yaml', found[1] ?? '', fileNear(place, YAML_FILE), place),
    ),
    rule(
      [
        'bad indentation of a',
        'can not read a',
        'can not read an implicit',
        'duplicated mapping key',
        'unknown escape sequence',
        'end of the stream or a document separator is expected',
        'tab characters must not be used',
      ],
      /(bad indentation of a (?:mapping|sequence) entry|can not read (?:a|an) [\w ]{1,60}|duplicated mapping key|end of the stream or a document separator is expected|tab characters must not be used in indentation)/,
      (found, place) => parseError('yaml', found[1] ?? '', fileNear(place, YAML_FILE), place),
    ),
    rule(
      [
        'yaml.scanner.',
        'yaml.parser.',
        'ScannerError',
        'ParserError',
        'yaml.composer.',
        'yaml.constructor.',
        'Psych::SyntaxError',
        'Psych::',
      ],
      /(?:yaml\.\w{1,20}\.)?(?:ScannerError|ParserError|ComposerError|ConstructorError|Psych::\w{1,30})(?:: (.{0,200}))?/,
      (found, place) => {
        const where = after(place, 8, /in "([^"]{1,300})", line (\d{1,7}), column (\d{1,5})/);
        const draft = parseError(
          'yaml',
          found[1] ?? /\): (.{1,120}?) at line/.exec(lineAt(place, 0))?.[1] ?? '',
          where?.[1] ?? (/\(([^()\s]{1,300}\.ya?ml)\)/.exec(lineAt(place, 0))?.[1] || fileNear(place, YAML_FILE)),
          place,
        );
        return where ? { ...draft, details: { ...draft.details, line: Number(where[2]), column: Number(where[3]) } } : draft;
      },
    ),
    rule(['yaml: '], /\byaml: (?:line (\d{1,7}): |unmarshal errors)(.{0,200})/, (found, place) =>
      parseError('yaml', found[2] ?? '', fileNear(place, YAML_FILE), place),
    ),

    // TOML
    rule(
      ['TOMLDecodeError', 'TomlDecodeError', 'TomlError', 'toml: ', 'TOML parse error'],
      /(?:TOMLDecodeError: |TomlDecodeError: |TomlError: |toml: (?:line \d{1,7}:?|cannot|expected|invalid|key)|TOML parse error at )(.{0,200})/,
      (found, place) => parseError('toml', found[1] ?? '', fileNear(place, TOML_FILE), place),
    ),

    // What a service's own loader says about a key
    rule(
      [
        'nknown option',
        'nknown key',
        'nrecognized key',
        'nknown configuration',
        'nexpected property',
        'dditional properties',
        'nrecognized field',
      ],
      /^(?:.{0,120}[\s:])?(?:[Uu]nknown (?:option|key|configuration (?:key|option|property|parameter))|[Uu]nrecognized (?:key|field)(?:\(s\))?|[Uu]nexpected property|[Aa]dditional propert(?:y|ies)):? ["'`]([\w.\-/[\]]{1,128})["'`]/,
      ([, key = ''], place) => ({
        kind: 'config_invalid',
        subject: fileNear(place, /(?<![\w./@-])([\w./@-]{1,300}\.(?:json|ya?ml|toml|conf|ini))\b/) || key,
        code: 'unknown_key',
        details: { key },
      }),
    ),
  ],
};

const POSITION =
  /\(line (\d{1,7}),? column (\d{1,7})\)|\(at line (\d{1,7}), column (\d{1,7})\)|line (\d{1,7}),? column (\d{1,7})|\((\d{1,7}):(\d{1,7})\)|\bline (\d{1,7})\b/;

function parseError(language: string, reason: string, path: string, place: Place): Draft {
  const text = lineAt(place, 0);
  const position = POSITION.exec(text);
  const [line, column] = (position?.slice(1) ?? []).filter((value) => value !== undefined);
  const offset = /at position (\d{1,9})|\(char (\d{1,9})\)/.exec(text);
  return {
    kind: 'config_invalid',
    subject: path,
    code: `${language}_parse`,
    // The name of an error class alone says nothing about what is wrong.
    said: complaintOf(/^[\w:.]{0,40}$/.test(reason) ? text : reason, text),
    details: named({
      language,
      reason: reason.slice(0, 200),
      line: line === undefined ? undefined : Number(line),
      column: column === undefined ? undefined : Number(column),
      position: offset ? Number(offset[1] ?? offset[2]) : undefined,
    }),
  };
}

/** What a parser puts around the place where it stopped: the text it found there. */
const QUOTED_TEXT = /(?<=\bat '.)[^]{0,512}(?='|$)|, (?:\.\.\.)?"[^]{0,400}?"(?:\.\.\.)?(?= is not valid JSON)/;

/**
 * The parser's complaint without the text that it found and without the position, which differ with every file; what
 * tells an empty file or a wrong format from a broken one is that it stopped at the start.
 */
function complaintOf(reason: string, text: string): string {
  const complaint = reason
    .replace(QUOTED_TEXT, '')
    .replace(/(?: in JSON)?(?: at position \d{1,9})?(?: \(line \d{1,9} column \d{1,9}\))?$/, '')
    .replace(/(?<=token '?)\w(?='?)/, '<c>')
    .replace(/^Unterminated string\b.*/, 'Unexpected end of JSON input');
  return /at position 0\b|\(char 0\)/.test(text) ? `${complaint}, at the start` : complaint;
}

/** A file named on the line itself, then around it; never one in a stack frame, which is code. */
function fileNear(place: Place, pattern: RegExp): string {
  const here = pattern.exec(lineAt(place, 0));
  if (here?.[1]) return here[1];
  const found = before(place, NEAR_LINES, pattern) ?? near(place, NEAR_LINES, pattern);
  return found?.[1] ?? '';
}

function jsonFile(place: Place): string {
  return fileNear(place, JSON_FILE);
}
