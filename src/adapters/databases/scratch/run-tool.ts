import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseEnv, stripVTControlCharacters } from 'node:util';
import type { CommandResult, Spawner } from '../../../kernel/index.ts';
import type { DetectedMigrations } from '../detected-migrations.ts';
import { openProject, type Project } from '../project-files.ts';
import { findSources, type ConnectionSources } from './connection-sources.ts';
import { networkGuard } from './network-guard.ts';
import { copyProject } from './project-copy.ts';
import { confinedTo } from './read-only-system.ts';
import { pointAt, type ScratchAddress } from './scratch-environment.ts';

type Environment = Readonly<Record<string, string>>;

/** Cannot be done here, in plain words; nothing was run, or what was run reached no database but the scratch one. */
export interface NotPossible {
  readonly state: 'not_possible';
  readonly why: string;
}

export interface ToolRun {
  readonly projectDir: string;
  /** Of the service, with what its env files say. */
  readonly env: Environment;
  readonly spawner: Spawner;
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
}

export interface ToolOrder extends ToolRun {
  readonly detected: DetectedMigrations;
  readonly argv: readonly string[];
  /** Null when the tool needs none: then it is given one that leads nowhere. */
  readonly address: ScratchAddress | null;
  readonly engine: 'postgres' | 'sqlite';
}

export interface ToolEnd {
  readonly state: 'ended';
  readonly stdout: string;
}

/** Nobody listens there, and the guard would not let it through. */
const NOWHERE = {
  host: '127.0.0.1',
  port: 9,
  database: 'scratch',
  user: 'scratch',
  password: null,
  sslMode: null,
  sslRootCert: null,
  sslCert: null,
  sslKey: null,
};

/**
 * Runs a command of a migration tool in a copy of the project, with everything that leads to a database led to the scratch one,
 * and with a guard in each Node process that lets no other address through.
 */
export async function runTool(order: ToolOrder): Promise<ToolEnd | NotPossible> {
  const { projectDir, detected, signal } = order;
  const project = await openProject(projectDir);
  const sources = await findSources(project, detected, order.engine, order.argv);
  if (sources.literal !== null) {
    const { file, line, what } = sources.literal;
    return no(`${file}:${line} has ${what} written into it: it has to come from a variable of the environment`);
  }
  // A server is behind its door in any case; what keeps a file safe is what the configuration says.
  if (sources.files === 0 && order.engine === 'sqlite' && order.address !== null)
    return no('its configuration was not found: what it takes its database from cannot be told');
  const known = { ...(await envFile(project)), ...order.env };
  const unsafe = order.address === null ? null : unsafeVariable(sources.variables, known, order.address);
  if (unsafe !== null) return no(unsafe);
  if (order.address?.engine === 'sqlite' && !isProven(sources, known, order.address))
    return no('what its configuration takes the file of its database from cannot be told');
  const copy = await copyProject(projectDir);
  if (copy === null) return no('the project is too large to be copied for a trial');
  try {
    const guard = join(copy.root, 'guard.cjs');
    const refusedFile = join(copy.root, 'refused.log');
    await writeFile(guard, networkGuard(order.address?.engine === 'postgres' ? order.address.target.port : null, refusedFile));
    const address: ScratchAddress =
      order.address ??
      (order.engine === 'sqlite' ? { engine: 'sqlite', path: join(copy.root, 'none.sqlite') } : { engine: 'postgres', target: NOWHERE });
    const { env } = pointAt(address, known, sources.variables);
    // Nothing stands between a program and a file but the system itself.
    const argv =
      address.engine === 'postgres'
        ? order.argv
        : await confinedTo([copy.root, ...(order.address === null ? [] : [dirname(address.path)])], order.argv, {
            spawner: order.spawner,
            cwd: copy.project,
            signal,
          });
    if (argv === null) return no(NOT_CONFINED);
    const result = await order.spawner.run(argv, {
      cwd: copy.project,
      env: { ...env, ...(await toolSettings(project, detected, guard)), ...ownPlaces(copy.root), NODE_OPTIONS: nodeOptions(guard, known) },
      timeoutMs: order.timeLimitMs,
      signal,
    });
    signal.throwIfAborted();
    if (result.exitCode === 0) return { state: 'ended', stdout: result.stdout };
    const refused = (await readFile(refusedFile, 'utf8').catch(() => '')) !== '';
    return no(failureOf(detected.tool, result, order.timeLimitMs, { ...known, ...env }, refused));
  } finally {
    await copy.remove();
  }
}

