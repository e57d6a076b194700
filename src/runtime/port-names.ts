import type { ProbeTarget } from '../domains/health/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import type { GraceConfig } from './config/index.ts';

/** What may name a port: the configuration, and the environment that each component has. */
export interface PortNamers extends Pick<GraceConfig, 'components' | 'smoke' | 'preflight' | 'api'> {
  /** By component: as it would be started, and what stands in env files that its command reads by itself. */
  readonly environments: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/**
 * Who counts on a port, in words: `smoke check "home"`, `component web (API_URL)`, `readiness probe of api`. Only the variable by
 * which `component` itself learns its port is left out. Too many rather than too few: a number that is no port counts as well.
 */
export function portNames(port: number, component: string, variable: string, namers: PortNamers): readonly string[] {
  const { components, smoke, preflight, api, environments } = namers;
  return [
    ...components.flatMap((spec) => namesIn(spec, port)),
    ...components.flatMap((spec) =>
      Object.entries(environments.get(spec.name) ?? spec.env)
        .filter(([name, value]) => !(spec.name === component && name === variable) && names(value, port))
        .map(([name]) => `component ${spec.name} (${name})`),
    ),
    ...smoke.filter(({ target }) => asks(target, port)).map(({ name }) => `smoke check "${name}"`),
    ...preflight.checks
      .filter(({ target }) => target.kind === 'command' && target.argv.some((word) => names(word, port)))
      .map(({ name }) => `preflight check "${name}"`),
    ...(api.port === port ? ['the API of Grace'] : []),
  ];
}

function namesIn(spec: ComponentSpec, port: number): readonly string[] {
  const { name, startup, readiness, liveness, command, migrate, database } = spec;
  const found: readonly (readonly [what: string, isNamed: boolean])[] = [
    ['port', spec.port === port],
    ['startup probe', startup !== null && asks(startup.target, port)],
    ['readiness probe', readiness !== null && asks(readiness.target, port)],
    ['liveness probe', liveness !== null && asks(liveness.target, port)],
    ['command', command.some((word) => names(word, port))],
    ['migrations', migrate.some((word) => names(word, port))],
    ['database', database !== null && names(database, port)],
  ];
  return found.filter(([, isNamed]) => isNamed).map(([what]) => `${what} of ${name}`);
}

function asks(target: ProbeTarget, port: number): boolean {
  switch (target.kind) {
    case 'http':
      return names(target.url, port);
    case 'tcp':
      return target.port === port;
    case 'command':
      return target.argv.some((word) => names(word, port));
    case 'file_age':
    case 'process':
      return false;
  }
}

/** A number that stands alone, also behind a letter of an option: `3000`, `:3000/x`, `--port=3000`, `-p3000`. */
const NUMBER = /(?<=^|[^\dA-Za-z.]|(?:^|\s)-[A-Za-z])\d{1,5}(?![\dA-Za-z]|\.\d)/g;
/** Host and port of each URL. */
const URLS = /\b(https?):\/\/([^\s/?#"',]+)/gi;

function names(text: string, port: number): boolean {
  if ([...text.matchAll(NUMBER)].some(([number]) => Number(number) === port)) return true;
  // Without a number, a URL means the port of its protocol.
  return [...text.matchAll(URLS)].some(
    ([, protocol, authority]) => !/:\d+$/.test(authority ?? '') && port === (protocol?.toLowerCase() === 'https' ? 443 : 80),
  );
}
