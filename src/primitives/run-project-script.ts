import { dirname, join, resolve } from 'node:path';
import { sha256Hex, type Json } from '../kernel/index.ts';
import { reachesOut, type PrimitiveContext } from '../domains/playbooks/index.ts';
import { backupName, brokenName, move } from './aside.ts';
import { howItFailed, outputTail } from './command-end.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { PrimitiveFailed } from './errors.ts';
import { definePrimitive } from './define-primitive.ts';
import { optional, text } from './parameter.ts';

/** What was not there before: undone by moving it away. Null when it was, or nobody said what the script makes. */
type Made = { readonly path: string | null; readonly aside: string; readonly body: string };

/** A large front end builds for minutes; what takes longer hangs. */
const SCRIPT_MS_MAX = 10 * 60_000;
const SCRIPT_NAME = /^[\w@.:/+-]{1,80}$/;
const MANIFEST_BYTES_MAX = 256 * 1024;

export const runProjectScript = definePrimitive({
  name: 'run_project_script',
  description: "Runs a script of the project's package.json that builds something, and looks whether it is there then.",
  risk: 'medium',

  parameters: {
    directory: text('The directory of the project.'),
    script: text('Name of the script in package.json.', 80),
    makes: optional(text('The path that has to be there afterwards.')),
  },
  confinement:
    'the directories of the component, links followed; no script that reaches beyond the project, and none of a manifest that is not as it was at the last verified boot, or, where none was kept, is younger than the run',

  check({ script }, wrong) {
    if (!SCRIPT_NAME.test(script) || script.startsWith('-')) wrong('"script" has to be the name of a script in package.json');
  },

  async plan(params, context) {
    const directory = await confineTarget(context, params.directory);
    const body = await scriptIn(context, directory, params.script);
    if (body === null) return { state: 'refused', reason: `${join(directory, 'package.json')} has no script "${params.script}"` };
    // A manager runs these with it.
    const [before, after] = [
      await scriptIn(context, directory, `pre${params.script}`),
      await scriptIn(context, directory, `post${params.script}`),
    ];
    const bodies = [before, body, after].filter((one) => one !== null);
    const beyond = bodies.find((one) => reachesOut(one));
    if (beyond !== undefined)
      return { state: 'refused', reason: `the script "${params.script}" reaches beyond the project: ${beyond.slice(0, 200)}` };
    const doubt = await doubtOf(context, directory, bodies.join('\n'));
    if (doubt !== null) return { state: 'refused', reason: `the script "${params.script}" is not run: ${doubt}` };
    const makes = params.makes === null ? null : await confineEntry(context, params.makes);
    if (makes !== null && (await context.files.stat(makes)) !== null && (await isFilled(context, makes)))
      return { state: 'nothing_to_do', summary: `${makes} is there already` };
    const path = makes === null ? null : await firstMissing(context, makes);
    const undo: Made = { path, aside: await backupName(context, path ?? directory, 'built'), body: sha256Hex(body) };
    return {
      state: 'ready',
      summary: `run "${params.script}" of ${join(directory, 'package.json')}: ${body.slice(0, 200)}`,
      targets: [path ?? directory],
      undo,
    };
  },

  async apply(params, context, record) {
    const directory = await confineTarget(context, params.directory);
    const makes = params.makes === null ? null : await confineEntry(context, params.makes);
    // The manifest may be another one by now.
    const body = await scriptIn(context, directory, params.script);
    if (body === null || sha256Hex(body) !== (record as unknown as Made).body)
      throw new PrimitiveFailed('run_project_script', `the script "${params.script}" is not what it was`);
    const argv = [await managerIn(context, directory), 'run', params.script];
    context.progress(`${argv.join(' ')} in ${directory}`);
    // A loader or a heap limit that is meant for the service would reach every tool of the build.
    const result = await context.run(argv, { timeoutMs: SCRIPT_MS_MAX, cwd: directory, env: { NODE_OPTIONS: '' } });
    if (result.exitCode !== 0) {
      const how = howItFailed(result, SCRIPT_MS_MAX);
      throw new PrimitiveFailed('run_project_script', `${argv.join(' ')} ${how}\n${outputTail(result)}`);
    }
    if (makes !== null && ((await context.files.stat(makes)) === null || !(await isFilled(context, makes))))
      throw new PrimitiveFailed('run_project_script', `${argv.join(' ')} ended well, and ${makes} is not there\n${outputTail(result, 4)}`, {
        hint: 'a build that only looks at what changed may believe that it is up to date: remove its .tsbuildinfo',
      });
    return { summary: `${argv.join(' ')} has made ${makes ?? 'what it makes'}`, changed: [makes ?? directory] };
  },

  async undo(record: Json, context) {
    const { path, aside } = record as unknown as Made;
    if (path === null || (await context.files.stat(path)) === null) return;
    await confineEntry(context, path);
    await move(context.files, path, (await context.files.stat(aside)) === null ? aside : await brokenName(context, aside));
  },
});