const NOT_CONFINED =
  'this system does not let Grace run a program that can write nowhere but in a copy (unshare --mount), and without that a file is not safe from it';

/** Its file is named by a variable that is replaced, or by a path that begins at the project. */
function isProven({ variables, beginsAtProject }: ConnectionSources, env: Environment, address: ScratchAddress): boolean {
  const { replaced } = pointAt(address, env, variables);
  return beginsAtProject || [...variables].some((name) => replaced.has(name));
}

export function no(why: string): NotPossible {
  return { state: 'not_possible', why };
}

/** What the project's own env file adds for a command that reads it by itself; the copy has none. */
async function envFile(project: Project): Promise<Record<string, string>> {
  const parsed = parseEnv(await project.read('.env'));
  return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A variable that the configuration reads, that we do not replace, and that may lead to the live database all the same. */
function unsafeVariable(read: ReadonlySet<string>, env: Environment, address: ScratchAddress): string | null {
  const { replaced } = pointAt(address, env, read);
  for (const name of read) {
    const value = env[name];
    if (value === undefined || replaced.has(name)) continue;
    if (/\w:\/\//.test(value) && !/^https?:\/\//.test(value))
      return `its configuration reads ${name}, which holds an address that cannot be replaced`;
    if (address.engine === 'sqlite' && value.startsWith('/'))
      return `its configuration reads ${name}, which holds a path: the file of the database may be below it`;
  }
  return null;
}

async function toolSettings(project: Project, { tool }: DetectedMigrations, guard: string): Promise<Record<string, string>> {
  if (tool !== 'prisma') return {};
  const quiet = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  // With `engine: 'js'` everything is done in WebAssembly, and yet the command wants its two native engines to be there, and would
  // download them. Any file will do.
  const config = await project.read(project.find(/^prisma\.config\.[cm]?[jt]s$/) ?? '');
  const engines = await readdir(join(project.cwd, 'node_modules/@prisma/engines')).catch(() => [] as string[]);
  const isMissing = !engines.some((name) => name.startsWith('schema-engine-'));
  return isMissing && /\bengine\s*:\s*['"]js['"]/.test(config)
    ? { ...quiet, PRISMA_QUERY_ENGINE_LIBRARY: guard, PRISMA_SCHEMA_ENGINE_BINARY: guard }
    : quiet;
}

/** Caches and temporary files of the tool go where they are removed with the copy. */
function ownPlaces(root: string): Record<string, string> {
  const home = join(root, 'home');
  return {
    HOME: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_CONFIG_HOME: join(home, '.config'),
    TMPDIR: join(root, 'tmp'),
    JITI_FS_CACHE: 'false',
    NO_COLOR: '1',
    NO_UPDATE_NOTIFIER: '1',
  };
}

function nodeOptions(guard: string, env: Environment): string {
  return `--require=${guard} ${env['NODE_OPTIONS'] ?? ''}`.trim();
}

function failureOf(tool: string, result: CommandResult, limitMs: number, env: Environment, wasRefused: boolean): string {
  if (result.spawnErrorCode !== null) return `the command of ${tool} cannot be started (${result.spawnErrorCode})`;
  if (result.timedOut) return `${tool} did not finish within ${limitMs} ms`;
  const guarded = wasRefused ? '; it wanted to connect to something else than the scratch database, and was kept from it' : '';
  const said = lastWords(`${result.stdout}\n${result.stderr}`, env);
  return `${tool} ended with exit code ${result.exitCode ?? result.signal}${said === '' ? '' : `: ${said}`}${guarded}`;
}

const WORDS_MAX = 200;
const SECRET_NAME = /pass|pwd|secret|token|key|credential/i;

/** The line that says what went wrong, without secrets and without addresses. */
function lastWords(text: string, env: Environment): string {
  const lines = stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  let said = lines.find((line) => /^\W{0,4}(?:\w*error\b|fatal\b)/i.test(line)) ?? lines.at(-1) ?? '';
  for (const [name, value] of Object.entries(env)) if (SECRET_NAME.test(name) && value.length >= 4) said = said.replaceAll(value, '…');
  return said.replaceAll(/\w{1,20}:\/\/\S{1,300}/g, '…').slice(0, WORDS_MAX);
}
