import { expressRoutes } from './express-routes.ts';
import { fastifyRoutes } from './fastify-routes.ts';
import type { FoundRoutes, RouteSource } from './route-source.ts';

/** Set by the Grace that started this process: a directory of this component's own. */
const DIRECTORY = 'GRACE_ROUTES_DIR';
/** A service adds routes until it listens, and some long after. */
const LOOKS_AFTER_MS = [50, 250, 1000, 3000, 10_000, 30_000];

const known = new WeakSet<object>();
const sources: RouteSource[] = [];
let written = '';
let writing: Promise<void> = Promise.resolve();

/**
 * Tells the Grace that started this process which routes it has [PF-4]: Fastify, Express and Nest. Best called before the routes are
 * added. Looks a few times within half a minute, and keeps no process alive. Never throws, and does nothing without Grace.
 */
export function registerRoutes(app: unknown): void {
  try {
    const directory = process.env[DIRECTORY];
    if (directory === undefined || directory === '') return;
    const instance = instanceOf(app);
    if (instance === null || known.has(instance)) return;
    known.add(instance);
    const source = fastifyRoutes(instance) ?? expressRoutes(instance);
    if (source === null) return;
    sources.push(source);
    for (const afterMs of LOOKS_AFTER_MS) setTimeout(() => tell(directory), afterMs).unref();
  } catch {
    // a service must not fail of being looked at
  }
}

/** What Nest wraps is Fastify or Express. */
function instanceOf(app: unknown): object | null {
  if ((typeof app !== 'object' && typeof app !== 'function') || app === null) return null;
  const { getHttpAdapter } = app as { readonly getHttpAdapter?: () => { readonly getInstance?: () => unknown } };
  if (typeof getHttpAdapter !== 'function') return app;
  const instance = getHttpAdapter.call(app).getInstance?.();
  return typeof instance === 'object' || typeof instance === 'function' ? instance : null;
}

function tell(directory: string): void {
  try {
    const found = sources.map(foundIn);
    const text = JSON.stringify({
      version: 1,
      routes: found.flatMap(({ routes }) => routes),
      hidden: [...new Set(found.flatMap(({ hidden }) => hidden))],
      isComplete: found.every(({ isComplete }) => isComplete),
    });
    if (text === written) return;
    written = text;
    writing = writing
      .then(() => import('./write-routes.ts'))
      .then(({ writeRoutes }) => writeRoutes(directory, text))
      .catch(() => {
        written = ''; // no room, no right, no Grace any more: the next look tries again
      });
  } catch {
    // as above
  }
}

function foundIn(source: RouteSource): FoundRoutes {
  try {
    return source();
  } catch {
    return { routes: [], hidden: [], isComplete: false };
  }
}
