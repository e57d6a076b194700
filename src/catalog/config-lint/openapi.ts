import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { ROUTE_CHARS_MAX, type ExpectedRoute, type OpenApiAnswer } from '../../domains/preflight/index.ts';

/** Of one document; the largest public interfaces have about a thousand. */
const ROUTES_MAX = 2000;
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'query']);

/**
 * The routes an OpenAPI 3 or Swagger 2 document promises, from JSON or YAML, which holds JSON as well. Only `paths` and the servers are
 * looked at: nothing is resolved but an alias on the way, so that a few lines cannot grow into gigabytes.
 */
export function readOpenApi(text: string): OpenApiAnswer {
  const lines = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { logLevel: 'silent', prettyErrors: false, uniqueKeys: false, lineCounter: lines });
  } catch (error) {
    if (error instanceof RangeError) return unreadable('is nested too deeply to be read');
    throw error;
  }
  const [error] = document.errors;
  if (error !== undefined) return unreadable(`cannot be read at line ${lines.linePos(error.pos[0]).line}`);
  const root = fieldsOf(document.contents, document);
  if (root === null || !(root.has('openapi') || root.has('swagger')))
    return unreadable('is no OpenAPI document: it says neither openapi nor swagger');
  const basesOf = (servers: Node | null | undefined): readonly string[] | null => serverPaths(servers, document);
  const ownBase = textOf(root.get('basePath'), document);
  const bases = root.has('swagger') ? [ownBase ?? ''] : (basesOf(root.get('servers')) ?? ['']);
  const routes: ExpectedRoute[] = [];
  for (const [path, item] of fieldsOf(root.get('paths'), document) ?? []) {
    const operations = fieldsOf(item, document);
    if (!path.startsWith('/') || path.length > ROUTE_CHARS_MAX || operations === null) continue;
    const own = basesOf(operations.get('servers')) ?? bases;
    for (const key of operations.keys()) {
      if (METHODS.has(key.toLowerCase())) routes.push({ method: key.toUpperCase(), path, bases: own });
      if (routes.length >= ROUTES_MAX) return { state: 'read', routes };
    }
  }
  return { state: 'read', routes };
}

function unreadable(problem: string): OpenApiAnswer {
  return { state: 'unreadable', problem };
}

type Value = Node | null | undefined;

/** One step: an alias of an alias is not followed. */
function target(node: Value, document: Document.Parsed): Value {
  return isAlias(node) ? node.resolve(document) : node;
}

/** Null when it is no map; the first of two equal keys counts. */
function fieldsOf(node: Value, document: Document.Parsed): ReadonlyMap<string, Value> | null {
  const map = target(node, document);
  if (!isMap(map)) return null;
  const fields = new Map<string, Value>();
  for (const { key, value } of map.items as { key: unknown; value: Value }[])
    if (isScalar(key) && !fields.has(String(key.value))) fields.set(String(key.value), value);
  return fields;
}

function textOf(node: Value, document: Document.Parsed): string | null {
  const scalar = target(node, document);
  return isScalar(scalar) && typeof scalar.value === 'string' ? scalar.value : null;
}

/** The paths of the servers, each once; a variable has its default. Null when there are none. */
function serverPaths(node: Value, document: Document.Parsed): readonly string[] | null {
  const list = target(node, document);
  if (!isSeq(list) || list.items.length === 0) return null;
  const paths = new Set<string>();
  for (const item of (list.items as Value[]).slice(0, 20)) {
    const server = fieldsOf(item, document);
    const url = server === null ? null : textOf(server.get('url'), document);
    if (server === null || url === null) continue;
    const variables = fieldsOf(server.get('variables'), document);
    const filled = url.slice(0, ROUTE_CHARS_MAX).replace(/\{([^{}]{1,60})\}/g, (_, name: string) => {
      const variable = fieldsOf(variables?.get(name), document);
      return (variable === null ? null : textOf(variable.get('default'), document)) ?? name;
    });
    if (!URL.canParse(filled, 'http://service/')) continue;
    const { pathname } = new URL(filled, 'http://service/');
    paths.add(pathname.replace(/\/$/, ''));
  }
  return paths.size === 0 ? null : [...paths];
}
