import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { isPlaceholder, joinEnv, markedSecretBytes, parseEnvLines, withValue, type EnvLine, type EnvText } from './env-lines.ts';
import { PrimitiveFailed } from './errors.ts';
import { applyEdit, planEdit, undoEdit, type FileEdit } from './file-edit.ts';
import { definePrimitive } from './define-primitive.ts';
import { choice, flag, optional, text, texts, type ParsedParameters } from './parameter.ts';

const SOURCES = ['last_good', 'example', 'generate'] as const;

export const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const KEYS_MAX = 200;
const FILE_BYTES_MAX = 1024 * 1024;

const PARAMETERS = {
  file: text('The env file: `.env`.'),
  keys: texts('Names of the variables to add. An empty list means none.', KEYS_MAX),
  from: choice('Where the values come from; `generate` makes a secret where the example marks one.', SOURCES),
  example: optional(text('The example to read; the one beside the file when it is left out.')),
  replace: flag('Also puts back keys that have another value than at the last good boot; with from: last_good only.'),
} as const;
type Params = ParsedParameters<typeof PARAMETERS>;

export const addEnvKeys = definePrimitive({
  name: 'add_env_keys',
  description: 'Adds missing keys to an env file and leaves every other line as it is.',
  risk: 'medium',

  parameters: PARAMETERS,
  confinement: 'the directories of the component, links followed',

  check({ keys, from, replace }, wrong) {
    for (const key of keys) if (!NAME.test(key)) wrong(`"${key}" is no name of a variable`);
    if (replace && from !== 'last_good') wrong('"replace" goes with "from": "last_good" only');
  },

  async plan(params, context) {
    const file = await envFile(context, params.file);
    if (file === null) return { state: 'refused', reason: `there is no ${params.file}: restore_file or create_env_file makes one` };
    const lacking = await wantedKeys(params, context, file);
    if (lacking.length === 0)
      return {
        state: 'nothing_to_do',
        summary: params.keys.length === 0 ? 'no keys were named' : `${file.path} has ${params.keys.join(', ')}`,
      };
    const found = await linesFor(params, context, file.path, lacking, () => '');
    if (typeof found === 'string') return { state: 'refused', reason: found };
    const names = found.map((line) => line.name ?? '');
    const left = lacking.filter((key) => !names.includes(key));
    if (names.length === 0)
      return { state: 'refused', reason: `nothing is known about ${left.join(', ')} that could be put into ${file.path}` };
    return {
      state: 'ready',
      summary: `add ${names.join(', ')} to ${file.path}${left.length > 0 ? `; nothing is known about ${left.join(', ')}` : ''}`,
      targets: [file.path],
      undo: (await planEdit(context, file.path)) as Json,
    };
  },

  async apply(params, context, record) {
    const edit = record as unknown as FileEdit;
    const file = await envFile(context, params.file);
    if (file === null || edit.before === null) throw new PrimitiveFailed('add_env_keys', `${params.file} is gone`);
    const found = await linesFor(params, context, file.path, await wantedKeys(params, context, file), (bytes) =>
      randomBytes(bytes).toString('base64url'),
    );
    if (typeof found === 'string') throw new PrimitiveFailed('add_env_keys', found);
    await applyEdit('add_env_keys', context, edit, withLines(file.env, found), edit.before);
    return { summary: told(file.path, file.env, found), changed: [file.path] };
  },

  async undo(record, context) {
    return undoEdit(context, record as unknown as FileEdit);
  },
});

/** What was not there is added; what had another value is put back. */
function told(path: string, before: EnvText, written: readonly EnvLine[]): string {
  const names = written.flatMap((line) => line.name ?? []);
  const added = lackingKeys(before, names);
  const back = names.filter((name) => !added.includes(name));
  return [
    ...(added.length > 0 ? [`added ${added.join(', ')} to ${path}`] : []),
    ...(back.length > 0 ? [`put ${back.join(', ')} in ${path} back as it was`] : []),
  ].join('; ');
}

