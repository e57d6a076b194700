import { basename, relative, sep } from 'node:path';
import * as z from 'zod';
import { pythonStart } from '../catalog/checks/python-command.ts';
import { cleanLines } from '../domains/incidents/index.ts';
import type { ModuleCalls, PrimitiveContext } from '../domains/playbooks/index.ts';
import { definePrimitive, nothingToUndo } from './define-primitive.ts';
import { ownCode } from './own-code.ts';
import { optional, text } from './parameter.ts';
import { PYTHON_CALLS } from './python-calls.ts';
import { unawaitedCalls, type UnawaitedCall } from './unawaited-calls.ts';

const PYTHON_TIMEOUT_MS = 9000;
/** Files that one process is asked about: its answer has to fit into what is kept of an output. */
const PYTHON_BATCH = 100;
/** After that nothing more is asked: what was found by then is told. */
const PYTHON_ALL_MS = 30_000;
/** Places that people are told of; the rest is counted. */
const PLACES_TOLD_MAX = 20;
const PLACE_CHARS_MAX = 160;
const CODE = /\.(?:[cm]?[jt]s|py)$/;

/** What is answered comes from a process that read files which anybody may have written. */
const name = z.string().max(500);
const moduleSchema = z.object({
  asyncs: z.array(name),
  classes: z.array(name),
  instances: z.array(z.tuple([name, name])),
  imports: z.array(z.tuple([name, name, name])),
  exports: z.array(z.tuple([name, name])),
  dropped: z.array(z.object({ callee: z.union([z.tuple([name]), z.tuple([name, name])]), line: z.number().int() })),
});
const answerSchema = z.record(z.string(), z.unknown());

export const findUnawaitedCalls = definePrimitive({
  name: 'find_unawaited_calls',
  description: 'Lists where the code of the component starts something asynchronous and does not wait for it, and tells people.',
  risk: 'low',
  changes: 'nothing',

  parameters: {
    called: optional(text('Only calls of the function or method with this name.', 200)),
  },
  confinement: 'only looks: at JavaScript, TypeScript and Python below the directory of the component, links not followed; runs none of it',

  async plan({ called }, context) {
    const of = called === null ? 'something asynchronous' : shown(called);
    return {
      state: 'ready',
      summary: `look where ${context.component.name} calls ${of} and does not wait for it`,
      targets: [context.component.name],
      undo: null,
    };
  },

  async apply({ called }, context) {
    const { component, logger } = context;
    const { paths, isCut } = await ownCode(context, CODE);
    const { modules, unread } = await read(paths, context);
    const wanted = called === null ? null : (called.split('.').at(-1) ?? called);
    const found = unawaitedCalls(modules, component.cwd).filter((one) => wanted === null || one.called.split('.').at(-1) === wanted);
    const summary = context.redact(told(context, found, { read: modules.size, unread, isCut }));
    logger.warn(summary, { component: component.name });
    context.progress(summary);
    return { summary, changed: [] };
  },

  undo: nothingToUndo,
});

interface Looked {
  readonly read: number;
  readonly unread: number;
  readonly isCut: boolean;
}

/** A file that nobody can read says nothing: it is counted, and the look goes on. */
async function read(paths: readonly string[], context: PrimitiveContext): Promise<{ modules: Map<string, ModuleCalls>; unread: number }> {
  const scripts = paths.filter((path) => !path.endsWith('.py'));
  const modules = new Map(await context.readModules(scripts, context.signal));
  for (const [path, module] of await readPython(
    paths.filter((one) => one.endsWith('.py')),
    context,
  ))
    modules.set(path, module);
  return { modules, unread: paths.length - modules.size };
}

async function readPython(paths: readonly string[], context: PrimitiveContext): Promise<readonly (readonly [string, ModuleCalls])[]> {
  if (paths.length === 0) return [];
  const start = await pythonStart(context.component, await context.env(), context);
  if (start === null) return [];
  const found: (readonly [string, ModuleCalls])[] = [];
  const own = [
    ...new Set([
      ...paths.map((path) => basename(path, '.py')),
      ...paths.flatMap((path) => relative(context.component.cwd, path).split(sep).slice(0, -1)),
    ]),
  ];
  const began = context.clock.monotonicMs();
  for (let at = 0; at < paths.length && context.clock.monotonicMs() - began < PYTHON_ALL_MS; at += PYTHON_BATCH)
    found.push(...(await askPython(paths.slice(at, at + PYTHON_BATCH), own, start.interpreter, context)));
  return found;
}

async function askPython(
  paths: readonly string[],
  own: readonly string[],
  interpreter: string,
  context: PrimitiveContext,
): Promise<readonly (readonly [string, ModuleCalls])[]> {
  // `-I`: neither the folder nor PYTHON* variables; `-B`: no cache is written
  const result = await context.run([interpreter, '-I', '-B', '-X', 'utf8', '-c', PYTHON_CALLS], {
    timeoutMs: PYTHON_TIMEOUT_MS,
    input: JSON.stringify({ files: paths, own }),
  });
  const answer = answerSchema.safeParse(parsed(result.stdout.trim().split('\n').at(-1) ?? ''));
  if (!answer.success) return [];
  return paths.flatMap((path) => {
    const module = moduleSchema.safeParse(answer.data[path]);
    return module.success ? [[path, module.data] as const] : [];
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function told({ component }: PrimitiveContext, found: readonly UnawaitedCall[], { read: files, unread, isCut }: Looked): string {
  const places = found
    .slice(0, PLACES_TOLD_MAX)
    .map(({ path, line, called }) => `${shown(relative(component.cwd, path))}:${line} ${shown(called)}`);
  const more = found.length - places.length;
  const looked = `${files === 1 ? '1 file' : `${files} files`} of ${component.name}`;
  const left = [unread === 0 ? '' : `${unread} could not be read`, isCut ? 'there are more than are looked at' : ''].filter(Boolean);
  const rest = left.length === 0 ? '' : ` (${left.join(', ')})`;
  if (found.length === 0) return `no call in ${looked}${rest} is surely left without somebody who waits for it`;
  return `started and not waited for, in ${looked}${rest}: ${places.join(', ')}${more === 0 ? '' : `, and ${more} more`}`;
}

/** Names of files and functions come from whoever wrote them. */
function shown(written: string): string {
  return (cleanLines(written).join(' ') || '?').slice(0, PLACE_CHARS_MAX);
}
