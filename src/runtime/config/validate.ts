import * as z from 'zod';
import { isSecretName, Redactor } from '../../domains/incidents/index.ts';
import { crossCheck, type CrossCheckContext } from './cross-checks.ts';
import { didYouMean, type Mistakes } from './mistakes.ts';
import { configSchema, type GraceConfigFile } from './schema.ts';

/**
 * Checks everything a config file says in one pass: its shape by the schema, and what only shows when parts are seen
 * together (cycles, ports, names). Mistakes of one kind do not hide those of the other.
 * @param data plain data, see toPlainData
 * @returns the data, typed; only to be used when nothing was added to the mistakes
 */
export function validateConfig(data: unknown, context: CrossCheckContext, mistakes: Mistakes): GraceConfigFile {
  const parsed = configSchema.safeParse(data);
  if (!parsed.success) for (const issue of parsed.error.issues) report(issue, [], data, mistakes);
  crossCheck(data, context, mistakes);
  return parsed.success ? parsed.data : {};
}

function report(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[], data: unknown, mistakes: Mistakes): void {
  const path = [...prefix, ...issue.path];
  if (mistakes.isFull) return mistakes.at(path, issue.message);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(configSchema, path);
      for (const key of issue.keys)
        mistakes.at([...path, key], `unknown key ${JSON.stringify(key.slice(0, 64))}`, didYouMean(key, known), 'key');
      return;
    }
    case 'invalid_key': {
      const key = path.at(-1);
      mistakes.at(
        path,
        issue.issues[0]?.message ?? issue.message,
        typeof key === 'string' ? nameSuggestion(key, path.at(-2) === 'env' ? '_' : '-') : null,
        'key',
      );
      return;
    }
    case 'invalid_union': {
      // the branch that fits the kind of value that was written says best what is wrong with it
      const branch = issue.errors.find(
        (issues) => issues.length > 0 && !issues.some((inner) => inner.path.length === 0 && isAboutKind(inner)),
      );
      if (branch) for (const inner of branch) report(inner, path, data, mistakes);
      else reportValue(issue, path, data, mistakes);
      return;
    }
    default:
      reportValue(issue, path, data, mistakes);
  }
}

function reportValue(issue: z.core.$ZodIssue, path: readonly PropertyKey[], data: unknown, mistakes: Mistakes): void {
  const value = valueAt(data, path);
  if (value === undefined) return mistakes.at(path, path.length === 0 ? issue.message : `is missing; it ${issue.message}`);
  const suggestion =
    issue.code === 'custom' && typeof issue.params?.['suggestion'] === 'string' ? issue.params['suggestion'] : suggest(issue, path, value);
  // messages that do not say what must be describe the value already
  const problem = /^must (?!not)/.test(issue.message) && value !== '' ? `${issue.message}, not ${shown(path, value)}` : issue.message;
  mistakes.at(path, problem, suggestion === null || isSecret(path) ? null : redactor.redact(suggestion));
}

function isAboutKind(issue: z.core.$ZodIssue): boolean {
  return (
    issue.code === 'invalid_type' ||
    issue.code === 'invalid_value' ||
    issue.code === 'invalid_union' ||
    (issue.code === 'custom' && issue.params === undefined)
  );
}

function suggest(issue: z.core.$ZodIssue, path: readonly PropertyKey[], value: unknown): string | null {
  if (issue.code === 'invalid_value' && typeof value === 'string') return didYouMean(value, issue.values.map(String));
  if (path.at(-2) === 'env' && (typeof value === 'number' || typeof value === 'boolean')) return `write ${JSON.stringify(String(value))}`;
  if (issue.code === 'invalid_type' && issue.expected === 'array' && typeof value === 'string')
    return `write [${JSON.stringify(value.slice(0, 80))}]`;
  if (typeof value === 'string' && /^\d+$/.test(value) && issue.code === 'invalid_type') return `write ${value} without quotes`;
  if (value === 'true' || value === 'false') return `write ${value} without quotes`;
  if (typeof value === 'string' && /^\d+(?:\.\d+)?\s*\w+$/.test(value)) return durationSuggestion(value);
  return null;
}

/** `5 sec`, `2min`, `1hour`: what people write when they do not know the units. */
function durationSuggestion(value: string): string | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(value);
  const unit = ['ms', 's', 'm', 'h', 'd'].find((known) =>
    ({
      ms: /^(?:ms|msecs?|millis|milliseconds?)$/i,
      s: /^(?:secs?|seconds?)$/i,
      m: /^(?:mins?|minutes?)$/i,
      h: /^(?:hrs?|hours?)$/i,
      d: /^days?$/i,
    })[known]?.test(match?.[2] ?? ''),
  );
  return unit === undefined || value === `${match?.[1]}${unit}` ? null : `write "${match?.[1]}${unit}"`;
}

function nameSuggestion(key: string, filler: '-' | '_'): string | null {
  const allowed = filler === '_' ? /[^\w]+/g : /[^\w.-]+/g;
  const better = key
    .replace(allowed, filler)
    .replace(/^[^A-Za-z0-9]+|[-_.]+$/g, '')
    .slice(0, 63);
  return better === '' || better === key ? null : `write ${JSON.stringify(better)}`;
}

const redactor = new Redactor();
const SHOWN_CHARS_MAX = 60;

function isSecret(path: readonly PropertyKey[]): boolean {
  return path.some((key) => isSecretName(String(key)));
}

/** The value as it was written, short, and never a secret. */
function shown(path: readonly PropertyKey[], value: unknown): string {
  if (isSecret(path)) return 'what is there';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'string' ? JSON.stringify(redactor.redact(value.slice(0, SHOWN_CHARS_MAX * 2))) : String(value);
  return text.length <= SHOWN_CHARS_MAX ? text : `${text.slice(0, SHOWN_CHARS_MAX)}…`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    data,
  );
}

/** The keys that the schema knows at a path. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodOptional) return keysAt(schema.unwrap(), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(option, path));
  const [key, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (key === undefined) return Object.keys(schema.shape);
    const next: z.core.$ZodType | undefined = schema.shape[key as string];
    return next === undefined ? [] : keysAt(next, rest);
  }
  if (key !== undefined && schema instanceof z.ZodRecord) return keysAt(schema.valueType, rest);
  if (key !== undefined && schema instanceof z.ZodArray) return keysAt(schema.element, rest);
  return [];
}
