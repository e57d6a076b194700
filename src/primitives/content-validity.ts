import { basename, extname } from 'node:path';
import { parseEnv } from 'node:util';
import { parse as parseJsonc, type ParseError } from 'jsonc-parser';
import { isCollection, parseAllDocuments } from 'yaml';

/** `unknown`: a format that nobody here can parse; not empty, but that is all one can say. */
type Validity = 'valid' | 'broken' | 'unknown';

/** JSON files in which comments are usual. */
const JSONC_NAME =
  /^(?:tsconfig|jsconfig|devcontainer|settings|launch|tasks)\b.*\.json$|^\.(?:eslintrc|swcrc|babelrc|jshintrc)(?:\.json)?$/;

/**
 * Whether content can be what its name promises. Empty and NUL-filled content (what a crash of the machine leaves
 * behind) is broken in any text format.
 * @param name   file name or path; only the name counts
 */
export function contentValidity(name: string, bytes: Uint8Array): Validity {
  const file = basename(name);
  if (bytes.every((byte) => byte === 0 || byte === 0x20 || byte === 0x0a || byte === 0x0d)) return 'broken';
  const format = formatOf(file);
  if (format === null) return 'unknown';
  if (bytes.includes(0)) return 'broken';
  const text = new TextDecoder().decode(bytes);
  return format(text) ? 'valid' : 'broken';
}

function formatOf(file: string): ((text: string) => boolean) | null {
  if (JSONC_NAME.test(file)) return isJsonWithComments;
  if (/^\.env(?:\.|$)|\.env$/.test(file)) return isEnv;
  switch (extname(file).toLowerCase()) {
    case '.json':
    case '.webmanifest':
    case '.geojson':
      return isJson;
    case '.jsonc':
      return isJsonWithComments;
    case '.yaml':
    case '.yml':
      return isYaml;
    case '.toml':
      return isTomlLike;
    case '.pem':
    case '.crt':
    case '.key':
      return isPem;
    default:
      return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // this is the question that was asked
  }
}

function isJsonWithComments(text: string): boolean {
  const errors: ParseError[] = [];
  parseJsonc(text, errors, { allowTrailingComma: true });
  return errors.length === 0;
}

/** A mapping or a list: any garbage without a colon would parse as one long text. */
function isYaml(text: string): boolean {
  const documents = parseAllDocuments(text, { logLevel: 'silent' });
  return (
    Array.isArray(documents) &&
    documents.length > 0 &&
    documents.every((d) => d.errors.length === 0) &&
    documents.some((d) => isCollection(d.contents))
  );
}

function isEnv(text: string): boolean {
  return Object.keys(parseEnv(text)).length > 0;
}

/** DER has no armour, and is told by its first byte; a cut-off PEM has no end. */
function isPem(text: string): boolean {
  if (text.charCodeAt(0) === 0x30) return true;
  const begins = text.match(/-----BEGIN [A-Z0-9 ]+-----/g)?.length ?? 0;
  const ends = text.match(/-----END [A-Z0-9 ]+-----/g)?.length ?? 0;
  return begins > 0 && begins === ends;
}

/**
 * Not a TOML parser: tells whole files from cut-off and overwritten ones. Every line opens a table, sets a key, is a
 * comment, or continues an open list or text; nothing may be open at the end.
 */
function isTomlLike(text: string): boolean {
  let depth = 0;
  let openText: string | null = null;
  let settings = 0;
  for (const line of text.split('\n')) {
    let rest = line.trim();
    if (openText !== null) {
      const end = rest.indexOf(openText);
      if (end < 0) continue;
      rest = rest.slice(end + openText.length);
      openText = null;
    } else if (depth === 0) {
      if (rest === '' || rest.startsWith('#')) continue;
      if (/^\[\[?[^\]]+\]\]?\s*(?:#.*)?$/.test(rest)) {
        settings++;
        continue;
      }
      const key = /^(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*\s*=\s*/.exec(rest);
      if (!key || key[0].length === rest.length) return false;
      settings++;
      rest = rest.slice(key[0].length);
    }
    const triple = /^[^#]*?("""|''')/.exec(rest)?.[1];
    if (triple !== undefined && rest.split(triple).length % 2 === 0) {
      openText = triple;
      continue;
    }
    const bare = rest.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '""').replace(/#.*$/, '');
    if (/"(?:[^"]|$)/.test(bare.replaceAll('""', ''))) return false;
    for (const char of bare) depth += char === '[' || char === '{' ? 1 : char === ']' || char === '}' ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth === 0 && openText === null && settings > 0;
}
