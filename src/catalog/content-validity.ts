import { basename, extname } from 'node:path';
import { parseEnv } from 'node:util';
import { Script } from 'node:vm';
import { parse as parseJsonc, type ParseError } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { isCollection, parseAllDocuments } from 'yaml';

/** `unknown`: a format that nobody here can parse; not empty, but that is all one can say. */
type Validity = 'valid' | 'broken' | 'unknown';

/**
 * Whether content can be what its name promises. Empty and NUL-filled content (what a crash of the machine leaves
 * behind) is broken in any text format.
 * @param name   file name or path; only the name counts
 */
export function contentValidity(name: string, bytes: Uint8Array): Validity {
  const file = basename(name);
  if (bytes.every((byte) => byte === 0 || byte === 0x20 || byte === 0x0a || byte === 0x0d)) return 'broken';
  if (/\.(?:jar|war|ear|whl|zip)$/i.test(file)) return isArchive(bytes) ? 'valid' : 'broken';
  const format = formatOf(file, bytes);
  if (format === null) return 'unknown';
  if (bytes.includes(0)) return 'broken';
  const text = new TextDecoder().decode(bytes);
  return format(text) ? 'valid' : 'broken';
}

/** An archive's directory stands at its end, behind at most 64 KiB of comment: what was cut off has none. See APPNOTE.TXT 4.3.16. */
const DIRECTORY_BYTES_MAX = 65_557;
const END_OF_DIRECTORY = [0x50, 0x4b, 0x05, 0x06];

function isArchive(bytes: Uint8Array): boolean {
  const tail = bytes.subarray(-DIRECTORY_BYTES_MAX);
  for (let at = tail.length - END_OF_DIRECTORY.length; at >= 0; at--)
    if (END_OF_DIRECTORY.every((byte, i) => tail[at + i] === byte)) return true;
  return false;
}

/** A module's `import` and `export` cannot be compiled as a script: such a file is unknown. */
const MODULE_SYNTAX = /^\s*(?:import|export)\b/m;

function formatOf(file: string, bytes: Uint8Array): ((text: string) => boolean) | null {
  if (/^\.env(?:\.|$)|\.env$/.test(file)) return isEnv;
  switch (extname(file).toLowerCase()) {
    case '.json':
    case '.webmanifest':
    case '.geojson':
    case '.jsonc':
      return isJsonWithComments;
    case '.yaml':
    case '.yml':
      return isYaml;
    case '.toml':
      return isToml;
    case '.pem':
    case '.crt':
      return isPem;
    case '.key':
      return isKey;
    case '.js':
    case '.cjs':
      return MODULE_SYNTAX.test(new TextDecoder().decode(bytes)) ? null : isScript;
    default:
      return null;
  }
}

/** With comments and trailing commas: many programs accept those in their `.json` files. */
function isJsonWithComments(text: string): boolean {
  const errors: ParseError[] = [];
  parseJsonc(text, errors, { allowTrailingComma: true });
  return errors.length === 0 && text.trim() !== '';
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

/** Keys of frameworks (`config/master.key` of Rails) are one line of hexadecimal digits or base64. */
function isKey(text: string): boolean {
  return isPem(text) || /^[A-Za-z0-9+/_-]{16,512}={0,2}\s{0,2}$/.test(text);
}

function isToml(text: string): boolean {
  try {
    return Object.keys(parseToml(text)).length > 0;
  } catch {
    return false; // this is the question that was asked
  }
}

/** Compiled, never run. */
function isScript(text: string): boolean {
  try {
    return new Script(`(function (exports, require, module, __filename, __dirname) {${text.replace(/^#!.*/, '')}\n})`) instanceof Script;
  } catch (error) {
    return !(error instanceof SyntaxError);
  }
}
