import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import type { Json } from '../kernel/index.ts';
import { isSecretName } from '../domains/incidents/index.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { isPlaceholder, joinEnv, markedSecretBytes, parseEnvLines, withValue } from './env-lines.ts';
import { PrimitiveFailed } from './errors.ts';
import { applyEdit, planEdit, undoEdit, type FileEdit } from './file-edit.ts';
import type { OwnerAndMode } from './owner-and-mode.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

type Created = { readonly edit: FileEdit; readonly as: OwnerAndMode };

const EXAMPLE_BYTES_MAX = 1024 * 1024;

export const createEnvFile = definePrimitive({
  name: 'create_env_file',
  description: 'Makes a missing env file from its example and generates the secrets that the example marks for it.',
  risk: 'medium',

  parameters: {
    file: text('The env file to make: `.env`.'),
    example: text('The example it is made from: `.env.example`.'),
  },
  confinement: 'the directories of the component, links followed; never over a file',

  async plan({ file, example }, context) {
    const path = await confineEntry(context, file);
    const source = await confineTarget(context, example);
    if ((await context.files.stat(path)) !== null) return { state: 'nothing_to_do', summary: `${path} is there, and is never overwritten` };
    await context.confine(path);
    const text = await context.files.readText(source, EXAMPLE_BYTES_MAX);
    if (text === null) return { state: 'refused', reason: `there is no ${source}` };
    const filled = fill(text, () => '');
    if (filled.keys === 0) return { state: 'refused', reason: `${source} sets nothing` };
    const directory = await context.files.stat(dirname(path));
    if (directory?.kind !== 'directory') return { state: 'refused', reason: `${dirname(path)} is not there: make_directory first` };
    const entry = await context.lastGood.entry(context.component.name, path);
    const undo: Created = {
      edit: await planEdit(context, path),
      as:
        entry?.kind === 'file'
          ? { uid: entry.uid, gid: entry.gid, mode: entry.mode & 0o660 }
          : { uid: directory.uid, gid: directory.gid, mode: 0o600 },
    };
    return { state: 'ready', summary: `make ${path} from ${source}${describe(filled)}`, targets: [path], undo: undo as Json };
  },

  async apply({ example }, context, record) {
    const { edit, as } = record as unknown as Created;
    const text = await context.files.readText(await confineTarget(context, example), EXAMPLE_BYTES_MAX);
    if (text === null) throw new PrimitiveFailed('create_env_file', `${example} is gone`);
    if ((await context.files.stat(edit.path)) !== null)
      throw new PrimitiveFailed('create_env_file', `${edit.path} has appeared meanwhile and is not overwritten`);
    const filled = fill(text, (bytes) => randomBytes(bytes).toString('base64url'));
    await applyEdit('create_env_file', context, edit, filled.text, as);
    return { summary: `made ${edit.path}${describe(filled)}`, changed: [edit.path] };
  },

  async undo(record, context) {
    return undoEdit(context, (record as unknown as Created).edit);
  },
});

interface Filled {
  readonly text: string;
  readonly keys: number;
  readonly generated: readonly string[];
  /** Secrets that nobody may invent: another system has to know them too. */
  readonly open: readonly string[];
}

function fill(text: string, secret: (bytes: number) => string): Filled {
  const env = parseEnvLines(text);
  const generated: string[] = [];
  const open: string[] = [];
  let keys = 0;
  const lines = env.lines.map((line) => {
    if (line.name === null) return line;
    keys++;
    if (!isPlaceholder(line.value)) return line;
    const bytes = markedSecretBytes(env.lines, line.name);
    if (bytes === null) {
      if (line.value !== '' || isSecretName(line.name)) open.push(line.name);
      return line;
    }
    generated.push(line.name);
    return withValue(line, secret(bytes));
  });
  return { text: joinEnv({ ...env, lines }), keys, generated, open };
}

function describe({ generated, open }: Filled): string {
  const parts = [
    generated.length > 0 ? `; generated ${generated.join(', ')}` : '',
    open.length > 0 ? `; a person has to fill in ${open.join(', ')}` : '',
  ];
  return parts.join('');
}
