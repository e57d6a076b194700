import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { cleanLines, type Redactor } from '../../domains/incidents/index.ts';
import type { Captured, Diagnosis } from '../../domains/learning/index.ts';
import type { LastGood, RemedyStep } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { sha256Hex, type Files, type FileStat } from '../../kernel/index.ts';
import {
  printRecordedFailure,
  RECORD_BYTES_MAX,
  recordFileOf,
  TEXT_BYTES_MAX,
  WORLD_MAX,
  type Difference,
  type RecordedFailure,
} from './recorded-failure.ts';
import { parseEnv } from 'node:util';

/** A playbook, what it is for, and what it does. */
export interface Recording {
  readonly playbook: string;
  readonly captured: Captured;
  readonly spec: ComponentSpec;
  readonly steps: readonly RemedyStep[];
  readonly diagnosis: Pick<Diagnosis, 'family' | 'cause'>;
}

export interface RecordingPorts {
  readonly files: Files;
  readonly lastGood: LastGood;
  readonly redactor: Redactor;
  readonly projectDir: string;
}

/** Primitives whose failure is not in the files of the project, and why a sandbox cannot have it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  free_port: 'another process held the port',
  wait_for_port: 'another process held the port',
  start_dependency: 'a dependency did not answer',
  wait_for_dependency: 'a dependency did not answer',
  record_migrations: 'the content of a database was different',
  restore_tables: 'the content of a database was different',
  restore_columns: 'the content of a database was different',
  resume_process: 'a process was stopped',
  restart_component: 'a process did not answer any more',
  free_disk_space: 'a disk was full',
};
/** What is in a file is what the failure is about; of anything larger it is enough to know where the damage begins. */
const COMPARED_BYTES_MAX = 64 * 1024 * 1024;
const DEAD_PID = '{{dead pid}}';
const FACT_PATHS_MAX = 10;

/**
 * How the world differs now from one that works, as far as the failure and the steps that would mend it speak of it. Names
 * and shapes; values of env files are never read out, and texts go through the redactor.
 */
export async function recordFailure(what: Recording, ports: RecordingPorts): Promise<RecordedFailure> {
  const { playbook, spec, steps, diagnosis } = what;
  const { failure, pattern } = what.captured;
  const { redactor } = ports;
  const found = new Map<string, Difference>();
  const notReplayable = new Set<string>();
  const add = (difference: Difference | null): void => {
    if (difference === null) return;
    const key = 'path' in difference ? difference.path : 'envFile' in difference ? `env ${difference.envFile}` : difference.variable;
    if (!found.has(key)) found.set(key, difference);
  };
  for (const step of steps) {
    const elsewhere = ELSEWHERE[step.primitive];
    if (elsewhere !== undefined) {
      notReplayable.add(elsewhere);
      continue;
    }
    for (const difference of await differencesOfStep(step, spec, ports, notReplayable)) add(difference);
  }
  const named = failure.facts.flatMap((f) => pathsOf(f.subject, spec));
  for (const path of [...new Set(named)].slice(0, FACT_PATHS_MAX)) {
    // A path that the failure speaks of counts when it is known to have been otherwise.
    const entry = await ports.lastGood.entry(spec.name, path);
    if (entry !== null) add(await differenceOf(path, spec, ports, notReplayable));
  }
  // Below what is missing as a whole there is nothing to tell.
  const missing = [...found.values()].flatMap((d) => ('path' in d && d.was === 'missing' ? [d.path] : []));
  const world = [...found.values()].filter((d) => !('path' in d) || !missing.some((top) => d.path.startsWith(`${top}/`)));
  return redactor.redactDeep({
    version: 1,
    playbook,
    component: spec.name,
    signature: failure.grouping?.own ?? failure.signature,
    incident: pattern.incidentId,
    family: diagnosis.family,
    cause: cleanLines(diagnosis.cause).join(' ').slice(0, 500),
    world: world.slice(0, WORLD_MAX),
    notReplayable: [...notReplayable, ...(world.length > WORLD_MAX ? [`${world.length - WORLD_MAX} more differences were left out`] : [])],
  } satisfies RecordedFailure);
}