/** The file behind the path, read; null when there is none. */
export async function envFile(context: PrimitiveContext, file: string): Promise<{ readonly path: string; readonly env: EnvText } | null> {
  const path = await confineTarget(context, file);
  const stat = await context.files.stat(path);
  if (stat?.kind !== 'file') return null;
  if (stat.sizeBytes > FILE_BYTES_MAX) throw new PrimitiveFailed('add_env_keys', `${path} is too large for an env file`);
  const text = await context.files.readText(path);
  return text === null ? null : { path, env: parseEnvLines(text) };
}

/** Named keys that are missing or empty. The last assignment of a name is the one that counts. */
export function lackingKeys(env: EnvText, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => (env.lines.findLast((line) => line.name === key)?.value ?? '') === '');
}

/** Keys to write: what is missing or empty, and with `replace` also what differs from the last good boot. */
async function wantedKeys(
  { keys, replace }: Params,
  context: PrimitiveContext,
  { path, env }: { readonly path: string; readonly env: EnvText },
): Promise<readonly string[]> {
  if (!replace) return lackingKeys(env, keys);
  const good = await lastGoodEnv(context, path);
  const value = (text: EnvText, key: string): string | undefined => text.lines.findLast((line) => line.name === key)?.value;
  return good === null ? keys : keys.filter((key) => value(env, key) !== value(good, key));
}

/** Fills an empty line in its place, appends what is missing. */
export function withLines(env: EnvText, added: readonly EnvLine[]): string {
  const lines = [...env.lines];
  for (const line of added) {
    const at = lines.findLastIndex((l) => l.name === line.name);
    if (at >= 0) lines[at] = line;
    else lines.push(line);
  }
  return joinEnv({ lines, eol: env.eol, endsWithEol: true });
}

/** The value a key had at the last good boot; null when that is not known. */
export async function lastGoodEnv(context: PrimitiveContext, path: string): Promise<EnvText | null> {
  const entry = await context.lastGood.entry(context.component.name, path);
  const content = entry === null ? null : await context.lastGood.content(entry);
  return content === null ? null : parseEnvLines(new TextDecoder().decode(content));
}

/** The example beside an env file, if there is one. */
export async function exampleFor(context: PrimitiveContext, path: string, example: string | null): Promise<EnvText | null> {
  const dir = dirname(path);
  const name = basename(path);
  const candidates =
    example === null
      ? [`${name}.example`, `${name}.sample`, `${name}.template`, `${name}.dist`, '.env.example'].map((n) => join(dir, n))
      : [example];
  for (const candidate of candidates) {
    const text = await context.files.readText(await confineTarget(context, candidate), FILE_BYTES_MAX);
    if (text !== null) return parseEnvLines(text);
  }
  return null;
}

async function linesFor(
  { from, example }: Params,
  context: PrimitiveContext,
  path: string,
  keys: readonly string[],
  secret: (bytes: number) => string,
): Promise<readonly EnvLine[] | string> {
  const good = await lastGoodEnv(context, path);
  if (from === 'last_good') {
    if (good === null) return `there is no copy of ${path} from a good boot`;
    return keys.flatMap((key) => good.lines.findLast((line) => line.name === key && line.value !== '') ?? []);
  }
  const template = await exampleFor(context, path, example);
  if (template === null) return `there is no example beside ${path}`;
  return keys.flatMap((key) => {
    const line = template.lines.findLast((l) => l.name === key);
    if (!line) return [];
    if (from === 'example' && !isPlaceholder(line.value)) return line;
    const bytes = markedSecretBytes(template.lines, key);
    // A value that was known once is not invented anew: sessions, tokens and encrypted data hang on it.
    const wasKnown = good?.lines.some((l) => l.name === key && l.value !== '') ?? false;
    return bytes === null || wasKnown ? [] : withValue(line, secret(bytes));
  });
}
