import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  chmodSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve, sep } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { codeOf, GraceError, messageOf } from '../../kernel/index.ts';
import { loadConfig, type GraceConfig } from '../config/index.ts';

/** What cannot be tried in a copy of the project; the test is inconclusive. */
export class NoSandbox extends GraceError {
  constructor(reason: string) {
    super({ code: 'GRACE_AUTHORING_NO_SANDBOX', message: reason, hint: 'the playbook was not tested: see docs/guide/playbooks.md' });
  }
}

/** More is a copy that nobody wants to wait for, or that fills a disk. */
const COPIED_BYTES_MAX = 2 * 1024 ** 3;
const COPIED_ENTRIES_MAX = 250_000;
/** Files in which a port may be named, at the top of the project. */
const NAMES_PORT = /^(?:grace\.config\.[a-z]+|\.env(?:\..+)?|package\.json|Procfile|[\w.-]+\.(?:ya?ml|toml|ini|conf))$/;
const SMALL_BYTES = 256 * 1024;
/** Stays ready this long in a sandbox, at most. */
const SOAK_MS_MAX = 1500;
/** Databases of others: what is in them is real. */
const SERVER_URL = /^(postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|nats|mssql|sqlserver|clickhouse):\/\//i;

export interface Sandbox {
  /** Copy of the project. */
  readonly dir: string;
  readonly config: GraceConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Configured port → the one it has here. */
  readonly ports: ReadonlyMap<number, number>;
  remove(): void;
}

export interface SandboxOptions {
  readonly config: GraceConfig;
  /** The config file that was named, if any. */
  readonly configFile: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * A copy of the service in a folder of its own: with its own data directory, its own ports, and copies of its databases.
 * @throws NoSandbox when the service reaches for what cannot be copied
 */
export async function makeSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { config } = options;
  const { projectDir } = config;
  refuseWhatIsElsewhere(config);
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'grace-sandbox-')));
  const remove = (): void => rmSync(home, { recursive: true, force: true });
  try {
    const dir = join(home, basename(projectDir));
    await copyTree(projectDir, dir, new Set([config.dataDir, join(projectDir, '.git')]));
    const ports = await ownPorts(config);
    const environment = movedEnvironment(options.environment, projectDir, dir, ports);
    renamePorts(dir, ports);
    const configFile = config.configFile === null ? undefined : join(dir, relative(projectDir, config.configFile));
    const loaded = await loadConfig({
      directory: dir,
      configFile,
      environment,
      flags: { dataDir: join(home, 'grace'), mode: 'resilient', hold: 'never' },
    });
    const moved = movedConfig(loaded, config, dir, ports, environment);
    refuseRealDatabases(moved, environment, dir);
    return { dir, config: moved, environment, ports, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function refuseWhatIsElsewhere({ components, projectDir, playbooksDir, dataDir }: GraceConfig): void {
  for (const spec of components) {
    if (spec.kind === 'dependency') throw new NoSandbox(`it depends on ${spec.name}, which a sandbox does not have`);
    if (!isWithin(spec.cwd, projectDir)) throw new NoSandbox(`${spec.name} works in ${spec.cwd}, outside of the project`);
    const outside = spec.roots.find((root) => !isWithin(root, projectDir) && !isWithin(root, dataDir));
    if (outside !== undefined) throw new NoSandbox(`${spec.name} has data in ${outside}, outside of the project`);
  }
  if (!isWithin(playbooksDir, projectDir)) throw new NoSandbox(`its playbooks lie in ${playbooksDir}, outside of the project`);
}

/** What its environment names is used, in a sandbox too. */
function refuseRealDatabases({ components }: GraceConfig, environment: Readonly<Record<string, string | undefined>>, dir: string): void {
  for (const spec of components) {
    const values = new Map<string, string>(Object.entries(environment).flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const])));
    for (const file of spec.envFiles) for (const [key, value] of envLines(file)) values.set(key, value);
    for (const [key, value] of Object.entries(spec.env)) values.set(key, value);
    if (spec.database !== null) values.set('database', spec.database);
    for (const [name, value] of values) {
      const server = SERVER_URL.exec(value)?.[1];
      if (server !== undefined) throw new NoSandbox(`${spec.name} uses a ${server} server (${name}), and a test touches no real one`);
      const path = /^(?:file:|sqlite:)?(?:\/\/(?=\/))?(\/[^\s?*:]+\.(?:db|sqlite3?|sqlite))(?:\?|$)/i.exec(value)?.[1];
      if (path !== undefined && !isWithin(resolve(path), dir))
        throw new NoSandbox(`${spec.name} uses ${path} (${name}), outside of the project`);
    }
  }
}