/**
 * Records the failure beside its playbook. One that is there already for the same failure is left to whoever may have edited it.
 * @returns the file
 */
export async function keepRecordedFailure(what: Recording, ports: RecordingPorts, playbooksDir: string): Promise<string> {
  const { playbook } = what;
  const file = recordFileOf(join(playbooksDir, playbook), playbook);
  const record = await recordFailure(what, ports);
  const before = await ports.files.readText(file, RECORD_BYTES_MAX);
  if (before !== null && before.includes(record.signature)) return file;
  await ports.files.writeAtomic(file, printRecordedFailure(record));
  return file;
}

async function differencesOfStep(
  { primitive, params }: RemedyStep,
  spec: ComponentSpec,
  ports: RecordingPorts,
  notReplayable: Set<string>,
): Promise<readonly (Difference | null)[]> {
  const text = (name: string): string | null => (typeof params[name] === 'string' ? params[name] : null);
  const at = (name: string): string | null => {
    const given = text(name);
    return given === null ? null : resolve(spec.cwd, given);
  };
  const differs = async (path: string | null): Promise<Difference | null> =>
    path === null ? null : differenceOf(path, spec, ports, notReplayable);
  switch (primitive) {
    case 'add_env_keys':
    case 'generate_secret': {
      const file = at('file');
      const keys = primitive === 'generate_secret' ? [text('name')] : Array.isArray(params['keys']) ? params['keys'] : [];
      return [
        file === null
          ? null
          : await envDifference(
              file,
              keys.filter((k) => typeof k === 'string'),
              spec,
              ports,
            ),
      ];
    }
    case 'remove_stale_lock': {
      const lock = await differs(at('path'));
      // Whose lock it was, nobody is any more: any process that does not live will do.
      return [lock !== null && 'was' in lock && lock.was === 'text' ? { ...lock, text: lock.text.replace(/\d{1,10}/, DEAD_PID) } : lock];
    }
    case 'restore_permissions': {
      const path = at('path');
      const stat = path === null ? null : await ports.files.stat(path);
      if (path === null || stat === null) return [await differs(path)];
      const place = placeOf(path, spec, ports, notReplayable);
      return [place === null ? null : { path: place, was: 'mode', mode: (stat.mode & 0o777).toString(8).padStart(3, '0') }];
    }
    case 'install_packages':
    case 'rebuild_packages':
    case 'generate_client': {
      const directory = at('directory') ?? spec.cwd;
      const tops = ['node_modules', 'vendor', '.venv'].map((name) => join(directory, name));
      const gone: string[] = [];
      for (const top of tops)
        if ((await ports.files.stat(top)) === null && (await ports.lastGood.entry(spec.name, top)) !== null) gone.push(top);
      if (gone.length === 0 && (await ports.files.stat(join(directory, 'package.json'))) !== null) {
        const nodeModules = join(directory, 'node_modules');
        if ((await ports.files.stat(nodeModules)) === null) gone.push(nodeModules);
      }
      if (gone.length === 0) notReplayable.add('installed packages were incomplete or built for something else');
      return Promise.all(gone.map(differs));
    }
    case 'relink_interpreter':
      return Promise.all(
        ['python', 'python3'].map((name) => differs(at('directory') === null ? null : join(at('directory') ?? '', 'bin', name))),
      );
    case 'run_project_script':
      return [await differs(at('makes'))];
    case 'run_migrations': {
      // A database that was not there at all is one thing; what was in one is nothing that could be told without its rows.
      const database = databaseFile(spec);
      if (database !== null && (await ports.files.stat(database)) === null) return [await differs(database)];
      notReplayable.add('the schema of a database was behind');
      return [];
    }
    default:
      return Promise.all(['path', 'file'].map((name) => differs(at(name))));
  }
}

