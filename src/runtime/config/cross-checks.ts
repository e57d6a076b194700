import { SHIPPED_CHECKS } from '../../catalog/checks/names.ts';
import { homedir } from 'node:os';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { parseDurationMs } from '../../kernel/index.ts';
import type { ComponentDetection } from './detect.ts';
import { readSetting } from './environment.ts';
import { didYouMean, type Mistakes } from './mistakes.ts';

export interface CrossCheckContext {
  /** What relative paths are relative to. */
  readonly projectDir: string;
  /** What was worked out about the components of the file, by name. */
  readonly detections: ReadonlyMap<string, ComponentDetection>;
}

type Path = readonly PropertyKey[];
type Fields = Readonly<Record<string, unknown>>;
type Parts = ReadonlyMap<string, Fields>;

/**
 * What only shows when several settings are seen together. Works on data whose shape may be wrong: a value of the
 * wrong kind is the schema's to report and is passed over here.
 */
export function crossCheck(data: unknown, context: CrossCheckContext, mistakes: Mistakes): void {
  const root = fieldsOf(data);
  const components = partsOf(root['components']);
  const dependencies = partsOf(root['dependencies']);
  for (const name of dependencies.keys())
    if (components.has(name))
      mistakes.at(['dependencies', name], 'is also the name of a component', 'give one of them another name', 'key');
  checkDependsOn(components, dependencies, mistakes);
  checkPorts(components, dependencies, context, mistakes);
  for (const [name, component] of components) checkComponent(name, component, context, mistakes);
  for (const [name, dependency] of dependencies)
    if (dependency['port'] === undefined && dependency['status'] === undefined)
      mistakes.at(['dependencies', name], 'cannot be probed', 'give its port, or a status command');
  checkSmoke(root['smoke'], components, dependencies, context, mistakes);
  checkPreflight(root['preflight'], components, context, mistakes);
  checkPath(['dataDir'], root['dataDir'], [context.projectDir], mistakes);
  checkPath(['playbooksDir'], root['playbooksDir'], [context.projectDir], mistakes);
  checkUrl('databaseUrl', 'GRACE_DATABASE_URL', root, mistakes);
  checkUrl('meshUrl', 'GRACE_MESH_URL', root, mistakes);
}

function checkDependsOn(components: Parts, dependencies: Parts, mistakes: Mistakes): void {
  const known = new Set([...components.keys(), ...dependencies.keys()]);
  const edges = new Map<string, readonly string[]>();
  for (const [name, component] of components) {
    const needs = textsOf(component['dependsOn']);
    edges.set(
      name,
      needs.filter((need) => components.has(need)),
    );
    const named = new Set<string>();
    for (const [index, need] of textEntries(component['dependsOn'])) {
      const path = ['components', name, 'dependsOn', index];
      if (!known.has(need)) {
        const suggestion = mistakes.isFull
          ? null
          : (didYouMean(
              need,
              [...known].filter((other) => other !== name),
            ) ?? knownNames(known, name));
        mistakes.at(path, `names ${JSON.stringify(need.slice(0, 64))}, which is neither a component nor a dependency`, suggestion);
      } else if (named.has(need)) mistakes.at(path, `names ${JSON.stringify(need)} a second time`, 'remove it');
      named.add(need);
    }
  }
  for (const cycle of cyclesOf(edges)) {
    const [name = '', next = ''] = cycle;
    const index = textEntries(components.get(name)?.['dependsOn']).find(([, need]) => need === next)?.[0] ?? 0;
    const problem =
      cycle.length === 2
        ? 'makes it depend on itself'
        : `closes a circle: ${cycle.slice(0, 12).join(' -> ')}${cycle.length > 12 ? ' -> …' : ''}`;
    mistakes.at(
      ['components', name, 'dependsOn', index],
      problem,
      cycle.length === 2 ? 'remove it' : 'remove one of these dependsOn entries',
    );
  }
}

function knownNames(known: ReadonlySet<string>, except: string): string | null {
  const names = [...known].filter((name) => name !== except);
  return names.length === 0 || names.length > 12 ? null : `known are ${names.join(', ')}`;
}