/** A file is dated by a clock that lags behind by up to one tick of the kernel. */
const TICK_MS = 20;

/**
 * Why the manifest may not say what its people want: a script in it is any command. As at the last verified boot it is theirs; where
 * that was not kept, it has to have been there before the run. What this run has acted on itself never counts as theirs.
 * @returns null where nothing speaks against it
 */
async function doubtOf(context: PrimitiveContext, directory: string, bodies: string): Promise<string | null> {
  const manifest = join(directory, 'package.json');
  const { startedAtMs = null, touched = [] } = context.runSoFar ?? {};
  const isTouched = (path: string): boolean => touched.some((target) => path === target || path.startsWith(`${target}/`));
  if (isTouched(manifest)) return `a step of this run has acted on ${manifest}`;
  const stat = await context.files.stat(manifest);
  if (stat?.kind !== 'file') return `${manifest} is no file`;
  const wasKept = await isAsKept(context, manifest);
  if (wasKept === false) return `${manifest} is not as it was at the last verified boot. Run it by hand, or start the service once`;
  if (wasKept === null && startedAtMs !== null && stat.mtimeMs > startedAtMs - TICK_MS)
    return `${manifest} was changed while this run went on, and nothing was kept of it`;
  // `node tidy.js`: what it runs is as much as what it says.
  for (const word of bodies.split(/[\s"'`;&|()<>=]+/)) {
    const path = resolve(directory, word);
    if (word !== '' && path !== directory && isTouched(path) && (await isAsKept(context, path)) !== true)
      return `a step of this run has acted on ${path}, which it names`;
  }
  return null;
}

/** Null where nothing was kept to compare with. */
async function isAsKept(context: PrimitiveContext, path: string): Promise<boolean | null> {
  const entry = await context.lastGood.entry(context.component.name, path);
  if (entry?.kind !== 'file' || entry.digest === '') return null;
  const content = await context.files.read(path, MANIFEST_BYTES_MAX + 1);
  return content !== null && sha256Hex(content) === entry.digest;
}

async function scriptIn(context: PrimitiveContext, directory: string, script: string): Promise<string | null> {
  try {
    const manifest = JSON.parse((await context.files.readText(join(directory, 'package.json'), MANIFEST_BYTES_MAX)) ?? '{}') as {
      scripts?: Record<string, unknown>;
    };
    const body = Object.hasOwn(manifest.scripts ?? {}, script) ? manifest.scripts?.[script] : null;
    return typeof body === 'string' && body.trim() !== '' ? body : null;
  } catch {
    return null; // a manifest that cannot be read has no scripts
  }
}

/** A file that is empty, and a directory with nothing in it, are what a build that was cut off leaves. */
async function isFilled(context: PrimitiveContext, path: string): Promise<boolean> {
  const stat = await context.files.stat(path);
  return stat?.kind === 'directory' ? (await context.files.list(path)).length > 0 : stat !== null && stat.sizeBytes > 0;
}

/** Of `dist/src/main.js` the part that is not there: `dist`, when all of it is missing. Null when nothing is. */
async function firstMissing(context: PrimitiveContext, path: string): Promise<string | null> {
  let missing: string | null = null;
  for (let at = path; (await context.files.stat(at)) === null; at = dirname(at)) {
    missing = at;
    if (dirname(at) === at) break;
  }
  return missing;
}

/** The package manager whose lock file is nearest; npm can run the scripts of all of them. */
async function managerIn(context: PrimitiveContext, directory: string): Promise<string> {
  const { manager } = await context.host.packages(directory);
  const isManager = manager === 'pnpm' || manager === 'yarn';
  return isManager && (await context.host.findCommand(manager, (await context.env())['PATH'] ?? '')) !== null ? manager : 'npm';
}
