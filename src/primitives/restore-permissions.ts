import { join } from 'node:path';
import { codeOf, type FileStat, type Json } from '../kernel/index.ts';
import type { LastGoodEntry, PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';
import { PrimitiveFailed } from './errors.ts';
import { neverWider, type OwnerAndMode } from './owner-and-mode.ts';
import { definePrimitive } from './define-primitive.ts';
import { flag, mode, optional, text, whole, type ParsedParameters } from './parameter.ts';

type Change = { readonly path: string; readonly from: OwnerAndMode; readonly to: OwnerAndMode };

const ID_MAX = 4_294_967_294;
/** More is a tree that wants a person, and a record that wants a database. */
const PATHS_MAX = 50_000;
const CHANGES_MAX = 20_000;

const PARAMETERS = {
  path: text('The file or directory.'),
  uid: optional(whole('The owner; the one of the last good boot when it is left out.', 0, ID_MAX)),
  gid: optional(whole('The group; the one of the last good boot when it is left out.', 0, ID_MAX)),
  mode: optional(mode('The permissions, such as `640`; those of the last good boot when they are left out. Never writable for everybody.')),
  recursive: flag('Everything below the directory too.'),
} as const;
type Params = ParsedParameters<typeof PARAMETERS>;

export const restorePermissions = definePrimitive({
  name: 'restore_permissions',
  description: 'Gives a path back the owner and mode it had at the last good boot, never wider ones.',
  risk: 'medium',

  parameters: PARAMETERS,
  confinement: 'the directories of the component, links followed; never wider than now or at the last good boot',

  async plan(params, context) {
    const path = await confineTarget(context, params.path);
    const stat = await context.files.stat(path);
    if (stat === null) return { state: 'refused', reason: `there is no ${path}` };
    if (stat.kind === 'symlink') return { state: 'refused', reason: `${path} is a link: name what it leads to` };
    if (stat.kind === 'other') return { state: 'refused', reason: `${path} is neither a file nor a directory` };
    const entries = new Map((await context.lastGood.entries(context.component.name)).map((entry) => [entry.path, entry]));
    const isGiven = params.uid !== null || params.gid !== null || params.mode !== null;
    if (!isGiven && !entries.has(path))
      return { state: 'refused', reason: `nothing is known about ${path} from a good boot: its owner or mode has to be given` };
    const wider = params.mode === null ? 0 : params.mode & ~neverWider(params.mode, stat.mode, entries.get(path)?.mode ?? null);
    if (wider !== 0)
      return {
        state: 'refused',
        reason: `mode ${octal(params.mode ?? 0)} would open ${path} to people who cannot reach it now (${octal(stat.mode)})`,
      };

    const changes: Change[] = [];
    const problem = await collect(context, params, entries, path, stat, changes);
    if (problem !== null) return { state: 'refused', reason: problem };
    if (changes.length === 0) return { state: 'nothing_to_do', summary: `${path} has its owner and mode` };
    const first = changes[0];
    const more = changes.length > 1 ? ` and ${changes.length - 1} more` : '';
    return {
      state: 'ready',
      summary: first === undefined ? '' : `${first.path}: ${show(first.from)} becomes ${show(first.to)}${more}`,
      targets: changes.map((change) => change.path),
      undo: changes as unknown as Json,
    };
  },

  async apply(_params, context, record) {
    const changes = record as unknown as readonly Change[];
    const changed: string[] = [];
    // All of them are looked at before the first is touched: half of a tree would be worse than none.
    for (const { path, from } of changes) {
      const stat = await context.files.stat(path);
      // Gone or replaced by a link since the plan: nothing to give back.
      if (stat === null || stat.kind === 'symlink' || stat.kind === 'other') continue;
      if (!isSame(stat, from))
        throw new PrimitiveFailed('restore_permissions', `${path} is ${show(stat)} by now, and was ${show(from)} when this was planned`, {
          retryable: true,
        });
    }
    for (const change of changes) {
      const stat = await context.files.stat(change.path);
      if (stat === null || stat.kind === 'symlink' || stat.kind === 'other') continue;
      const path = await confineTarget(context, change.path);
      await set(context, path, stat, change.to);
      changed.push(path);
    }
    return { summary: `${changed.length} ${changed.length === 1 ? 'path has' : 'paths have'} owner and mode back`, changed };
  },

  async undo(record, context) {
    const kept: string[] = [];
    for (const { path: wanted, from, to } of (record as unknown as readonly Change[]).toReversed()) {
      const stat = await context.files.stat(wanted);
      if (stat === null || stat.kind === 'symlink' || stat.kind === 'other') continue;
      const path = await confineTarget(context, wanted);
      // Cut off in between, the owner is the new one and the mode still the old one, without its set-user bits.
      const isMine = isOwnedAs(stat, to) || isOwnedAs(stat, from);
      const isModeMine = stat.mode === to.mode || (stat.mode & 0o1777) === (from.mode & 0o1777);
      if (isMine && isModeMine) await set(context, path, stat, from);
      else kept.push(`${path} was given ${show(stat)} by somebody since, and stays so; it was ${show(from)} before`);
    }
    return kept;
  },
});

/** @returns why it must not go on, or null */
async function collect(
  context: PrimitiveContext,
  params: Params,
  entries: ReadonlyMap<string, LastGoodEntry>,
  root: string,
  rootStat: FileStat,
  changes: Change[],
): Promise<string | null> {
  const given = params.uid !== null || params.gid !== null;
  const mounts = params.recursive ? await context.host.mountsBelow(root) : [];
  const wrongOwners = new Set([0]);
  for (const entry of entries.values()) {
    if (entry.path !== root && !entry.path.startsWith(`${root}/`)) continue;
    const stat = await context.files.stat(entry.path);
    if (stat !== null && stat.uid !== entry.uid) wrongOwners.add(stat.uid);
  }
  const queue: { path: string; stat: FileStat; above: OwnerAndMode | null }[] = [{ path: root, stat: rootStat, above: null }];
  let seen = 0;
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    const { path, stat, above } = item;
    if (++seen > PATHS_MAX) return `more than ${PATHS_MAX} paths lie below ${root}`;
    const entry = entries.get(path);
    const matching = entry !== undefined && entry.kind === stat.kind ? entry : null;
    const isRoot = above === null;
    let { uid, gid } = stat;
    if (given) {
      uid = params.uid ?? stat.uid;
      gid = params.gid ?? stat.gid;
    } else if (matching) ({ uid, gid } = matching);
    // Newer than the last good boot: only what a wrong hand made is given to the directory's owner.
    else if (above !== null && wrongOwners.has(stat.uid)) ({ uid, gid } = above);
    const wantedMode =
      isRoot && params.mode !== null ? params.mode | (stat.mode & 0o3000) : !given && matching ? matching.mode & 0o3777 : stat.mode;
    const mode = neverWider(wantedMode, stat.mode, matching?.mode ?? null);
    const to = { uid, gid, mode };
    if (uid !== stat.uid || gid !== stat.gid || mode !== stat.mode)
      changes.push({ path, from: { uid: stat.uid, gid: stat.gid, mode: stat.mode }, to });
    if (changes.length > CHANGES_MAX) return `more than ${CHANGES_MAX} paths below ${root} would change`;
    if (!params.recursive || stat.kind !== 'directory') continue;
    for (const name of await context.files.list(path)) {
      const child = join(path, name);
      if (mounts.includes(child)) continue;
      const childStat = await context.files.stat(child);
      if (childStat !== null && childStat.kind !== 'symlink' && childStat.kind !== 'other')
        queue.push({ path: child, stat: childStat, above: to });
    }
  }
  return null;
}

/** Owner first: a change of owner clears set-user bits, and the mode is then exactly the wanted one. */
async function set(context: PrimitiveContext, path: string, stat: FileStat, to: OwnerAndMode): Promise<void> {
  if (stat.uid !== to.uid || stat.gid !== to.gid) {
    try {
      await context.files.chown(path, to.uid, to.gid);
    } catch (error) {
      if (codeOf(error) !== 'EPERM') throw error;
      throw new PrimitiveFailed('restore_permissions', `Grace may not give ${path} to user ${to.uid}`, {
        cause: error,
        hint: `as root: chown ${to.uid}:${to.gid} ${path}`,
      });
    }
  }
  await context.files.chmod(path, to.mode);
}

function isOwnedAs(a: OwnerAndMode, b: OwnerAndMode): boolean {
  return a.uid === b.uid && a.gid === b.gid;
}

function isSame(a: OwnerAndMode, b: OwnerAndMode): boolean {
  return isOwnedAs(a, b) && a.mode === b.mode;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

function show({ uid, gid, mode }: OwnerAndMode): string {
  return `${uid}:${gid} ${octal(mode)}`;
}