/** One circle for each edge that leads back, found without recursion, since a config may be long. */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const stack: { readonly name: string; next: number }[] = [{ name: start, next: 0 }];
    const above = new Set([start]);
    while (stack.length > 0 && !done.has(start)) {
      const top = stack.at(-1) as { readonly name: string; next: number };
      const need = edges.get(top.name)?.[top.next++];
      if (need === undefined) {
        done.add(top.name);
        above.delete(top.name);
        stack.pop();
      } else if (above.has(need)) {
        const names = stack.map((entry) => entry.name);
        const circle = names.slice(names.indexOf(need));
        // told from its last member, the one whose entry closes it
        cycles.push([circle.at(-1) as string, ...circle]);
      } else if (!done.has(need)) {
        above.add(need);
        stack.push({ name: need, next: 0 });
      }
    }
  }
  return cycles;
}

const EVERY_ADDRESS = new Set(['0.0.0.0', '::', '*']);

function checkPorts(components: Parts, dependencies: Parts, context: CrossCheckContext, mistakes: Mistakes): void {
  const holders = new Map<number, { readonly name: string; readonly host: string }[]>();
  const claim = (kind: string, name: string, part: Fields, port: unknown, isDetected: boolean): void => {
    if (typeof port !== 'number') return;
    const host = typeof part['host'] === 'string' ? part['host'].toLowerCase() : '127.0.0.1';
    const others = holders.get(port) ?? [];
    const other = others.find((holder) => sameAddress(holder.host, host));
    if (other)
      mistakes.at(
        [kind, name, 'port'],
        `is ${port}, which ${other.name} has already${isDetected ? ` (${context.detections.get(name)?.port?.reason})` : ''}`,
        'give each its own port',
      );
    holders.set(port, [...others, { name, host }]);
  };
  for (const [name, component] of components) {
    const detected = component['port'] === undefined ? context.detections.get(name)?.port?.value : undefined;
    claim('components', name, component, component['port'] ?? detected, detected !== undefined);
  }
  // two names for one external server are fine; a component on its port is not
  for (const [name, dependency] of dependencies) {
    const port = dependency['port'];
    const own = typeof port === 'number' ? (holders.get(port) ?? []).filter((holder) => components.has(holder.name)) : [];
    if (own.length > 0) claim('dependencies', name, dependency, port, false);
  }
}

function sameAddress(a: string, b: string): boolean {
  const local = (host: string): string => (host === 'localhost' || host === '::1' ? '127.0.0.1' : host);
  return local(a) === local(b) || EVERY_ADDRESS.has(a) || EVERY_ADDRESS.has(b);
}

function checkComponent(name: string, component: Fields, context: CrossCheckContext, mistakes: Mistakes): void {
  const at = ['components', name];
  const cwd = typeof component['cwd'] === 'string' ? resolve(context.projectDir, component['cwd']) : context.projectDir;
  const homes = [context.projectDir, cwd];
  const hasPort = component['port'] !== undefined || context.detections.get(name)?.port !== undefined;
  for (const kind of ['startup', 'readiness', 'liveness']) checkProbe([...at, kind], component[kind], hasPort, homes, mistakes);
  checkRoot([...at, 'cwd'], component['cwd'], cwd, mistakes);
  for (const key of ['data', 'keep', 'envFile', 'log']) {
    const value = component[key];
    if (Array.isArray(value)) for (const [index, path] of value.entries()) checkPath([...at, key, index], path, homes, mistakes);
    else checkPath([...at, key], value, homes, mistakes);
  }
  for (const [index, glob] of textEntries(component['expendable']))
    if (isAbsolute(glob) || glob.split('/').includes('..'))
      mistakes.at(
        [...at, 'expendable', index],
        `leads out of the component's own folders: ${JSON.stringify(glob.slice(0, 80))}`,
        'write a glob relative to cwd or data, such as "tmp/**"',
      );
  const restart = fieldsOf(component['restart']);
  const [least, most] = [durationOf(restart['backoff'] ?? 0), durationOf(restart['backoffMax'])];
  if (least !== null && most !== null && most < least)
    mistakes.at([...at, 'restart', 'backoffMax'], 'is shorter than backoff', 'raise it, or lower backoff');
}

const PROBE_KINDS = ['http', 'tcp', 'command', 'file', 'process'];
/** Options that only one kind of probe has. */
const PROBE_OPTIONS: Readonly<Record<string, string>> = { status: 'http', caFile: 'http', maxAge: 'file' };