function envLines(file: string): readonly (readonly [string, string])[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const found = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*["']?([^"'\n]*)/.exec(line);
        return found === null ? [] : [[found[1] ?? '', (found[2] ?? '').trim()] as const];
      });
  } catch {
    return []; // it is not there
  }
}

function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir + sep);
}

/** Copies of files and directories with owner, mode and times; links stay links; sockets and devices are left out. */
async function copyTree(from: string, to: string, except: ReadonlySet<string>): Promise<void> {
  let entries = 0;
  let bytes = 0;
  const times: (readonly [string, Date, Date])[] = [];
  const modes: (readonly [string, number])[] = [];
  const copy = async (source: string, target: string): Promise<void> => {
    if (except.has(source)) return;
    const stat = lstatSync(source);
    if (++entries > COPIED_ENTRIES_MAX) throw new NoSandbox(`the project has more than ${COPIED_ENTRIES_MAX} files: it is not copied`);
    if (stat.isSymbolicLink()) {
      const link = readlinkSync(source);
      // An absolute link into the project leads into the copy; one that leads out would be written through.
      symlinkSync(isWithin(link, from) ? to + link.slice(from.length) : link, target);
    } else if (stat.isDirectory()) {
      mkdirSync(target, { mode: 0o700 });
      for (const name of readdirSync(source)) await copy(join(source, name), join(target, name));
      modes.push([target, stat.mode & 0o7777]);
      times.push([target, stat.atime, stat.mtime]);
    } else if (stat.isFile()) {
      bytes += stat.size;
      if (bytes > COPIED_BYTES_MAX) throw new NoSandbox(`the project is larger than ${COPIED_BYTES_MAX / 1024 ** 3} GiB: it is not copied`);
      const ofDatabase = /^(.+)-(?:wal|shm)$/.exec(source)?.[1];
      if (ofDatabase !== undefined && isInUse(ofDatabase)) return; // it is in the copy of the database
      if (isInUse(source)) await copyDatabase(source, target);
      else copyFileSync(source, target, constants.COPYFILE_FICLONE);
      chmodSync(target, stat.mode & 0o7777);
      times.push([target, stat.atime, stat.mtime]);
    } else return;
    try {
      lchownSync(target, stat.uid, stat.gid);
    } catch (error) {
      if (codeOf(error) !== 'EPERM') throw error; // only root may give files away
    }
  };
  try {
    await copy(from, to);
    for (const [path, mode] of modes.toReversed()) chmodSync(path, mode);
    for (const [path, atime, mtime] of times) utimesSync(path, atime, mtime);
  } catch (error) {
    if (error instanceof NoSandbox) throw error;
    throw new NoSandbox(`the project cannot be copied: ${messageOf(error)}`);
  }
}

/** Opening a database leaves files beside it: only one that has them already is read through SQLite. */
function isInUse(path: string): boolean {
  if (!existsSync(`${path}-wal`) || !existsSync(`${path}-shm`)) return false;
  const head = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, 16, 0);
  } finally {
    closeSync(file);
  }
  return head.toString('latin1') === 'SQLite format 3\0';
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(source, to);
  } finally {
    source.close();
  }
}

