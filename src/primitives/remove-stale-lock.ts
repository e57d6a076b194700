import { basename, join } from 'node:path';
import type { FileStat, Json } from '../kernel/index.ts';
import type { PrimitiveContext, ProcessView } from '../domains/playbooks/index.ts';
import { confineEntry } from './confinement.ts';
import { backupName, move } from './aside.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { optional, text, whole, type ParsedParameters } from './parameter.ts';

type Moved = { readonly path: string; readonly aside: string };

const PID_MAX = 4_194_304;
/** Lock files hold a few lines; what is longer holds something else. */
const LOCK_BYTES_MAX = 4096;
const LOCK_DIRECTORY_NAMES_MAX = 16;
const LOCK_NAME = /lock|lck|pid|mutex|singleton|running/i;
/** Lock files of package managers lock versions, not processes. */
const VERSION_LOCK =
  /^(?:package-lock\.json|npm-shrinkwrap\.json|\.package-lock\.json|bun\.lockb?|flake\.lock|pnpm-lock\.yaml|composer\.lock|.*(?:\.|-)lock\.(?:json|ya?ml|toml)|(?:yarn|gemfile|cargo|poetry|pipfile|uv|pdm|mix|pubspec|podfile|conda)\.lock)$/i;

const PARAMETERS = {
  path: text('The lock or pid file, a lock link or a lock directory.'),
  pid: optional(whole('The process that holds it by its message, where the file does not say so itself.', 1, PID_MAX)),
  expect: optional(text('The command that a living holder would be; another program with that pid is none.')),
} as const;
type Params = ParsedParameters<typeof PARAMETERS>;

