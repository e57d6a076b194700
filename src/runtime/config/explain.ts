import { isSecretName, REDACTED, Redactor } from '../../domains/incidents/index.ts';
import type { Json } from '../../kernel/index.ts';
import type { GraceConfig } from './grace-config.ts';
import type { Source } from './origin.ts';

/** One line of `grace config explain`. */
export interface ExplainedSetting {
  readonly path: string;
  /** Secrets are redacted. */
  readonly value: Json;
  readonly source: Source;
  readonly reason: string | null;
}

/** Every setting, its value and where it came from. */
export function explainConfig(config: GraceConfig): readonly ExplainedSetting[] {
  const redactor = new Redactor();
  for (const component of config.components) redactor.learnEnvironment(component.env);
  if (config.healing.ampApiKey !== null) redactor.learn([config.healing.ampApiKey]);
  return [...config.provenance].map(([path, { value, source, reason }]) => ({
    path,
    value: redact(path, value, redactor),
    source,
    reason,
  }));
}

/** As aligned columns: path, value, and where it came from. */
export function explainText(settings: readonly ExplainedSetting[]): string {
  const rows = settings.map(
    ({ path, value, source, reason }) => [path, shown(value), reason === null ? source : `${source}: ${reason}`] as const,
  );
  const pathWidth = Math.min(Math.max(0, ...rows.map(([path]) => path.length)), 48);
  const valueWidth = Math.min(Math.max(0, ...rows.map(([, value]) => value.length)), 40);
  return rows.map(([path, value, origin]) => `${path.padEnd(pathWidth)}  ${value.padEnd(valueWidth)}  ${origin}\n`).join('');
}

function redact(path: string, value: Json, redactor: Redactor): Json {
  const key = path.slice(path.lastIndexOf('.') + 1);
  if (typeof value === 'string' && value !== '' && (isSecretName(key) || isSecretName(snakeCase(key)))) return REDACTED;
  return redactor.redactDeep(Array.isArray(value) ? redactArguments(value) : value);
}

/** `--token abc` and `--token=abc` in a command. */
function redactArguments(words: readonly Json[]): readonly Json[] {
  return words.map((word, index) => {
    if (typeof word !== 'string') return word;
    const before = words[index - 1];
    if (typeof before === 'string' && /^--?[\w-]+$/.test(before) && !word.startsWith('-') && isSecretName(before.replace(/^-+/, '')))
      return REDACTED;
    const flag = /^--?([\w-]+)=/.exec(word);
    return flag?.[1] !== undefined && isSecretName(flag[1]) ? `${flag[0]}${REDACTED}` : word;
  });
}

/** `ampApiKey` is a secret by its name as `amp_api_key` is. */
function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z\d])(?=[A-Z])/g, '_').toLowerCase();
}

function shown(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null) return '-';
  if (Array.isArray(value))
    return value.length === 0 ? '-' : value.map((item) => (typeof item === 'string' ? quoted(item) : shown(item))).join(' ');
  return JSON.stringify(value);
}

function quoted(word: string): string {
  return /^[\w@%+=:,./$-]+$/.test(word) ? word : JSON.stringify(word);
}