/** A port of its own for each that the configuration names. */
async function ownPorts({ components }: GraceConfig): Promise<ReadonlyMap<number, number>> {
  const ports = new Map<number, number>();
  for (const { port } of components) if (port !== null && !ports.has(port)) ports.set(port, await freePort());
  return ports;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolved, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolved);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolved) => server.close(resolved));
  return port;
}

/** The service is told its port where the project says it; in its code it is not ours to change. */
function renamePorts(dir: string, ports: ReadonlyMap<number, number>): void {
  for (const name of readdirSync(dir)) {
    const file = join(dir, name);
    if (!NAMES_PORT.test(name)) continue;
    const stat = lstatSync(file);
    if (!stat.isFile() || stat.size > SMALL_BYTES) continue;
    const before = readFileSync(file, 'utf8');
    const after = withPorts(before, ports);
    if (after === before) continue;
    writeFileSync(file, after);
    utimesSync(file, stat.atime, stat.mtime);
  }
}

/** The same number elsewhere is a time or a size. */
const SPEAKS_OF_PORTS = /port|ur[il]|host|http|listen|addr|origin|bind|command|start|script|:\d/i;

function withPorts(text: string, ports: ReadonlyMap<number, number>): string {
  return text
    .split('\n')
    .map((line) => {
      if (!SPEAKS_OF_PORTS.test(line)) return line;
      let moved = line;
      for (const [from, to] of ports) moved = moved.replaceAll(new RegExp(`(?<![\\w.])${from}(?![\\w.])`, 'g'), String(to));
      return moved;
    })
    .join('\n');
}

function movedEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  from: string,
  to: string,
  ports: ReadonlyMap<number, number>,
): Readonly<Record<string, string | undefined>> {
  const moved = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value === undefined ? value : movedPort(name, movedText(value, from, to), ports),
    ]),
  );
  // Python would write beside sources that a link reaches.
  return { ...moved, PYTHONDONTWRITEBYTECODE: '1', GRACE_DATA_DIR: undefined, GRACE_DATABASE_URL: undefined };
}

function movedPort(name: string, value: string, ports: ReadonlyMap<number, number>): string {
  return withPorts(`${name}=${value}`, ports).slice(name.length + 1);
}

function movedText(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`${from.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w.-])`, 'g'), to);
}

/** What the configuration names absolutely, and what it found out by itself. */
function movedConfig(
  loaded: GraceConfig,
  real: GraceConfig,
  dir: string,
  ports: ReadonlyMap<number, number>,
  environment: Readonly<Record<string, string | undefined>>,
): GraceConfig {
  const text = (value: string): string => movedText(value, real.projectDir, dir);
  const components = loaded.components.map((spec) => {
    const own = spec.port === null ? null : (ports.get(spec.port) ?? spec.port);
    // Found out from the code: the probes were made for that one.
    const moved = moveDeep(spec, own === spec.port ? text : (value) => withPorts(text(value), ports)) as typeof spec;
    const told = environment['PORT'] ?? spec.env['PORT'];
    const env = Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, text(value)]));
    const isToldElsewhere = told !== undefined || spec.envFiles.some((file) => envLines(file).some(([name]) => name === 'PORT'));
    return {
      ...moved,
      port: own,
      // Many services take their port from PORT, and one of their own when it is not set.
      env: own === null || isToldElsewhere ? env : { ...env, PORT: String(own) },
      soakMs: Math.min(spec.soakMs, SOAK_MS_MAX),
    };
  });
  return {
    ...loaded,
    components,
    smoke: moveDeep(loaded.smoke, text) as typeof loaded.smoke,
    // Nothing is healed here but by the playbook that is tested.
    boot: { ...loaded.boot, mode: 'resilient', maxHealingAttempts: 0, hold: 'never' },
    healing: { ...loaded.healing, ampEscalation: false, ampApiKey: null },
  };
}

function moveDeep(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item) => moveDeep(item, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, moveDeep(item, text)]));
}
