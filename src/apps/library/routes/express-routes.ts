import { RouteList, type RouteSource } from './route-source.ts';

/** Of one look: more layers than this, and the rest is left out. */
const LAYERS_MAX = 20_000;
const DEPTH_MAX = 12;
/** `all` of an application adds each of some thirty methods by itself. */
const METHODS_OF_ALL = 20;

/** Internals of Express 4 and 5, as far as they are looked at; each may be missing. */
interface Layer {
  readonly name?: unknown;
  readonly handle?: unknown;
  readonly route?: { readonly path?: unknown; readonly methods?: Readonly<Record<string, unknown>> };
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  /** Express 5: mounted at `/`. */
  readonly slash?: unknown;
  /** Express 5 with a `router` as new as 2.3; not with 2.0. */
  readonly rawPath?: unknown;
}

/** Where something was mounted, seen as it happened; null where the path is a pattern. */
type Mounts = readonly string[] | null;

/** What `use` was called with since registerRoutes(): Express 5 keeps of a path only a function that matches it. */
interface Seen {
  readonly mounts: WeakMap<object, Mounts>;
  readonly applications: Map<object, { readonly mounts: Mounts; readonly app: object }[]>;
}

/** @returns null when it is neither an application nor a router */
export function expressRoutes(app: object): RouteSource | null {
  const { use } = app as { readonly use?: unknown };
  if (typeof app !== 'function' || typeof use !== 'function') return null;
  const seen: Seen = { mounts: new WeakMap(), applications: new Map() };
  follow(app, seen);
  return () => {
    const walk = new Walk(seen);
    walk.application(app, '', true, 0);
    return walk.list;
  };
}

/** Notes what `use` is given, and does the same for routers that are mounted by it. */
function follow(app: object, seen: Seen): void {
  const target = app as { use: (...given: unknown[]) => unknown };
  const { use } = target;
  if (typeof use !== 'function' || seen.applications.has(app)) return;
  seen.applications.set(app, []);
  target.use = function noted(this: unknown, ...given: unknown[]): unknown {
    try {
      note(app, given, seen);
    } catch {
      // what is not noted is unknown
    }
    return use.apply(this, given);
  };
}

function note(app: object, given: readonly unknown[], seen: Seen): void {
  const flat = given.flat(5);
  const handlers = flat.filter((value) => typeof value === 'function').slice(0, 1000);
  const paths = flat.filter((value) => typeof value !== 'function');
  const isText = paths.every((value): value is string => typeof value === 'string' && !isPattern(value));
  const mounts: Mounts = isText ? (paths.length === 0 ? [''] : paths) : null;
  for (const handler of handlers) {
    const before = seen.mounts.get(handler);
    seen.mounts.set(handler, before === undefined ? mounts : before === null || mounts === null ? null : [...before, ...mounts]);
    const { handle, set, stack } = handler as unknown as Record<string, unknown>;
    if (typeof handle !== 'function') continue;
    if (typeof set === 'function') seen.applications.get(app)?.push({ mounts, app: handler });
    if (typeof set === 'function' || Array.isArray(stack)) follow(handler, seen);
  }
}

/** Parameters are fine in a prefix; more than that is not understood. */
function isPattern(path: string): boolean {
  return /[()*+?[\]{}\\^$|]/.test(path);
}

class Walk {
  readonly list = new RouteList();
  private layers = 0;
  private readonly seen: Seen;

  constructor(seen: Seen) {
    this.seen = seen;
  }

  /** An application or a router, with what was mounted on it. */
  application(app: object, prefix: string, isWhole: boolean, depth: number): void {
    const layers = stackOf(app);
    if (layers === null || depth > DEPTH_MAX) return this.list.hide(isWhole ? prefix : null);
    const mounted = this.seen.applications.get(app) ?? [];
    const isEachSeen = layers.filter(isMountedApp).length === mounted.length;
    for (const layer of layers) {
      if (++this.layers > LAYERS_MAX || this.list.isFull) {
        this.list.isComplete = false;
        return;
      }
      if (!isMountedApp(layer) || !isEachSeen) this.layer(layer, prefix, isWhole, depth);
    }
    for (const { mounts, app: child } of mounted) this.nested(child, mounts, prefix, isWhole, depth);
  }

