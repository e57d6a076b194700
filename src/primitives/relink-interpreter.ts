import { basename, dirname, join } from 'node:path';
import type { Json } from '../kernel/index.ts';
import { USUAL_PATH, type PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

type Relinked = { readonly path: string; readonly from: string; readonly to: string };

const NAMES = ['python3', 'python'] as const;

/** The packages of a virtual environment are for one minor version: only the same one may take its place. */
export const relinkInterpreter = definePrimitive({
  name: 'relink_interpreter',
  description: 'Links a virtual environment of Python to the same version where that is now.',
  risk: 'low',

  parameters: {
    directory: text('The virtual environment: `.venv`.'),
  },
  confinement: 'the directories of the component, links followed; the same minor version of Python',

  async plan({ directory }, context) {
    const dir = await confineTarget(context, directory);
    const text = await context.files.readText(join(dir, 'pyvenv.cfg'));
    if (text === null) return { state: 'refused', reason: `${dir} is no virtual environment: it has no pyvenv.cfg` };
    await confineTarget(context, join(dir, 'bin')); // the link itself leads out, by its nature
    const version = pythonVersion(text);
    if (version === null) return { state: 'refused', reason: `${dir} does not say for which Python it is` };
    const broken = await brokenLink(context, dir, version);
    if (broken === null) return { state: 'nothing_to_do', summary: `the Python of ${dir} is there` };
    // Never what PATH names: that may be the environment itself.
    const to = await context.host.findCommand(`python${version}`, USUAL_PATH);
    if (to === null) return { state: 'refused', reason: `Python ${version} is not installed, and the packages of ${dir} are for no other` };
    const undo: Relinked = { ...broken, to };
    return { state: 'ready', summary: `link ${broken.path} to ${to}`, targets: [broken.path], undo };
  },

  async apply(_, context, record) {
    const { path, from, to } = record as unknown as Relinked;
    await confineTarget(context, dirname(path));
    if ((await context.files.stat(path))?.kind !== 'symlink' || (await context.files.readLink(path)) !== from)
      throw new PrimitiveFailed('relink_interpreter', `${path} is another link by now`);
    await relink(context, path, to);
    return { summary: `${path} leads to ${to}`, changed: [path] };
  },

  async undo(record: Json, context) {
    const { path, from, to } = record as unknown as Relinked;
    await confineTarget(context, dirname(path));
    await context.files.remove(halfOf(path)); // left when it was cut off in between
    const now = (await context.files.stat(path))?.kind === 'symlink' ? await context.files.readLink(path) : null;
    if (now === from) return []; // never linked, or undone before
    if (now !== to) return [`${path} leads elsewhere by now (${now ?? 'it is no link any more'}), and stays so`];
    await relink(context, path, from);
    return [];
  },
});

/** `3.11` of `version = 3.11.2`, as venv and virtualenv write it. */
function pythonVersion(text: string): string | null {
  return /^version(?:_info)?\s{0,4}=\s{0,4}(\d{1,2}\.\d{1,3})/m.exec(text)?.[1] ?? null;
}

/** The one link that leads out of the environment, to nothing or to another version; the others lead to it. */
async function brokenLink(
  context: PrimitiveContext,
  dir: string,
  version: string,
): Promise<{ readonly path: string; readonly from: string } | null> {
  for (const name of [...NAMES, `python${version}`]) {
    const path = join(dir, 'bin', name);
    const from = (await context.files.stat(path))?.kind === 'symlink' ? await context.files.readLink(path) : null;
    if (!from?.startsWith('/')) continue;
    const real = await context.files.realpath(path);
    const leadsTo = real === null ? 'nothing' : /^python(\d{1,2}\.\d{1,3})$/.exec(basename(real))?.[1];
    if (leadsTo !== undefined && leadsTo !== version) return { path, from };
  }
  return null;
}

/** Renamed into place: at no time is there no link. */
async function relink({ files }: PrimitiveContext, path: string, to: string): Promise<void> {
  const half = halfOf(path);
  await files.remove(half);
  await files.symlink(to, half);
  await files.rename(half, path);
}

function halfOf(path: string): string {
  return `${path}.grace-tmp`;
}
