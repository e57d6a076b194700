import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ROUTE_CHARS_MAX, ROUTES_MAX, type RegisteredRoute, type RegisteredRoutes } from '../../domains/preflight/index.ts';

/** One for each thread that has routes; a service has fewer. */
const FILES_MAX = 64;
/** 5,000 routes of usual length take a tenth of it. */
const FILE_BYTES_MAX = 4_000_000;
const HIDDEN_MAX = 200;

/**
 * What the living processes of a component said of their routes, together. Files of ended processes are removed: they are Grace's own.
 * The service wrote them, so they are looked at as anybody's input.
 * @param directory  where the processes of this component write, one file for each of their threads, `PID-THREAD.json`
 * @returns null when none of them said anything
 */
export async function readRegisteredRoutes(directory: string, pids: ReadonlySet<number>): Promise<RegisteredRoutes | null> {
  const names = await readdir(directory).catch(() => []);
  const found: RegisteredRoutes[] = [];
  for (const name of names.slice(0, FILES_MAX)) {
    const path = join(directory, name);
    const [, dot, pid] = /^(\.?)(\d{1,10})-\d{1,10}\.(?:json|tmp)$/.exec(name) ?? [];
    if (pid === undefined || !pids.has(Number(pid))) {
      await rm(path, { force: true }).catch(() => undefined); // it is looked at again next time
      continue;
    }
    if (dot !== '') continue; // is being written
    const said = await readOne(path);
    if (said !== null) found.push(said);
  }
  if (found.length === 0) return null;
  return {
    routes: found.flatMap(({ routes }) => routes).slice(0, ROUTES_MAX),
    hidden: found.flatMap(({ hidden }) => hidden),
    isComplete: found.every(({ isComplete }) => isComplete) && found.reduce((sum, { routes }) => sum + routes.length, 0) <= ROUTES_MAX,
  };
}

async function readOne(path: string): Promise<RegisteredRoutes | null> {
  try {
    const { size } = await stat(path);
    return size > FILE_BYTES_MAX ? null : parsed(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null; // gone, or none of ours
  }
}

/** Whatever is not as it should be is left out, and there may then be more. */
function parsed(value: unknown): RegisteredRoutes | null {
  if (typeof value !== 'object' || value === null) return null;
  const { version, routes, hidden, isComplete } = value as Record<string, unknown>;
  if (version !== 1 || !Array.isArray(routes) || !Array.isArray(hidden)) return null;
  const good = routes.slice(0, ROUTES_MAX).filter(isRoute);
  const prefixes = hidden.slice(0, HIDDEN_MAX).filter((prefix) => isPath(prefix));
  const isWhole = isComplete === true && good.length === routes.length && prefixes.length === hidden.length;
  return { routes: good.map(({ method, path, isWhole: own }) => ({ method, path, isWhole: own })), hidden: prefixes, isComplete: isWhole };
}

function isRoute(value: unknown): value is RegisteredRoute {
  if (typeof value !== 'object' || value === null) return false;
  const { method, path, isWhole } = value as Record<string, unknown>;
  return typeof method === 'string' && /^(?:\*|[A-Z-]{1,20})$/.test(method) && isPath(path) && typeof isWhole === 'boolean';
}

function isPath(value: unknown): value is string {
  return typeof value === 'string' && value.length <= ROUTE_CHARS_MAX;
}
