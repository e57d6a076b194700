import { RouteList, type RouteSource } from './route-source.ts';

interface Fastify {
  readonly addHook: (name: 'onRoute', hook: (route: { readonly method?: unknown; readonly url?: unknown }) => void) => unknown;
  readonly prefix?: unknown;
}

/**
 * Fastify 4 and 5 tell of each route as it is added. After the start they only print their tree, which takes seconds for a large one,
 * so nothing is then known. @returns null when it is no Fastify
 */
export function fastifyRoutes(app: object): RouteSource | null {
  const { addHook, printRoutes } = app as Record<string, unknown>;
  if (typeof addHook !== 'function' || typeof printRoutes !== 'function') return null;
  const list = new RouteList();
  const fastify = app as Fastify;
  // A plugin knows only its own routes.
  if (typeof fastify.prefix === 'string' && fastify.prefix !== '') list.isComplete = false;
  try {
    fastify.addHook('onRoute', (route) => {
      try {
        if (list.isFull) list.isComplete = false;
        else note(route, list);
      } catch {
        list.isComplete = false;
      }
    });
  } catch {
    list.isComplete = false;
  }
  return () => list;
}

function note({ method, url }: { readonly method?: unknown; readonly url?: unknown }, list: RouteList): void {
  const methods = (Array.isArray(method) ? method : [method]) as readonly unknown[];
  for (const name of methods) if (typeof name === 'string' && typeof url === 'string') list.add(name, url, true);
}
