import { raiseTo, undoLimit, type RaisedLimit } from './raise-limit.ts';
import { definePrimitive } from './define-primitive.ts';
import { whole } from './parameter.ts';

/** Beyond this a leak is more likely than a need; some programs close every possible descriptor when they start. */
const OPEN_FILES_MAX = 65_536;

export const raiseOpenFiles = definePrimitive({
  name: 'raise_open_files',
  description: 'Raises the limit of open files of the component, at most to the hard limit.',
  risk: 'low',

  parameters: {
    to: whole('The new limit.', 64, 1_048_576),
  },
  confinement: 'this component, at most the hard limit',

  async plan({ to: wanted }, context) {
    const { component, overrides, host } = context;
    const from = (await overrides.get(component.name)).openFiles;
    const now = from ?? component.limits.openFiles;
    const bound = Math.min(await host.openFilesHardLimit(), OPEN_FILES_MAX);
    const to = Math.min(wanted, bound);
    if (now !== null && now >= wanted) return { state: 'nothing_to_do', summary: `${now} open files are allowed already` };
    if (now !== null && now >= to)
      return { state: 'refused', reason: `${now} open files are allowed, and ${bound} is the most possible here` };
    const undo: RaisedLimit = { from, to };
    return { state: 'ready', summary: `open files ${now ?? 'unset'} becomes ${to}`, targets: ['openFiles'], undo };
  },

  async apply(_params, context, record) {
    const { to } = record as unknown as RaisedLimit;
    await raiseTo('raise_open_files', context, 'openFiles', record);
    return { summary: `${to} open files are allowed from the next start`, changed: ['openFiles'] };
  },

  async observe(_names, { component, overrides }) {
    return (await overrides.get(component.name)).openFiles;
  },

  async undo(record, context) {
    return undoLimit(context, 'openFiles', record);
  },
});