export const removeStaleLock = definePrimitive({
  name: 'remove_stale_lock',
  description: 'Moves a lock or pid file aside whose process is gone.',
  risk: 'medium',

  parameters: PARAMETERS,
  confinement: 'the directories of the component, links followed; only what is named like a lock and whose process is gone',

  async plan(params, context) {
    const path = await confineEntry(context, params.path);
    const stat = await context.files.stat(path);
    if (stat === null) return { state: 'nothing_to_do', summary: `there is no ${path}` };
    const verdict = await judge(params, context, path, stat);
    if (!verdict.isStale) return { state: 'refused', reason: verdict.reason };
    const undo: Moved = { path, aside: await backupName(context, path) };
    return { state: 'ready', summary: `move ${path} aside: ${verdict.reason}`, targets: [path], undo };
  },

  async apply(params, context, record) {
    const { path, aside } = record as unknown as Moved;
    const stat = await context.files.stat(await confineEntry(context, path));
    if (stat === null) return { summary: `${path} has gone by itself`, changed: [] };
    // A new holder may have come between the look and the act.
    const verdict = await judge(params, context, path, stat);
    if (!verdict.isStale) throw new PrimitiveFailed('remove_stale_lock', verdict.reason);
    await move(context.files, path, aside);
    return { summary: `moved ${path} to ${aside}: ${verdict.reason}`, changed: [path] };
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

interface Verdict {
  readonly isStale: boolean;
  readonly reason: string;
}

async function judge({ pid: namedPid, expect }: Params, context: PrimitiveContext, path: string, stat: FileStat): Promise<Verdict> {
  const live = (reason: string): Verdict => ({ isStale: false, reason });
  const name = basename(path);
  if (VERSION_LOCK.test(name)) return live(`${path} locks the versions of packages, not a process`);
  if (!LOCK_NAME.test(name)) return live(`${path} is not named like a lock or pid file`);
  const text = await lockText(context, path, stat);
  if (text === null) return live(`${path} is too large or too deep for a lock`);
  const pids = [...new Set([lockPid(text), namedPid].filter((pid) => pid !== null))];
  if (pids.length === 0) return live(`${path} names no process: nobody can tell whether its holder lives`);
  // Where the processes of other users are hidden, none found does not mean none there.
  if ((await context.host.process(1)) === null) return live('the processes of other users cannot be seen here');
  const reasons: string[] = [];
  for (const pid of pids) {
    if (pid > PID_MAX) return live(`${path} names no process that could exist (${pid})`);
    const holder = await context.host.process(pid);
    if (holder === null || /^[ZXx]/.test(holder.state)) reasons.push(`process ${pid} is gone`);
    else if (isPlainlyAnother(holder, expect, context, path)) reasons.push(`process ${pid} is ${holder.command} of ${holder.user} now`);
    else return live(`process ${pid} (${describeProcess(holder)}) may hold ${path}`);
  }
  return { isStale: true, reason: reasons.join(', ') };
}

/** What a lock says: a file's text, a link's target, or the pid file inside a lock directory. */
async function lockText(context: PrimitiveContext, path: string, stat: FileStat): Promise<string | null> {
  const { files } = context;
  switch (stat.kind) {
    case 'symlink':
      return (await files.readLink(path)) ?? '';
    case 'file':
      return stat.sizeBytes > LOCK_BYTES_MAX ? null : await files.readText(path);
    case 'directory': {
      const names = await files.list(path);
      if (names.length > LOCK_DIRECTORY_NAMES_MAX) return null;
      let text = '';
      for (const name of names) {
        const inside = await files.stat(join(path, name));
        if (inside?.kind === 'directory' || (inside?.sizeBytes ?? 0) > LOCK_BYTES_MAX) return null;
        if (inside?.kind === 'file' && /pid|owner|lock|holder/i.test(name)) text ||= (await files.readText(join(path, name))) ?? '';
      }
      return text;
    }
    case 'socket':
    case 'other':
      return null;
  }
}

/** `812`, a first line that begins with it, `{"pid":812}`, `pid: 812`, `user@host.812:…`, `host-812`. */
export function lockPid(text: string): number | null {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    try {
      const pid = Number((JSON.parse(trimmed) as { pid?: unknown }).pid);
      return Number.isInteger(pid) && pid > 0 ? pid : null;
    } catch {
      // no JSON after all: read as text
    }
  }
  const single = trimmed.length <= 128 && !trimmed.includes('\n');
  const found =
    /^(\d{1,10})\b/.exec(trimmed) ??
    /\bpid\b\W{0,4}(\d{1,10})\b/i.exec(trimmed) ??
    (single ? (/[.-](\d{1,10})(?::\d+)?$/.exec(trimmed) ?? /\b(\d{1,10})\b/.exec(trimmed)) : null);
  const pid = Number(found?.[1] ?? 0);
  return pid > 0 ? pid : null;
}

/** Commands that run other programs: their own name says nothing about who wrote the lock. */
const WRAPPERS = new Set([
  'sh',
  'bash',
  'dash',
  'zsh',
  'env',
  'npm',
  'npx',
  'pnpm',
  'yarn',
  'bunx',
  'make',
  'bundle',
  'rake',
  'foreman',
  'sudo',
  'su',
  'runuser',
  'setpriv',
  'gosu',
  'nice',
  'timeout',
  'docker',
  'poetry',
  'uv',
  'pipenv',
]);

function isPlainlyAnother(holder: ProcessView, expect: string | null, context: PrimitiveContext, path: string): boolean {
  const { component } = context;
  const words = [holder.command, ...holder.argv.flatMap((word) => word.split(/\s+/))].map((word) => basename(word).toLowerCase());
  const isNamed = (name: string): boolean => words.some((word) => word.includes(name.toLowerCase()));
  const worksHere =
    component.roots.some((root) => holder.cwd === root || holder.cwd?.startsWith(`${root}/`)) ||
    holder.argv.some((word) => word.includes(path) || component.roots.some((root) => root !== '/' && word.includes(root)));
  if (worksHere) return false;
  if (expect !== null) return !isNamed(basename(expect));
  if (holder.cwd === null) return false;
  const names = component.command
    .slice(0, 3)
    .map((word) => basename(word))
    .filter((word) => word !== '' && !word.startsWith('-'));
  const first = names[0];
  if (first === undefined || WRAPPERS.has(first)) return false;
  return !names.some(isNamed);
}

function describeProcess(view: ProcessView): string {
  return `${view.argv.join(' ').slice(0, 200) || view.command}, user ${view.user}, in ${view.cwd ?? 'an unknown directory'}`;
}
