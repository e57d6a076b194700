import { basename, isAbsolute, join, relative, resolve } from 'node:path';
import { envFilesInArguments, languageOf, portIn, portInArguments, seeThrough, type Found, type Language } from './detect-command.ts';
import { detectMigration, runScript } from './detect-migration.ts';
import { ProjectFolder } from './project-folder.ts';
import { parseWords } from './words.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What could be worked out about one component; what is absent could not. Paths are absolute. */
export interface ComponentDetection {
  readonly language: Language;
  readonly command?: Found<readonly string[]>;
  readonly envFiles?: Found<readonly string[]>;
  readonly loadEnvFile?: Found<boolean>;
  /** The command does not start without its env files. */
  readonly needsEnvFiles?: boolean;
  readonly port?: Found<number>;
  readonly migrate?: Found<readonly string[]>;
  readonly database?: Found<string>;
}

export interface ComponentQuestion {
  readonly folder: ProjectFolder;
  readonly argv: readonly string[];
  /** Values that the config gives it. */
  readonly env: Environment;
  /** Absolute paths the config names; null to look for them. */
  readonly envFiles: readonly string[] | null;
  /** What Grace was started with. */
  readonly environment: Environment;
  /** Whether a `PORT` that several components can read is this one's. */
  readonly ownsPort: boolean;
  /** Whether the migrations of the folder are this component's. */
  readonly ownsFolder: boolean;
}

const EXAMPLES = ['.env.example', '.env.sample', '.env.template', '.env.dist'];
const DATABASE_NAMES = [
  'DATABASE_URL',
  'POSTGRES_URL',
  'PG_URL',
  'DB_URL',
  'DATABASE_PATH',
  'SQLITE_PATH',
  'DB_PATH',
  'DATABASE_FILE',
  'DB_FILE',
];

/** Works out what the config does not say, from the command line and the files beside it. Starts nothing. */
export function detectComponent(question: ComponentQuestion): ComponentDetection {
  const { folder, argv, environment, ownsPort, ownsFolder } = question;
  const seen = seeThrough(argv, folder);
  const read = envFilesInArguments(seen.argv) ?? envFilesInArguments(argv);
  const envFiles = findEnvFiles(question, read);
  const layers: readonly VariableLayer[] = [
    { name: 'the command', variables: seen.env, isShared: false },
    { name: 'env of the component', variables: question.env, isShared: false },
    { name: 'the environment', variables: environment, isShared: true },
    ...(question.envFiles ?? envFiles?.value ?? []).toReversed().map((file) => variablesOf(file, folder)),
    ...EXAMPLES.map((file) => variablesOf(join(folder.dir, file), folder)),
  ];
  const port = portInArguments(seen.argv) ?? findPort(layers, ownsPort);
  const migrate = ownsFolder ? detectMigration(folder) : null;
  const database = findDatabase(layers);
  return {
    language: languageOf(seen.argv),
    ...(envFiles && question.envFiles === null ? { envFiles } : {}),
    ...(read?.isNeeded === true ? { needsEnvFiles: true } : {}),
    ...(read ? { loadEnvFile: { value: false, reason: read.reason } } : {}),
    ...(port ? { port } : {}),
    ...(migrate ? { migrate } : {}),
    ...(database ? { database } : {}),
  };
}

interface VariableLayer {
  readonly name: string;
  readonly variables: Environment;
  /** Several components may read it, so that a PORT in it need not be this one's. */
  readonly isShared: boolean;
}

function variablesOf(file: string, folder: ProjectFolder): VariableLayer {
  const name = relative(folder.dir, file);
  return { name: name === '' || name.startsWith('..') ? basename(file) : name, variables: folder.variables(name), isShared: true };
}

function findEnvFiles({ folder }: ComponentQuestion, read: Found<readonly string[]> | null): Found<readonly string[]> | null {
  if (read) return { value: read.value.map((file) => resolve(folder.dir, file)), reason: read.reason };
  if (folder.has('.env')) return { value: [join(folder.dir, '.env')], reason: '.env exists' };
  const example = folder.firstOf(EXAMPLES);
  return example === null ? null : { value: [join(folder.dir, '.env')], reason: `${example} says what .env should hold` };
}

