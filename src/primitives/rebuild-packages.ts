import { join } from 'node:path';
import { confineTarget } from './confinement.ts';
import { howItFailed, outputTail } from './command-end.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

const REBUILD_MS_MAX = 5 * 60_000;

export const rebuildPackages = definePrimitive({
  name: 'rebuild_packages',
  description: 'Builds the native parts of installed npm packages for the present runtime.',
  risk: 'medium',

  parameters: {
    directory: text('The directory of the project.'),
  },
  confinement: 'the directories of the component, links followed',

  async plan({ directory }, context) {
    const dir = await confineTarget(context, directory);
    if ((await context.files.stat(join(dir, 'package.json'))) === null)
      return { state: 'refused', reason: `there is no ${join(dir, 'package.json')}` };
    if ((await context.files.stat(join(dir, 'node_modules')))?.kind !== 'directory')
      return { state: 'refused', reason: `${dir} has no packages to rebuild: install_packages first` };
    return { state: 'ready', summary: `run npm rebuild in ${dir}`, targets: [join(dir, 'node_modules')], undo: null };
  },

  async apply({ directory }, context) {
    const dir = await confineTarget(context, directory);
    context.progress(`npm rebuild in ${dir}`);
    const result = await context.run(['npm', 'rebuild', '--no-audit', '--no-fund'], {
      timeoutMs: REBUILD_MS_MAX,
      cwd: dir,
      env: { NODE_OPTIONS: '', CI: 'true' },
    });
    if (result.exitCode !== 0) {
      const how = howItFailed(result, REBUILD_MS_MAX);
      throw new PrimitiveFailed('rebuild_packages', `npm rebuild ${how}\n${outputTail(result)}`, { retryable: true });
    }
    return { summary: `rebuilt the packages of ${dir}`, changed: [join(dir, 'node_modules')] };
  },

  undo: null,
  irreversible: 'the builds that were there did not load: there is nothing to go back to',
});