function checkProbe(at: Path, value: unknown, hasPort: boolean, homes: readonly string[], mistakes: Mistakes): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const probe = fieldsOf(value);
  const kinds = PROBE_KINDS.filter((kind) => probe[kind] !== undefined);
  // a misspelt key is reported as such, and with it this would be said twice
  const isAllKnown = Object.keys(probe).every(
    (key) => PROBE_KINDS.includes(key) || key in PROBE_OPTIONS || ['every', 'timeout', 'failures'].includes(key),
  );
  if (kinds.length === 0 && isAllKnown)
    mistakes.at(at, 'asks nothing', `give one of ${PROBE_KINDS.join(', ')}, or write false for no probe`);
  if (kinds.length > 1)
    mistakes.at(at, `asks ${kinds.length} things at once: ${kinds.join(' and ')}`, 'keep one; startup, readiness and liveness may differ');
  for (const [option, kind] of Object.entries(PROBE_OPTIONS))
    if (probe[option] !== undefined && kinds.length > 0 && !kinds.includes(kind))
      mistakes.at([...at, option], `only means something beside ${kind}`, 'remove it', 'key');
  if (probe['file'] !== undefined && probe['maxAge'] === undefined)
    mistakes.at([...at, 'maxAge'], 'is missing', 'say how old the file may become, such as "10s"');
  checkPath([...at, 'file'], probe['file'], homes, mistakes);
  checkTarget(at, probe, hasPort, 'the component', mistakes);
}

/** `http` and `tcp` of probes and smoke checks. */
function checkTarget(at: Path, { http, tcp }: Fields, hasPort: boolean, who: string, mistakes: Mistakes): void {
  if (typeof http === 'string' && http.startsWith('/') && !hasPort)
    mistakes.at([...at, 'http'], `is a path, but no port of ${who} is known`, 'give the port, or write a full URL');
  if (typeof http === 'string' && /^https?:/.test(http) && !URL.canParse(http))
    mistakes.at([...at, 'http'], 'is no URL', 'write it like http://127.0.0.1:3000/ready');
  if (tcp === true && !hasPort)
    mistakes.at([...at, 'tcp'], `is true, but no port of ${who} is known`, 'give the port, or write "host:port"');
  const port = typeof tcp === 'string' ? Number(/:(\d+)$/.exec(tcp)?.[1] ?? 1) : 1;
  if (port < 1 || port > 65_535) mistakes.at([...at, 'tcp'], `names port ${port}; ports go from 1 to 65535`);
}

function checkSmoke(value: unknown, components: Parts, dependencies: Parts, context: CrossCheckContext, mistakes: Mistakes): void {
  if (!Array.isArray(value)) return;
  const withPort = [...components].filter(
    ([name, component]) => component['port'] !== undefined || context.detections.get(name)?.port !== undefined,
  );
  const names = new Set<string>();
  for (const [index, item] of value.entries()) {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) continue;
    const at = ['smoke', index];
    const smoke = fieldsOf(item);
    const kinds = ['command', 'http', 'tcp'].filter((kind) => smoke[kind] !== undefined);
    if (kinds.length !== 1)
      mistakes.at(at, kinds.length === 0 ? 'checks nothing' : `checks ${kinds.join(' and ')} at once`, 'give one of command, http, tcp');
    const name = smoke['name'];
    if (typeof name === 'string') {
      if (names.has(name))
        mistakes.at([...at, 'name'], `is ${JSON.stringify(name.slice(0, 64))}, as that of another check`, 'give each its own name');
      names.add(name);
    }
    const component = smoke['component'];
    if (typeof component === 'string' && !components.has(component))
      mistakes.at(
        [...at, 'component'],
        dependencies.has(component)
          ? `names the dependency ${component}`
          : `names ${JSON.stringify(component.slice(0, 64))}, which is no component`,
        mistakes.isFull ? null : didYouMean(component, components.keys()),
      );
    // without components in the file they are detected, and so is their port
    const hasPort =
      typeof component === 'string' ? withPort.some(([other]) => other === component) : withPort.length === 1 || components.size === 0;
    if (typeof component !== 'string' || components.has(component))
      checkTarget(at, smoke, hasPort, typeof component === 'string' ? component : 'one component', mistakes);
  }
}

