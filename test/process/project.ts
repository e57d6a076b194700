import { createHash } from 'node:crypto';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import { processesIn, send } from './processes.ts';
import { until } from './waiting.ts';

const ORDERS = join(import.meta.dirname, '..', '..', 'examples', 'orders');
const SERVICES = join(import.meta.dirname, 'services');
/** What a boot leaves in the example folder, and what its own tests are made of. */
const NOT_COPIED = /(?:^|\/)(?:\.env|\.env\.before-demo.*|\.grace|data|playbooks|.*\.test\.ts)$/;
/** Below the range from which the kernel gives ports to clients. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/**
 * A folder of its own with these files. When the test ends, whatever still runs in it is ended and it is removed.
 * @param files      contents by path; objects become JSON
 * @param whenOver   of a test that runs beside others, its own
 */
export function newProject(files: Readonly<Record<string, unknown>> = {}, whenOver: typeof onTestFinished = onTestFinished): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-process-')));
  whenOver(async () => {
    await endEverythingIn(dir);
    rmSync(dir, { recursive: true, force: true });
  });
  write(dir, files);
  return dir;
}

export function write(dir: string, files: Readonly<Record<string, unknown>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    const isBytes = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(dir, path), isBytes ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** The order service of the examples, on a port of its own. */
export async function newOrders(): Promise<{ readonly dir: string; readonly port: number }> {
  const dir = newProject();
  const port = await freePort();
  cpSync(ORDERS, dir, { recursive: true, filter: (path) => !NOT_COPIED.test(relative(ORDERS, path)) });
  for (const name of ['grace.config.ts', '.env.example']) {
    const file = join(dir, name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('4610', String(port)));
  }
  return { dir, port };
}

/**
 * A project of one component, `web`, that is well.
 * @param component  what is different about it
 * @param rest       the configuration beside it
 */
export async function wellProject(
  component: Readonly<Record<string, unknown>> = {},
  rest: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly dir: string; readonly port: number }> {
  const dir = newProject();
  const port = await freePort();
  const web = {
    command: sick('well'),
    port,
    env: { PORT: String(port) },
    readiness: { http: '/ready' },
    soak: '200ms',
    stop: { grace: '1s' },
    ...component,
  };
  write(dir, { 'grace.config.json': { name: 'shop', components: { web }, ...rest } });
  return { dir, port };
}

/** The command that runs one of the sick services, named for its illness. */
export function sick(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, join(SERVICES, `${name}.mjs`), ...args];
}

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (await isFree(port)) return port;
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Every file below a folder with kind, mode and a digest of its bytes, except those whose path the filter refuses. */
export function snapshot(dir: string, counts: (path: string) => boolean = () => true): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!counts(name)) continue;
    const path = join(dir, name);
    const stat = lstatSync(path);
    const body = stat.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : stat.isSymbolicLink()
        ? readlinkSync(path)
        : 'directory';
    found[name] = `${(stat.mode & 0o7777).toString(8)} ${body}`;
  }
  return found;
}

/** The service's own files: not what Grace writes about it. */
export const notGraces = (path: string): boolean => !/^(?:\.grace|playbooks)(?:\/|$)/.test(path);

async function endEverythingIn(dir: string): Promise<void> {
  await until(`everything in ${dir} has ended`, () => {
    const left = processesIn(dir);
    for (const { pid } of left) send(pid, 'SIGKILL');
    return left.length === 0;
  });
}
