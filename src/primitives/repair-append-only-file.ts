import { basename, dirname, join } from 'node:path';
import { sha256Hex, type Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { backupName, brokenName, copyTree, sameContent } from './aside.ts';
import { outputTail } from './command-end.ts';
import { PrimitiveFailed } from './errors.ts';
import { openFiles } from './open-files.ts';
import { definePrimitive } from './define-primitive.ts';
import { text, type ParsedParameters } from './parameter.ts';

type Repair = {
  /** The one file whose end is cut. */
  readonly file: string;
  readonly okBytes: number;
  /** Its size when it was planned: what was written since is not cut off. */
  readonly sizeBytes: number;
  /** Copy of the broken file beside it, and of the whole directory in Grace's own. */
  readonly aside: string;
  readonly copy: string;
};

const TOOLS = new Set(['redis-check-aof', 'valkey-check-aof', 'keydb-check-aof']);
const CUT_RATIO_MAX = 0.1;
const CUT_BYTES_MAX = 1024 * 1024;
const CHECK_MS_MAX = 5 * 60_000;

const PARAMETERS = {
  path: text('The append-only file, its manifest or their directory.'),
  tool: text('The check tool that belongs to the database: `redis-check-aof`.'),
} as const;
type Params = ParsedParameters<typeof PARAMETERS>;

export const repairAppendOnlyFile = definePrimitive({
  name: 'repair_append_only_file',
  description: 'Cuts an unfinished write off the end of an append-only file, after copying it.',
  risk: 'medium',

  parameters: PARAMETERS,
  confinement: 'the directories of the component, links followed; no file that a process has open',

  check({ tool }, wrong) {
    if (!TOOLS.has(basename(tool))) wrong(`"tool" has to be one of ${[...TOOLS].join(', ')}`);
  },

  async plan(params, context) {
    const { files } = context;
    const look = await check(params, context);
    if ('problem' in look) return { state: 'refused', reason: look.problem };
    if (look.state === 'whole') return { state: 'nothing_to_do', summary: `${look.target} is whole` };
    const { file, sizeBytes, okBytes } = look;
    const cut = sizeBytes - okBytes;
    const isTooMuch = cut > sizeBytes * CUT_RATIO_MAX || cut > CUT_BYTES_MAX;
    if (isTooMuch && !(await keepsLastGood(context, file, okBytes)))
      return { state: 'refused', reason: `${cut} of ${sizeBytes} bytes of ${file} would be lost: that is more than an unfinished write` };
    const holder = (await openFiles(files, new Set([(await files.realpath(file)) ?? file]))).values().next().value;
    if (holder !== undefined) return { state: 'refused', reason: `process ${holder} holds ${file} open: stop it first` };
    let bytes = sizeBytes;
    for (const name of await files.list(dirname(file))) bytes += (await files.stat(join(dirname(file), name)))?.sizeBytes ?? 0;
    const room = await files.diskRoom(context.backupDir);
    if (room !== null && room.freeBytes < bytes * 1.1)
      return { state: 'refused', reason: `there is no room for a copy of ${dirname(file)}` };
    const undo: Repair = {
      file,
      okBytes,
      sizeBytes,
      aside: await brokenName(context, file),
      copy: await backupName(context, dirname(file), 'before'),
    };
    return {
      state: 'ready',
      summary: `cut the last ${cut} of ${sizeBytes} bytes off ${file}, an unfinished write; the broken file is kept as ${basename(undo.aside)}`,
      targets: [file],
      undo: undo as Json,
    };
  },

  async apply(params, context, record) {
    const { file, okBytes, sizeBytes, aside, copy } = record as unknown as Repair;
    const { files } = context;
    await confineEntry(context, file);
    if ((await files.stat(file))?.sizeBytes !== sizeBytes)
      throw new PrimitiveFailed('repair_append_only_file', `${file} changed while this was being prepared`, { retryable: true });
    await files.removeTree(copy);
    await copyTree(files, dirname(file), copy);
    const half = `${aside}.grace-tmp`;
    await files.copy(file, half);
    await files.rename(half, aside);
    const { target } = await targetOf(params, context);
    const result = await context.run([params.tool, '--fix', target], { timeoutMs: CHECK_MS_MAX, cwd: dirname(target), input: 'y\n' });
    const after = await check(params, context);
    const size = (await files.stat(file))?.sizeBytes ?? 0;
    if (result.exitCode !== 0 || 'problem' in after || after.state !== 'whole' || size !== okBytes)
      throw new PrimitiveFailed('repair_append_only_file', `${file} could not be repaired\n${outputTail(result)}`);
    return {
      summary: `${file} ends after its last whole write (${okBytes} bytes); the broken one is ${basename(aside)}`,
      changed: [file, aside],
    };
  },

  async undo(record, context) {
    const { file, okBytes, aside } = record as unknown as Repair;
    const { files } = context;
    await confineEntry(context, file);
    await files.remove(`${aside}.grace-tmp`);
    if ((await files.stat(aside)) === null) return [];
    const present = await files.stat(file);
    // Longer or shorter than the repaired file: the database has written since.
    if (present !== null && present.sizeBytes !== okBytes && !(await sameContent(files, file, aside)))
      return [`${file} was written to after its repair, and stays; the broken one is ${aside}`];
    await files.rename(aside, file);
    return [];
  },
});

/** Everything that the last good boot saw in the file stays: what goes was added since, in whatever share. */
async function keepsLastGood(context: PrimitiveContext, file: string, okBytes: number): Promise<boolean> {
  const entry = await context.lastGood.entry(context.component.name, file);
  const good = entry?.kind === 'file' && entry.hasContent ? await context.lastGood.content(entry) : null;
  const now = good === null || good.length === 0 || good.length > okBytes ? null : await context.files.read(file, good.length);
  return now !== null && good !== null && sha256Hex(now) === sha256Hex(good);
}

type Look =
  | { readonly problem: string }
  | { readonly state: 'whole'; readonly target: string }
  | { readonly state: 'cut_off'; readonly target: string; readonly file: string; readonly sizeBytes: number; readonly okBytes: number };

/** What the tool says without changing anything. */
async function check(params: Params, context: PrimitiveContext): Promise<Look> {
  const { target, problem } = await targetOf(params, context);
  if (problem !== null) return { problem };
  const result = await context.run([params.tool, target], { timeoutMs: CHECK_MS_MAX, cwd: dirname(target) });
  if (result.spawnErrorCode !== null) return { problem: `${params.tool} cannot be started (${result.spawnErrorCode})` };
  if (result.timedOut) return { problem: `${params.tool} took more than 5 minutes` };
  if (result.exitCode === 0) return { state: 'whole', target };
  const found = [
    ...`${result.stdout}\n${result.stderr}`.matchAll(
      /AOF analyzed: filename=(.{1,4096}), size=(\d+), ok_up_to=(\d+),.{0,80}? ?diff=(\d+)/g,
    ),
  ].at(-1);
  if (!found) return { problem: `${params.tool} does not say where ${target} ends: ${outputTail(result, 3)}` };
  const [sizeBytes, okBytes, diff] = [Number(found[2]), Number(found[3]), Number(found[4])];
  const file = await confineEntry(context, join(dirname(target), basename(found[1] ?? '')));
  const stat = await context.files.stat(file);
  if (stat?.kind !== 'file' || stat.sizeBytes !== sizeBytes || diff !== sizeBytes - okBytes || diff === 0)
    return { problem: `${params.tool} speaks of another file than ${file}: ${outputTail(result, 3)}` };
  return { state: 'cut_off', target, file, sizeBytes, okBytes };
}

/** The manifest, where the append-only file is made of several; else the file. */
async function targetOf(
  { path }: Params,
  context: PrimitiveContext,
): Promise<{ readonly target: string; readonly problem: string | null }> {
  const { files } = context;
  const at = await confineTarget(context, path);
  const stat = await files.stat(at);
  if (stat === null) return { target: at, problem: `there is no ${at}` };
  const dir = stat.kind === 'directory' ? at : dirname(at);
  const manifests = (await files.list(dir)).filter((name) => name.endsWith('.manifest'));
  const own =
    manifests.find((name) => basename(at).startsWith(name.replace(/\.manifest$/, ''))) ??
    (stat.kind === 'directory' ? manifests[0] : undefined);
  if (own === undefined && stat.kind !== 'file') return { target: at, problem: `${at} is no append-only file and has no manifest` };
  if (manifests.length > 1 && stat.kind === 'directory') return { target: at, problem: `${at} has several manifests: name one` };
  return { target: own === undefined ? at : await confineTarget(context, join(dir, own)), problem: null };
}
