// Which routes a service should have, and which it has: written in the ways of several frameworks, compared in one.

/** A route that the config or a description of the interface promises. */
export interface ExpectedRoute {
  /** Capital letters: `GET`. */
  readonly method: string;
  /** `/orders/{id}`; may end in a query, which counts when it is asked and not when it is compared. */
  readonly path: string;
  /** What may stand in front of it; one of them is right. `['']` for nothing. */
  readonly bases: readonly string[];
}

export interface RegisteredRoute {
  /** `*` for all. */
  readonly method: string;
  readonly path: string;
  /** False when something stands in front of it that nobody could tell. */
  readonly isWhole: boolean;
}

/** What a service said of itself, over all its processes. */
export interface RegisteredRoutes {
  readonly routes: readonly RegisteredRoute[];
  /** Below these there may be more: mounted applications, handlers for a whole prefix. */
  readonly hidden: readonly string[];
  /** False when there may be more anywhere: nothing can then be said to be missing. */
  readonly isComplete: boolean;
}

/** More than this, and the rest is left out on both sides. */
export const ROUTES_MAX = 5000;
export const ROUTE_CHARS_MAX = 500;

type Segment = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'one' } | { readonly kind: 'rest' };

/** In one of these a segment is more than itself: `:id`, `{id}`, `(\d+)`, `a*`, `x?`. */
const PATTERN = /[:{}()*+?[\]\\^$|]/;
/** `*`, `*name`, `{*name}`, `:name*`, `:name+`, `:name?`, `(.*)`: any number of segments, or perhaps none. */
const REST = /^\*|^\{\*|[*+?]\}?$|^\(\.\*\)$/;

/**
 * A path as segments: parameters of Express, Fastify, Nest and OpenAPI alike. What is not understood stands for anything, so that a
 * route is rather thought to be there than to be missing.
 */
function segmentsOf(path: string): readonly Segment[] {
  const plain = path.slice(0, ROUTE_CHARS_MAX);
  // An optional part of Express 5 reaches over a slash: `/files{/:name}`.
  const optional = plain.indexOf('{/');
  const whole = optional < 0 ? plain : `${plain.slice(0, optional)}/*`;
  const segments: Segment[] = [];
  for (const text of whole.split('/')) {
    if (text === '') continue;
    if (REST.test(text)) return [...segments, { kind: 'rest' }];
    segments.push(PATTERN.test(text) ? { kind: 'one' } : { kind: 'literal', text: decoded(text).toLowerCase() });
  }
  return segments;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign
  }
}

function covers(pattern: readonly Segment[], wanted: readonly Segment[]): boolean {
  for (const [i, own] of pattern.entries()) {
    if (own.kind === 'rest') return true;
    const other = wanted[i];
    if (other === undefined || other.kind === 'rest') return false;
    if (own.kind === 'literal' && (other.kind !== 'literal' || other.text !== own.text)) return false;
  }
  return pattern.length === wanted.length;
}

/** Whether something in front of the pattern could make it this path. */
function endsLike(pattern: readonly Segment[], wanted: readonly Segment[]): boolean {
  return pattern.length === 0 || wanted.some((_, skipped) => covers(pattern, wanted.slice(skipped)));
}

/** GET answers HEAD as well, and OPTIONS is answered by whoever has the path. */
function answersMethod(own: string, wanted: string): boolean {
  return own === '*' || own === wanted || wanted === 'OPTIONS' || (wanted === 'HEAD' && own === 'GET');
}

/** The path as it is compared: without the query, below each of its bases. */
function waysOf({ path, bases }: ExpectedRoute): readonly (readonly Segment[])[] {
  const plain = withoutQuery(path);
  return bases.map((base) => segmentsOf(`${base}/${plain}`));
}

/** `/items?q=x` has a query, `/items/:id?` an optional part. */
function withoutQuery(path: string): string {
  const at = path.search(/\?[^?/]*=/);
  return at < 0 ? path : path.slice(0, at);
}

/** `hidden`: it may be there, where nobody can look. */
export type Registration = 'registered' | 'hidden' | 'missing';

export interface Comparison {
  /** Of each expected route, in order. */
  readonly expected: readonly Registration[];
  /** Registered, and promised by nobody; those that a framework adds by itself do not count. */
  readonly unexpected: number;
}

export function compareRoutes(expected: readonly ExpectedRoute[], registered: RegisteredRoutes): Comparison {
  const own = registered.routes.map((route) => ({ ...route, segments: segmentsOf(route.path), isExpected: false }));
  const hidden = registered.hidden.map((prefix): readonly Segment[] => [...segmentsOf(prefix), { kind: 'rest' }]);
  const judged = expected.map((route): Registration => {
    const ways = waysOf(route);
    let isSure = false;
    let isMaybe = !registered.isComplete || hidden.some((prefix) => ways.some((way) => covers(prefix, way)));
    for (const candidate of own) {
      if (!answersMethod(candidate.method, route.method)) continue;
      const { segments } = candidate;
      const isCovered = candidate.isWhole ? ways.some((way) => covers(segments, way)) : ways.some((way) => endsLike(segments, way));
      if (!isCovered) continue;
      candidate.isExpected = true;
      if (candidate.isWhole) isSure = true;
      else isMaybe = true;
    }
    return isSure ? 'registered' : isMaybe ? 'hidden' : 'missing';
  });
  const counted = own.filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS' && method !== '*');
  return { expected: judged, unexpected: counted.filter(({ isExpected }) => !isExpected).length };
}

/** Paths to ask for with GET, one for each base; empty where that would not be right: another method, a parameter. */
export function askedPaths(route: ExpectedRoute): readonly string[] {
  if (route.method !== 'GET' || waysOf(route).some((way) => way.some(({ kind }) => kind !== 'literal'))) return [];
  return route.bases.map((base) => `${trimmed(base)}${trimmed(route.path) || '/'}`);
}

/** `/v1` for `v1/`; empty for `/`. A query stays as it is. */
function trimmed(path: string): string {
  const [own = '', ...query] = path.split('?');
  const inner = own.split('/').filter(Boolean).join('/');
  const slash = inner === '' ? '' : `/${inner}`;
  return query.length === 0 ? slash : `${slash || '/'}?${query.join('?')}`;
}

/**
 * What an answer to a GET without credentials says. Who asks for a login, another address or more parameters is there; a 404 of a
 * route that is known to be registered comes from its own code.
 */
export function isAnswer(status: number, registration: Registration | 'untold'): boolean {
  if (status >= 500) return false;
  return registration === 'registered' || (status !== 404 && status !== 405);
}

/** `GET /orders` and `/orders` alike. */
export function expectedRoute(written: string): ExpectedRoute {
  const [first = '', second] = written.trim().split(/\s+/, 2);
  return second === undefined ? { method: 'GET', path: first, bases: [''] } : { method: first.toUpperCase(), path: second, bases: [''] };
}

/** As people write it. */
export function routeText({ method, path, bases }: ExpectedRoute): string {
  const [base = ''] = bases;
  return `${method} ${base}${path}`.slice(0, 120);
}

export interface Share {
  readonly count: number;
  readonly of: number;
  /** Whole; 100 only when it is all. Null of nothing. */
  readonly percent: number | null;
}

export function shareOf(count: number, of: number): Share {
  return { count, of, percent: of === 0 ? null : Math.floor((100 * count) / of) };
}

/** `routes 12 of 14 (85 %)`. */
export function shareText(what: string, { count, of, percent }: Share): string {
  return percent === null ? `no ${what}` : `${what} ${count} of ${of} (${percent} %)`;
}
