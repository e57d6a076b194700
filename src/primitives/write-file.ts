import { dirname } from 'node:path';
import { sha256Hex, type Json } from '../kernel/index.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { contentValidity } from '../catalog/content-validity.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { definePrimitive } from './define-primitive.ts';
import { applyEdit, planEdit, undoEdit, type FileEdit } from './file-edit.ts';
import { traitsFor, type OwnerAndMode } from './owner-and-mode.ts';
import { content, optional, text } from './parameter.ts';
import { whatIsWritten } from './write-file-run.ts';

type Written = { readonly edit: FileEdit; readonly as: OwnerAndMode };

/** A file that a playbook spells out is settings; what is larger comes from a copy. */
const CONTENT_CHARS_MAX = 64 * 1024;
/** What is written over has to be kept. */
const PRESENT_BYTES_MAX = 1024 * 1024;

export const writeFile = definePrimitive({
  name: 'write_file',
  description: 'Writes a text into a new file, or over one that is exactly what the playbook says it is.',
  risk: 'medium',

  parameters: {
    path: text('The file to write.'),
    content: content('What it holds then.', CONTENT_CHARS_MAX),
    over: optional(text('SHA-256 of the content that is written over. Without it, only a file that is not there is written.', 64)),
  },
  confinement:
    'the directories of the component, links followed; nothing that is run or says what is run, nothing that would not parse; new code only as high risk',

  check({ content: wanted, over }, wrong) {
    if (new Redactor().redact(wanted) !== wanted) wrong('"content" holds what looks like a secret, and parameters are not kept as secrets');
    if (over !== null && !/^[0-9a-f]{64}$/.test(over)) wrong('"over" has to be a SHA-256 in hexadecimal digits');
  },

  async plan({ path, content: wanted, over }, context) {
    const { files, component } = context;
    // Behind a link the file itself: a link that leads out, or to nothing, is refused.
    const at = await confineTarget(context, path);
    const stat = await files.stat(at);
    if (stat !== null && stat.kind !== 'file') return { state: 'refused', reason: `${at} is a ${stat.kind}, not a file` };
    if (stat !== null && stat.sizeBytes > PRESENT_BYTES_MAX)
      return { state: 'refused', reason: `${at} is larger than ${PRESENT_BYTES_MAX / 1024} KiB` };
    const present = stat === null ? null : await files.read(at);
    if (present !== null && sha256Hex(present) === sha256Hex(wanted))
      return { state: 'nothing_to_do', summary: `${at} holds that already` };
    if (stat !== null && (stat.mode & 0o111) !== 0)
      return { state: 'refused', reason: `${at} can be run: programs are put back (restore_file), not written` };
    const written = await whatIsWritten(at, present, wanted, context);
    if (written.state === 'refused') return written;
    if (present !== null && over === null) return { state: 'refused', reason: `${at} is there: only what "over" names is written over` };
    if (present === null && over !== null) return { state: 'refused', reason: `there is no ${at} that could be written over` };
    if (present !== null && sha256Hex(present) !== over)
      return { state: 'refused', reason: `${at} is not what was to be written over: somebody has changed it` };
    if (contentValidity(at, new TextEncoder().encode(wanted)) === 'broken')
      return { state: 'refused', reason: `what would be written into ${at} does not parse` };
    const directory = await files.stat(dirname(at));
    if (directory?.kind !== 'directory') return { state: 'refused', reason: `${dirname(at)} is not there: make_directory first` };
    const entry = await context.lastGood.entry(component.name, at);
    const undo: Written = { edit: await planEdit(context, at), as: traitsFor(at, entry, stat, null, directory) };
    return {
      state: 'ready',
      summary: `write ${wanted.length} characters ${written.state === 'code' ? 'of code ' : ''}${stat === null ? 'into a new file' : 'over what is in'} ${at}`,
      targets: [at],
      undo: undo as Json,
      // Whoever adds code to a service runs what they like in it.
      ...(written.state === 'code' ? { risk: 'high' as const } : {}),
    };
  },

  async apply({ path, content: wanted }, context, record) {
    const { edit, as } = record as unknown as Written;
    await confineEntry(context, path);
    await applyEdit('write_file', context, edit, wanted, as);
    return { summary: `wrote ${edit.path}`, changed: [edit.path] };
  },

  async undo(record, context) {
    return undoEdit(context, (record as unknown as Written).edit);
  },
});
