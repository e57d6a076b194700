import { dirname, join, resolve } from 'node:path';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';

// Three ways to say what a path means. `confine` answers for a name; whether it also answers for what that name leads
// to depends on what is there, so each of these asks it in a way that leaves no doubt.

/**
 * The name itself, not what it leads to: for moves and for putting something in its place.
 * @throws PrimitiveMisuse when the directory it stands in lies outside the roots
 */
export function confineEntry(context: PrimitiveContext, path: string): Promise<string> {
  return context.confine(resolve(context.component.cwd, path));
}

/**
 * What is read, written or worked in: behind a link, what it leads to. A root itself is inside.
 * @returns the path as given when its last name is no link, since that is the name it was remembered by
 * @throws PrimitiveMisuse when it leads out of the roots
 */
export async function confineTarget(context: PrimitiveContext, path: string): Promise<string> {
  const absolute = resolve(context.component.cwd, path);
  const stat = await context.files.stat(absolute);
  if (stat?.kind === 'symlink') {
    const real = await context.files.realpath(absolute);
    if (real !== null) return confineTarget(context, real);
  }
  // Asked for something within the directory: the directory is then followed, and may be a root.
  if (stat?.kind === 'directory') return dirname(await context.confine(join(absolute, '.grace')));
  return context.confine(absolute);
}
