import { isSecretName } from '../domains/incidents/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { NAME } from './add-env-keys.ts';
import { observeEnvVariables, setEnvVariable, undoEnvVariable, type EnvOverride } from './env-override.ts';
import { definePrimitive } from './define-primitive.ts';
import { PrimitiveFailed } from './errors.ts';
import { describeHolder } from './free-port.ts';
import { optional, text, whole } from './parameter.ts';

/** Below are those that only root may listen on. */
const PORT_MIN = 1024;
const PORT_MAX = 65_535;
/** How many are looked at where nobody says how far to go. */
const RANGE = 100;
/** Each costs a look at the machine. */
const RANGE_MAX = 1000;
/** `PORT`, `HTTP_PORT`, `PORT_ADMIN`, `httpPort`. */
const IS_PORT = /(?:^|[_.-])(?:PORT|Port|port)(?:[_.-]|$)|[a-z]Port$/;
/** Where a service finds somebody else, and not where it listens. */
const OF_SOMEBODY_ELSE =
  /(?:^|_)(?:DB|DATABASE|PG|POSTGRES|POSTGRESQL|MYSQL|MARIADB|MONGO|MONGODB|REDIS|VALKEY|MEMCACHED|RABBITMQ|AMQP|KAFKA|NATS|ELASTICSEARCH|OPENSEARCH|SMTP|MAIL|EMAIL|LDAP|PROXY|UPSTREAM)_?PORT/i;
/** Of those who name the port, so many are told. */
const NAMED_MAX = 5;

export const useAnotherPort = definePrimitive({
  name: 'use_another_port',
  description:
    'Gives the component a free port from its next start, by the variable that tells it its port, where nobody else counts on the old one.',
  risk: 'medium',

  parameters: {
    variable: text('Name of the variable that tells the component its port: `METRICS_PORT`.', 128),
    port: whole('The port that it has now, and that somebody else holds.', 1, PORT_MAX),
    from: optional(whole('The first port to look at; the one after `port` unless set.', PORT_MIN, PORT_MAX)),
    to: optional(whole(`The last port to look at; ${RANGE} are looked at unless set.`, PORT_MIN, PORT_MAX)),
  },
  confinement: 'the environment of this component; a port that neither the configuration nor another component names',

  check({ variable, port, from, to }, wrong) {
    if (!NAME.test(variable)) wrong(`"${variable}" is no name of a variable`);
    if (isSecretName(variable)) wrong(`${variable} is named like a secret, and overrides are not kept as secrets`);
    if (!IS_PORT.test(variable)) wrong(`${variable} is not named like a port`);
    if (OF_SOMEBODY_ELSE.test(variable)) wrong(`${variable} is named like the port of something that the component connects to`);
    const range = rangeOf(port, from, to);
    if (range.first > range.last) wrong(`there is no port from ${range.first} to ${range.last}`);
    if (range.last - range.first >= RANGE_MAX) wrong(`"from" to "to" are more than ${RANGE_MAX} ports`);
  },

  async plan({ variable, port, from, to }, context) {
    const { component, host, overrides } = context;
    const now = (await context.env())[variable];
    if (now === undefined) return { state: 'refused', reason: `${component.name} is started without ${variable}` };
    if (now.trim() !== String(port)) return { state: 'refused', reason: `${variable} of ${component.name} is not ${port}` };
    const holder = await host.portHolder(port, component.name);
    if (holder === null) return { state: 'nothing_to_do', summary: `nobody holds port ${port}` };
    if (holder.relation === 'managed')
      return { state: 'refused', reason: `port ${port} is held by a process that Grace runs now: ${describeHolder(holder)}` };
    if (holder.relation === 'own_stale')
      return { state: 'refused', reason: `port ${port} is held by a stale copy of ${component.name}, which free_port ends` };
    const named = await context.portNamedBy(port, variable);
    if (named.length > 0)
      return {
        state: 'refused',
        reason: `port ${port} is named elsewhere too (${listed(named)}): choose another by hand, there and in ${variable}`,
      };
    const { first, last } = rangeOf(port, from, to);
    const free = await freePortIn(context, first, last, variable, port);
    if (free === null) return { state: 'refused', reason: `no port from ${first} to ${last} is free` };
    const undo: EnvOverride = { name: variable, from: (await overrides.get(component.name)).env[variable] ?? null, to: String(free) };
    return {
      state: 'ready',
      summary: `${variable}=${free} from the next start; port ${port} is held by ${describeHolder(holder)}`,
      targets: [variable],
      undo,
    };
  },

  async apply(_params, context, record) {
    const moved = record as unknown as EnvOverride;
    if ((await context.host.portHolder(Number(moved.to), context.component.name)) !== null)
      throw new PrimitiveFailed('use_another_port', `port ${moved.to} was taken while this was being prepared`, { retryable: true });
    await setEnvVariable('use_another_port', moved, context);
    return { summary: `${moved.name}=${moved.to} from the next start`, changed: [moved.name] };
  },

  observe: observeEnvVariables,

  undo: undoEnvVariable,
});

function rangeOf(port: number, from: number | null, to: number | null): { readonly first: number; readonly last: number } {
  const first = from ?? Math.max(port + 1, PORT_MIN);
  return { first, last: to ?? Math.min(first + RANGE - 1, PORT_MAX) };
}

/** The first that nobody holds and nobody is configured with; null when there is none. */
async function freePortIn(
  { component, host, portNamedBy, signal }: PrimitiveContext,
  first: number,
  last: number,
  variable: string,
  old: number,
): Promise<number | null> {
  for (let port = first; port <= last; port++) {
    signal.throwIfAborted();
    if (port === old || (await host.portHolder(port, component.name)) !== null) continue;
    if ((await portNamedBy(port, variable)).length === 0) return port;
  }
  return null;
}

function listed(named: readonly string[]): string {
  const more = named.length - NAMED_MAX;
  return named.slice(0, NAMED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