  private layer(layer: Layer, prefix: string, isWhole: boolean, depth: number): void {
    const { route, handle } = layer;
    if (route !== undefined) return this.route(route, prefix, isWhole);
    const mounts = this.mountsOf(layer);
    if (typeof handle === 'function' && Array.isArray((handle as { readonly stack?: unknown }).stack))
      return this.nested(handle, mounts, prefix, isWhole, depth);
    // A handler for everything is one that passes on; one for a prefix may be all there is below it.
    if (mounts === null) return this.list.hide(isWhole && prefix !== '' ? prefix : null);
    for (const mount of mounts) if (!/^\/*$/.test(mount) || isMountedApp(layer)) this.list.hide(isWhole ? `${prefix}${mount}` : null);
  }

  private nested(child: object, mounts: Mounts, prefix: string, isWhole: boolean, depth: number): void {
    if (mounts === null) return this.application(child, '', false, depth + 1);
    for (const mount of mounts) this.application(child, `${prefix}${mount === '/' ? '' : mount}`, isWhole, depth + 1);
  }

  private route(route: NonNullable<Layer['route']>, prefix: string, isWhole: boolean): void {
    const paths = (Array.isArray(route.path) ? route.path.flat(5) : [route.path]) as readonly unknown[];
    for (const path of paths) {
      if (typeof path !== 'string') {
        this.list.hide(isWhole ? prefix : null); // a pattern of its own
        continue;
      }
      const isForAll = route.methods?.['_all'] === true || Object.keys(route.methods ?? {}).length > METHODS_OF_ALL;
      // Who takes whatever nobody else took says nothing about what is there.
      if (isForAll && isCatchAll(path)) continue;
      if (isForAll) {
        this.list.add('*', `${prefix}${path}`, isWhole);
        continue;
      }
      for (const [method, is] of Object.entries(route.methods ?? {})) if (is === true) this.list.add(method, `${prefix}${path}`, isWhole);
    }
  }

  private mountsOf(layer: Layer): Mounts {
    const { rawPath, slash, regexp, handle } = layer;
    if (slash === true || regexp?.fast_slash === true) return [''];
    const raw = (Array.isArray(rawPath) ? rawPath : [rawPath]) as readonly unknown[];
    if (raw.every((path): path is string => typeof path === 'string')) return raw.some(isPattern) ? null : raw;
    if (regexp !== undefined) return prefixOf(regexp.source);
    return typeof handle === 'function' ? (this.seen.mounts.get(handle) ?? null) : null;
  }
}

/** `*`, `/*path`, `/{*path}`, and Nest's `/api*path`. */
function isCatchAll(path: string): boolean {
  return /^\/?\{?\/?\*|^\/?\(\.\*\)|[^/{]\*/.test(path);
}

function isMountedApp({ name }: Layer): boolean {
  return name === 'mounted_app';
}

/** Express 4 has `_router` from its first route on, and throws when asked for `router`. */
function stackOf(app: object): readonly Layer[] | null {
  const { _router, stack } = app as { readonly _router?: { readonly stack?: unknown }; readonly stack?: unknown };
  const layers = _router?.stack ?? stack ?? routerOf(app);
  return Array.isArray(layers) ? (layers as readonly Layer[]) : null;
}

function routerOf(app: object): unknown {
  if (!Object.hasOwn(app, 'router')) return [];
  return (app as { readonly router?: { readonly stack?: unknown } }).router?.stack;
}

/** What Express 4 made of `/api/:version`: `^\/api\/(?:([^\/]+?))\/?(?=\/|$)`, in the ways of its several versions. */
function prefixOf(source: string): Mounts {
  const inner = /^\^(.{0,500}?)\\\/\?\(\?=\\\/\|\$\)$/.exec(source)?.[1];
  if (inner === undefined) return null;
  const plain = inner
    .replaceAll('[^\\/]', '[^/]')
    .replaceAll(String.raw`(?:\/([^/]+?))`, '/:x')
    .replaceAll(String.raw`(?:([^/]+?))`, ':x')
    .replaceAll(String.raw`([^/]+?)`, ':x')
    .replaceAll(/\\([/.-])/g, '$1');
  return isPattern(plain) ? null : [plain];
}
