import { randomBytes } from 'node:crypto';
import type { Json } from '../kernel/index.ts';
import { isSecretName } from '../domains/incidents/index.ts';
import { envFile, exampleFor, lackingKeys, lastGoodEnv, NAME, withLines } from './add-env-keys.ts';
import { markedSecretBytes, SECRET_BYTES_MAX, SECRET_BYTES_MIN } from './env-lines.ts';
import { PrimitiveFailed } from './errors.ts';
import { applyEdit, planEdit, undoEdit, type FileEdit } from './file-edit.ts';
import { definePrimitive } from './define-primitive.ts';
import { text, whole } from './parameter.ts';

/** Secrets with which a service signs only what it hands out itself: with a new one people log in again, no more. */
const OWN_USE = /^(?:[A-Z0-9]+_)*(?:SESSION|COOKIE|CSRF|XSRF)(?:_[A-Z]+)*$|^SECRET_KEY_BASE$/i;

export const generateSecret = definePrimitive({
  name: 'generate_secret',
  description: 'Generates a missing secret that no other system has to know.',
  risk: 'high',

  parameters: {
    file: text('The env file that gets the secret: `.env`.'),
    name: text('Name of the variable: `SESSION_SECRET`.', 128),
    bytes: whole('How many random bytes.', SECRET_BYTES_MIN, SECRET_BYTES_MAX),
  },
  confinement: 'the directories of the component, links followed; secrets that only this service has to know',

  check({ name }, wrong) {
    if (!NAME.test(name)) wrong(`"${name}" is no name of a variable`);
    if (!isSecretName(name) && !OWN_USE.test(name)) wrong(`"${name}" is not named like a secret`);
  },

  async plan({ file, name, bytes }, context) {
    const found = await envFile(context, file);
    if (found === null) return { state: 'refused', reason: `there is no ${file}: create_env_file makes one` };
    if (lackingKeys(found.env, [name]).length === 0) return { state: 'nothing_to_do', summary: `${found.path} has ${name}` };
    const good = await lastGoodEnv(context, found.path);
    if (good?.lines.some((line) => line.name === name && line.value !== ''))
      return {
        state: 'refused',
        reason: `${name} had a value at the last good boot: that one is put back (add_env_keys from last_good), not a new one`,
      };
    const example = await exampleFor(context, found.path, null);
    if (!OWN_USE.test(name) && (example === null || markedSecretBytes(example.lines, name) === null))
      return {
        state: 'refused',
        reason: `${name} may be shared with other systems: only "# secret: generate" above it in the example says that it may be invented`,
      };
    return {
      state: 'ready',
      summary: `generate ${name} (${bytes} random bytes) in ${found.path}`,
      targets: [found.path],
      undo: (await planEdit(context, found.path)) as Json,
    };
  },

  async apply({ file, name, bytes }, context, record) {
    const edit = record as unknown as FileEdit;
    const found = await envFile(context, file);
    if (found === null || edit.before === null) throw new PrimitiveFailed('generate_secret', `${file} is gone`);
    if (lackingKeys(found.env, [name]).length === 0) return { summary: `${name} has got a value meanwhile`, changed: [] };
    const value = randomBytes(bytes).toString('base64url');
    await applyEdit('generate_secret', context, edit, withLines(found.env, [{ raw: `${name}=${value}`, name, value }]), edit.before);
    return { summary: `generated ${name} in ${found.path}`, changed: [found.path] };
  },

  async undo(record, context) {
    return undoEdit(context, record as unknown as FileEdit);
  },
});