function checkPreflight(value: unknown, components: Parts, context: CrossCheckContext, mistakes: Mistakes): void {
  const { checks, skip } = fieldsOf(value);
  const names = new Set<string>(SHIPPED_CHECKS);
  if (Array.isArray(checks)) checkOwnChecks(checks, names, components, context, mistakes);
  for (const [index, name] of textEntries(skip))
    if (!names.has(name))
      mistakes.at(
        ['preflight', 'skip', index],
        `names ${JSON.stringify(name.slice(0, 64))}, which is no check`,
        mistakes.isFull ? null : (didYouMean(name, names) ?? `the checks are ${[...names].join(', ')}`),
      );
}

/** @param names   of the checks there are; those of the config are added */
function checkOwnChecks(
  checks: readonly unknown[],
  names: Set<string>,
  components: Parts,
  context: CrossCheckContext,
  mistakes: Mistakes,
): void {
  for (const [index, item] of checks.entries()) {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) continue;
    const at = ['preflight', 'checks', index];
    const check = fieldsOf(item);
    const kinds = ['command', 'module'].filter((kind) => check[kind] !== undefined);
    if (kinds.length !== 1)
      mistakes.at(at, kinds.length === 0 ? 'checks nothing' : 'has a command and a module', 'give one of command, module');
    const { name, component, module } = check;
    if (typeof name === 'string') {
      if (names.has(name))
        mistakes.at([...at, 'name'], `is ${JSON.stringify(name.slice(0, 64))}, as that of another check`, 'give it another name');
      names.add(name);
    }
    // without components in the file they are detected
    if (typeof component === 'string' && components.size > 0 && !components.has(component))
      mistakes.at(
        [...at, 'component'],
        `names ${JSON.stringify(component.slice(0, 64))}, which is no component`,
        mistakes.isFull ? null : didYouMean(component, components.keys()),
      );
    if (typeof module === 'string') checkPath([...at, 'module'], module.split('#')[0], [context.projectDir], mistakes);
  }
}

/** A relative path that climbs out of the project is a slip more often than a wish; an absolute one is a wish. */
function checkPath(at: Path, value: unknown, homes: readonly string[], mistakes: Mistakes): void {
  if (typeof value !== 'string' || value === '') return;
  const [projectDir = '/'] = homes;
  const path = resolve(projectDir, value);
  if (!isAbsolute(value) && !homes.some((home) => isWithin(home, path))) {
    mistakes.at(at, `leads out of the project: ${JSON.stringify(value.slice(0, 80))}`, 'write it as an absolute path if that is meant');
    return;
  }
  checkRoot(at, value, path, mistakes);
}

/** Playbooks may write below these paths: the whole disk, or everything somebody owns, is never meant. */
function checkRoot(at: Path, value: unknown, path: string, mistakes: Mistakes): void {
  if (typeof value !== 'string') return;
  if (dirname(path) === path) mistakes.at(at, 'is the whole file system', 'name the folder that belongs to the service');
  else if (path === homedir() && at.at(-1) !== 'cwd')
    mistakes.at(at, 'is a whole home directory', 'name the folder that belongs to the service');
}

function isWithin(home: string, path: string): boolean {
  const inside = relative(home, path);
  return inside === '' || (!inside.startsWith('../') && inside !== '..' && !isAbsolute(inside));
}

function checkUrl(key: string, name: 'GRACE_DATABASE_URL' | 'GRACE_MESH_URL', root: Fields, mistakes: Mistakes): void {
  const value = root[key];
  if (typeof value !== 'string' || value === '') return;
  const read = readSetting(name, value);
  if ('problem' in read) mistakes.at([key], read.problem, read.suggestion ?? null);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function partsOf(value: unknown): Parts {
  return new Map(Object.entries(fieldsOf(value)).map(([name, part]) => [name, fieldsOf(part)]));
}

function textsOf(value: unknown): readonly string[] {
  return textEntries(value).map(([, text]) => text);
}

/** With their places in the list, in which other kinds of values may stand. */
function textEntries(value: unknown): readonly (readonly [number, string])[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return [...items.entries()].filter((entry): entry is [number, string] => typeof entry[1] === 'string');
}

function durationOf(value: unknown): number | null {
  return typeof value === 'string' || typeof value === 'number' ? parseDurationMs(value) : null;
}
