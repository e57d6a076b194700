import { X509Certificate } from 'node:crypto';
import { basename, extname } from 'node:path';
import { Script } from 'node:vm';
import { parse as parseJsonc, type ParseError } from 'jsonc-parser';
import { parse as parseToml } from 'smol-toml';
import { parseDocument } from 'yaml';
import type { ContentCheck } from '../../domains/learning/index.ts';

/** Whether a file's content is what its name promises; only what can be told for certain is called broken. */
export const contentCheck: ContentCheck = (path, content) => {
  const name = basename(path).toLowerCase();
  const text = new TextDecoder().decode(content);
  try {
    switch (extname(name)) {
      case '.json':
        return jsonVerdict(text);
      case '.yaml':
      case '.yml':
        return parseDocument(text, { logLevel: 'silent' }).errors.length === 0 ? 'valid' : 'broken';
      case '.toml':
        parseToml(text);
        return 'valid';
      case '.js':
      case '.cjs':
        return scriptVerdict(text);
      case '.pem':
      case '.crt':
      case '.cer':
        return pemVerdict(text);
      default:
        return name.startsWith('.env') && content.length === 0 ? 'broken' : 'unknown';
    }
  } catch {
    return 'broken';
  }
};

/** Strict JSON, or JSON with comments and trailing commas: some programs accept those in their `.json` files. */
function jsonVerdict(text: string): 'valid' | 'broken' {
  try {
    JSON.parse(text);
    return 'valid';
  } catch {
    const errors: ParseError[] = [];
    parseJsonc(text, errors, { allowTrailingComma: true });
    return errors.length === 0 && text.trim() !== '' ? 'valid' : 'broken';
  }
}

/** Compiled, never run. A module's `import` and `export` cannot be told this way. */
function scriptVerdict(text: string): 'valid' | 'broken' | 'unknown' {
  if (/^\s*(?:import|export)\b/m.test(text)) return 'unknown';
  try {
    const script = new Script(`(function (exports, require, module, __filename, __dirname) {${text.replace(/^#!.*/, '')}\n})`);
    return script instanceof Script ? 'valid' : 'unknown';
  } catch (error) {
    return error instanceof SyntaxError ? 'broken' : 'unknown';
  }
}

function pemVerdict(text: string): 'valid' | 'broken' | 'unknown' {
  if (!text.includes('BEGIN CERTIFICATE')) return /-----BEGIN [A-Z ]+-----/.test(text) ? 'unknown' : 'broken';
  const certificate = new X509Certificate(text);
  return certificate.subject === '' && certificate.issuer === '' ? 'unknown' : 'valid';
}
