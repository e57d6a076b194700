import { resolve } from 'node:path';
import { detectComponent, detectProject, type ComponentDetection } from './detect.ts';
import { ENVIRONMENT_NAMES, readEnvironment, type EnvironmentSettings } from './environment.ts';
import type { ConfigFlags, GraceConfig } from './grace-config.ts';
import { findConfigFile, loadConfigFile, type LoadedFile } from './load.ts';
import { Mistakes } from './mistakes.ts';
import { toPlainData } from './plain-data.ts';
import { ProjectFolder } from './project-folder.ts';
import { resolveConfig } from './resolve.ts';
import type { GraceConfigFile } from './schema.ts';
import { parseWords } from './words.ts';

export interface ConfigRequest {
  /** Where Grace was started; absolute. */
  readonly directory: string;
  /** `--config`, relative to `directory`; without it the directory's own config file, if any. */
  readonly configFile?: string | undefined;
  /** Words after `--`. */
  readonly command?: readonly string[] | undefined;
  /** What Grace was started with: `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags?: ConfigFlags | undefined;
}

/**
 * Everything Grace is told, from file, environment, flags and the project itself.
 * @throws ConfigInvalid with every mistake at once
 */
export async function loadConfig(request: ConfigRequest): Promise<GraceConfig> {
  const configFile = request.configFile === undefined ? findConfigFile(request.directory) : resolve(request.directory, request.configFile);
  const loaded = configFile === null ? null : await loadConfigFile(configFile);
  return checkAndResolve(request, loaded);
}

/** The part of loadConfig that follows the reading of the file. */
export async function checkAndResolve(request: ConfigRequest, loaded: LoadedFile | null): Promise<GraceConfig> {
  const { directory, environment } = request;
  const projectDir = loaded === null ? directory : resolve(loaded.file, '..');
  const mistakes = new Mistakes(loaded?.locate);
  const settings = readSettings(projectDir, environment, mistakes);
  let file: GraceConfigFile = {};
  let detections: ReadonlyMap<string, ComponentDetection> = new Map();
  if (loaded !== null) {
    const data = toPlainData(loaded.data, mistakes);
    detections = detectWritten(data, projectDir, environment, request.command ?? null);
    // the schema and its library are only loaded where there is something to check
    const { validateConfig } = await import('./validate.ts');
    file = validateConfig(data, { projectDir, detections }, mistakes);
  }
  const names = Object.keys(file.components ?? {});
  // a copy, since the result is frozen
  const command = request.command !== undefined && request.command.length > 0 ? [...request.command] : null;
  if (command !== null && names.length > 1)
    mistakes.add(
      '--',
      `a command was given, but the config has ${names.length} components`,
      'leave the command out, or name another config with --config',
      null,
    );
  const detected = detectProject(directory, names.length === 0 ? command : null, environment);
  if (names.length === 0 && detected.components.size === 0 && Object.keys(file.dependencies ?? {}).length === 0 && mistakes.isEmpty)
    mistakes.add('components', 'there is nothing to run', 'give a command: grace up -- node server.js; or let grace init look', null);
  mistakes.throwIfAny(loaded?.file ?? null);
  return resolveConfig({
    file,
    configFile: loaded?.file ?? null,
    projectDir,
    detected,
    detections,
    command,
    environment: settings,
    flags: request.flags ?? {},
  });
}

/** Grace's own settings from the environment, and from the project's `.env` where the environment is silent. */
function readSettings(projectDir: string, environment: ConfigRequest['environment'], mistakes: Mistakes): EnvironmentSettings {
  const variables = new ProjectFolder(projectDir).variables('.env');
  const silent = ENVIRONMENT_NAMES.filter((name) => (environment[name] ?? '') === '' && variables[name] !== undefined);
  const fromFile = readEnvironment(Object.fromEntries(silent.map((name) => [name, variables[name]])), mistakes, '.env');
  return { ...fromFile, ...readEnvironment(environment, mistakes) };
}

/** What can be worked out about the components of a file, which may still be wrong in any way. */
function detectWritten(
  data: unknown,
  projectDir: string,
  environment: ConfigRequest['environment'],
  command: readonly string[] | null,
): ReadonlyMap<string, ComponentDetection> {
  const written = Object.entries(fieldsOf(fieldsOf(data)['components'])).map(([name, value]) => {
    const fields = fieldsOf(value);
    return { name, fields, cwd: resolve(projectDir, typeof fields['cwd'] === 'string' ? fields['cwd'] : '.') };
  });
  const folders = new Map<string, ProjectFolder>();
  const shares = new Map<string, number>();
  for (const { cwd } of written) shares.set(cwd, (shares.get(cwd) ?? 0) + 1);
  // PORT in an environment that several read belongs to the one that cannot be probed without a port
  const inNeed = written.filter(({ fields }) => fields['port'] === undefined && PROBES.some((probe) => needsPort(fields[probe])));
  return new Map(
    written.map(({ name, fields, cwd }) => {
      const folder = folders.get(cwd) ?? new ProjectFolder(cwd);
      folders.set(cwd, folder);
      const detection = detectComponent({
        folder,
        argv: written.length === 1 && command !== null ? command : wordsOf(fields['command']),
        env: textsIn(fields['env']),
        envFiles: envFilesIn(fields['envFile'])?.map((file) => resolve(projectDir, file)) ?? null,
        environment,
        ownsPort: written.length === 1 || (inNeed.length === 1 && inNeed[0]?.name === name),
        ownsFolder: shares.get(cwd) === 1,
      });
      return [name, detection];
    }),
  );
}

const PROBES = ['startup', 'readiness', 'liveness'];

function needsPort(probe: unknown): boolean {
  const { http, tcp } = fieldsOf(probe);
  return tcp === true || (typeof http === 'string' && http.startsWith('/'));
}

function wordsOf(command: unknown): readonly string[] {
  if (typeof command === 'string') {
    const words = parseWords(command);
    return words.ok ? words.argv : [];
  }
  return Array.isArray(command) ? command.filter((word): word is string => typeof word === 'string') : [];
}

function envFilesIn(value: unknown): readonly string[] | null {
  if (value === undefined) return null;
  return (Array.isArray(value) ? value : [value]).filter((file): file is string => typeof file === 'string' && !file.includes('\0'));
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}
