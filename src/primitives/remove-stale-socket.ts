import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { brokenName, move } from './aside.ts';
import { confineEntry } from './confinement.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

type Moved = { readonly path: string; readonly aside: string };

export const removeStaleSocket = definePrimitive({
  name: 'remove_stale_socket',
  description: 'Moves a socket file aside at which nobody listens any more.',
  risk: 'medium',

  parameters: {
    path: text('The socket file.'),
  },
  confinement: 'the directories of the component, links followed; only a socket that nobody answers at',

  async plan(params, context) {
    const path = await confineEntry(context, params.path);
    if ((await context.files.stat(path)) === null) return { state: 'nothing_to_do', summary: `there is no ${path}` };
    const problem = await problemWith(context, path);
    if (problem !== null) return { state: 'refused', reason: problem };
    // Beside it: another disk cannot hold a socket that is moved.
    const undo: Moved = { path, aside: await brokenName(context, path) };
    return { state: 'ready', summary: `move ${path} aside: nobody listens there`, targets: [path], undo };
  },

  async apply(_params, context, record) {
    const { path, aside } = record as unknown as Moved;
    await confineEntry(context, path);
    if ((await context.files.stat(path)) === null) return { summary: `${path} has gone by itself`, changed: [] };
    // Somebody may have begun to listen between the look and the act.
    const problem = await problemWith(context, path);
    if (problem !== null) throw new PrimitiveFailed('remove_stale_socket', problem);
    await move(context.files, path, aside);
    return { summary: `moved ${path} to ${aside}: nobody listened there`, changed: [path] };
  },

  async undo(record: Json, context) {
    const { path, aside } = record as unknown as Moved;
    await confineEntry(context, path);
    if ((await context.files.stat(aside)) === null) return [];
    if ((await context.files.stat(path)) !== null) return [`${path} is there anew and stays; the one from before is ${aside}`];
    await move(context.files, aside, path);
    return [];
  },
});

/** Why it must stay; null when it is a socket that nobody answers at. */
async function problemWith(context: PrimitiveContext, path: string): Promise<string | null> {
  const stat = await context.files.stat(path);
  if (stat?.kind !== 'socket') return `${path} is a ${stat?.kind ?? 'thing that is gone'}, not a socket`;
  const answers = await context.host.socketAnswers(path);
  if (answers === null) return `nobody can tell whether somebody listens at ${path}`;
  return answers ? `somebody listens at ${path}` : null;
}
