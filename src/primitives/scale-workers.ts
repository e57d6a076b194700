import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { observeEnvVariables, setEnvVariable, undoEnvVariable, type EnvOverride } from './env-override.ts';
import { definePrimitive } from './define-primitive.ts';
import { NAME } from './add-env-keys.ts';
import { parseEnvLines } from './env-lines.ts';
import { text, whole } from './parameter.ts';

/** Beyond this a machine is short of more than workers. */
const COUNT_MAX = 1024;
/** What counts workers, threads or connections, and nothing else: a port or a time limit is a number too. */
const COUNTS =
  /(?:^|_)(?:CONCURRENCY|WORKERS?|THREADS?|PROCESSES|REPLICAS|INSTANCES|POOL_SIZE|POOL_MAX|POOL|MAX_CONNECTIONS|MAX_OVERFLOW|CONNECTION_LIMIT)$/i;
const ENV_FILE_BYTES_MAX = 1024 * 1024;

export const scaleWorkers = definePrimitive({
  name: 'scale_workers',
  description: 'Sets how many workers, threads or pooled connections the component has, by the variable that it already reads.',
  risk: 'medium',

  parameters: {
    name: text('Name of the variable: `WEB_CONCURRENCY`, `DB_POOL_SIZE`. It has to be set for the component already.', 128),
    to: whole('The new number; brought within the bounds.', 1, COUNT_MAX),
    min: whole('The fewest there may ever be.', 1, COUNT_MAX),
    max: whole('The most there may ever be, also after several steps.', 1, COUNT_MAX),
  },
  confinement: 'the environment of this component; a variable that it already has and that counts workers or connections',

  check({ name, min, max }, wrong) {
    if (!NAME.test(name)) wrong(`"${name}" is no name of a variable`);
    if (!COUNTS.test(name)) wrong(`${name} is not named like a number of workers or connections`);
    if (min > max) wrong('"min" is more than "max"');
  },

  async plan({ name, to: wanted, min, max }, context) {
    const { component, overrides } = context;
    const now = await valueOf(context, name);
    if (now === null)
      return { state: 'refused', reason: `${component.name} has no ${name}: whether it would listen to one cannot be told from outside` };
    if (!/^\d{1,4}$/.test(now)) return { state: 'refused', reason: `${name} is not a number now` };
    const to = String(Math.min(Math.max(wanted, min), max));
    if (Number(now) === Number(to)) return { state: 'nothing_to_do', summary: `${name} is ${now} already` };
    const isUp = Number(to) > Number(now);
    // Asked to go up, it never goes down because of a bound that somebody has gone beyond by hand, and the other way round.
    if (isUp !== wanted > Number(now)) return { state: 'refused', reason: `${name} is ${now}, and ${min} to ${max} is allowed` };
    const from = (await overrides.get(component.name)).env[name] ?? null;
    const undo: EnvOverride = { name, from, to };
    return { state: 'ready', summary: `${name}=${to} from the next start, ${now} before`, targets: [name], undo };
  },

  async apply(_params, context, record) {
    const scaled = record as unknown as EnvOverride;
    await setEnvVariable('scale_workers', scaled, context);
    return { summary: `${scaled.name}=${scaled.to} from the next start`, changed: [scaled.name] };
  },

  observe: observeEnvVariables,

  undo: undoEnvVariable,
});

/** What the component would be started with, or what stands in an env file that its command reads by itself. */
async function valueOf(context: PrimitiveContext, name: string): Promise<string | null> {
  const { component, files } = context;
  const override = (await context.overrides.get(component.name)).env[name];
  const own = override ?? (await context.env())[name] ?? component.env[name];
  if (own !== undefined) return own.trim();
  for (const file of component.envFiles.toReversed()) {
    const found = parseEnvLines((await files.readText(file, ENV_FILE_BYTES_MAX)) ?? '').lines.findLast((line) => line.name === name);
    if (found !== undefined) return found.value.trim();
  }
  return null;
}