/** What a path is now; null when it is as it was at the last good boot. */
async function differenceOf(
  path: string,
  spec: ComponentSpec,
  ports: RecordingPorts,
  notReplayable: Set<string>,
): Promise<Difference | null> {
  const { files, lastGood } = ports;
  const stat = await files.stat(path);
  const place = placeOf(stat === null ? await outermostMissing(path, ports) : path, spec, ports, notReplayable);
  if (place === null) return null;
  if (stat === null) return { path: place, was: 'missing' };
  const entry = await lastGood.entry(spec.name, path);
  if (stat.kind === 'directory') return entry?.kind === 'directory' ? modeOf(place, stat, entry.mode) : { path: place, was: 'directory' };
  if (stat.kind === 'symlink') {
    const to = (await files.readLink(path)) ?? '';
    return entry?.kind === 'symlink' && entry.digest === to ? null : { path: place, was: 'link', to };
  }
  if (stat.kind === 'socket') return { path: place, was: 'dead socket' };
  if (stat.kind !== 'file') return null;
  if (stat.sizeBytes > COMPARED_BYTES_MAX) {
    notReplayable.add(`${place} is too large to be recorded`);
    return null;
  }
  const now = await files.read(path);
  if (now === null) return null;
  if (entry?.kind === 'file' && entry.digest === sha256Hex(now)) return modeOf(place, stat, entry.mode);
  if (spec.envFiles.includes(path)) return null; // told key by key, or not at all
  const good = entry === null ? null : await lastGood.content(entry);
  const intactBytes = good === null ? 0 : commonStart(now, good);
  if (good !== null && intactBytes === now.length) return { path: place, was: 'cut', bytes: now.length };
  const text = textOf(now);
  if (text !== null) return { path: place, was: 'text', text: ports.redactor.redact(text).slice(0, TEXT_BYTES_MAX) };
  return { path: place, was: 'damaged', intactBytes, bytes: now.length };
}

/** When the directory of a file is gone too, that is what was different: without the file alone, a service may do. */
async function outermostMissing(path: string, { files, projectDir }: RecordingPorts): Promise<string> {
  let missing = path;
  while (dirname(missing) !== projectDir && dirname(missing) !== '/' && (await files.stat(dirname(missing))) === null)
    missing = dirname(missing);
  return missing;
}

function modeOf(path: string, stat: FileStat, good: number): Difference | null {
  const mode = stat.mode & 0o777;
  return mode === (good & 0o777) ? null : { path, was: 'mode', mode: mode.toString(8).padStart(3, '0') };
}

async function envDifference(
  file: string,
  keys: readonly string[],
  spec: ComponentSpec,
  ports: RecordingPorts,
): Promise<Difference | null> {
  const place = placeOf(file, spec, ports, new Set());
  const text = await ports.files.readText(file);
  if (place === null) return null;
  if (text === null) return { path: place, was: 'missing' };
  const present = parseEnv(text);
  const isThere = (key: string): boolean => (present[key] ?? '') !== '';
  return { envFile: place, missing: keys.filter((k) => !isThere(k)), changed: keys.filter(isThere) };
}

/** Relative to the component's directory; null outside of the project, of which a sandbox has no copy. */
function placeOf(path: string, spec: ComponentSpec, { projectDir }: RecordingPorts, notReplayable: Set<string>): string | null {
  if (path === projectDir || path.startsWith(projectDir + sep)) return relative(spec.cwd, path) || '.';
  notReplayable.add('it is about a path outside of the project');
  return null;
}

/** What a fact is about, when that is a path of the component. */
function pathsOf(subject: string, spec: ComponentSpec): readonly string[] {
  if (subject === '' || subject.length > 1024 || /[\n\0]/.test(subject)) return [];
  const path = isAbsolute(subject) ? resolve(subject) : resolve(spec.cwd, subject);
  return [spec.cwd, ...spec.roots].some((root) => path.startsWith(root + sep)) ? [path] : [];
}

function databaseFile({ database, cwd }: ComponentSpec): string | null {
  if (database === null || database.startsWith('$') || /^(?!file:|sqlite:)[a-z][a-z0-9+.-]*:/i.test(database)) return null;
  return resolve(cwd, database.replace(/^(?:file|sqlite):(?:\/\/(?=\/))?/i, ''));
}

function commonStart(a: Uint8Array, b: Uint8Array): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/** Null for what is no text, or too long. */
function textOf(bytes: Uint8Array): string | null {
  if (bytes.length > TEXT_BYTES_MAX || bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null; // no UTF-8
  }
}