function findPort(layers: readonly VariableLayer[], ownsPort: boolean): Found<number> | null {
  for (const { name, variables, isShared } of layers) {
    const port = ownsPort || !isShared ? portIn(variables['PORT'] ?? '') : null;
    if (port !== null) return { value: port, reason: `PORT in ${name}` };
  }
  return null;
}

function findDatabase(layers: readonly VariableLayer[]): Found<string> | null {
  for (const name of DATABASE_NAMES) {
    const layer = layers.find(({ variables }) => (variables[name] ?? '') !== '');
    if (layer) return { value: `$${name}`, reason: `${name} in ${layer.name}` };
  }
  return null;
}

/** A project that nobody described: what would be run, and why. */
export interface DetectedProject {
  readonly dir: string;
  readonly name: Found<string>;
  /** By name, in starting order as written; empty when there is nothing to run. */
  readonly components: ReadonlyMap<string, ComponentDetection>;
}

/**
 * Zero configuration: one component for a given command; without one those of the Procfile, else the start script.
 * @param command words after `--`
 */
export function detectProject(dir: string, command: readonly string[] | null, environment: Environment): DetectedProject {
  const folder = new ProjectFolder(dir);
  const name = projectName(folder);
  const components = new Map<string, ComponentDetection>();
  const add = (component: string, argv: Found<readonly string[]>, isMain: boolean): ComponentDetection => {
    const detection = {
      ...detectComponent({ folder, argv: argv.value, env: {}, envFiles: null, environment, ownsPort: isMain, ownsFolder: isMain }),
      command: argv,
    };
    components.set(component, detection);
    return detection;
  };
  const procfile = command === null ? readProcfile(folder) : null;
  if (command !== null) {
    add(name.value, { value: command, reason: 'given after --' }, true);
  } else if (procfile !== null && procfile.size > 0) {
    // Heroku's rule: the process named web is the one that gets PORT
    const owner = procfile.has('web') ? 'web' : [...procfile.keys()].find((process) => process !== 'release');
    for (const [process, argv] of procfile) if (process !== 'release') add(process, argv, process === owner);
    const release = procfile.get('release');
    const detection = owner === undefined ? undefined : components.get(owner);
    if (release && owner !== undefined && detection)
      components.set(owner, {
        ...detection,
        migrate: { value: release.value, reason: 'Procfile has release, which runs before the others' },
      });
  } else {
    const start = runScript(folder, 'start') ?? serverFile(folder);
    if (start) add(name.value, start, true);
  }
  return { dir, name, components };
}

function serverFile(folder: ProjectFolder): Found<readonly string[]> | null {
  const file = folder.firstOf(['server.js', 'server.mjs', 'server.cjs', 'server.ts', 'server.mts']);
  return file === null ? null : { value: ['node', file], reason: `${file} exists` };
}

function readProcfile(folder: ProjectFolder): Map<string, Found<readonly string[]>> | null {
  const text = folder.text('Procfile');
  if (text === null) return null;
  const processes = new Map<string, Found<readonly string[]>>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^([A-Za-z0-9][\w-]{0,62}):\s*(\S.*?)\s*$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const words = parseWords(match[2]);
    // a Procfile line is a shell line by definition, so where it needs a shell it gets one
    const argv = words.ok ? words.argv : ['sh', '-c', match[2]];
    processes.set(match[1], {
      value: argv,
      reason: words.ok ? `Procfile has ${match[1]}` : `Procfile has ${match[1]}, written for a shell`,
    });
  }
  return processes;
}

/** Names end up in file names and metric labels: `@scope/my app` becomes `my-app`. */
function projectName(folder: ProjectFolder): Found<string> {
  const declared = folder.packageJson()?.name ?? null;
  const fromPackage = declared === null ? '' : safeName(declared);
  if (fromPackage !== '') return { value: fromPackage, reason: 'name in package.json' };
  const fromFolder = safeName(basename(folder.dir));
  return fromFolder === ''
    ? { value: 'service', reason: 'neither package.json nor the folder gives a name' }
    : { value: fromFolder, reason: 'name of the folder' };
}

function safeName(text: string): string {
  const name = text
    .replace(/^@[^/]*\//, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 63);
  return name === 'constructor' || name === 'prototype' ? '' : name;
}

/** As it would be written in a config beside it: `./`-less and relative below the project, absolute elsewhere. */
export function pathWithin(dir: string, path: string): string {
  const inside = relative(dir, path);
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside === '' ? '.' : inside;
}
