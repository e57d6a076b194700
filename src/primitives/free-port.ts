import type { PortHolder, PrimitiveContext } from '../domains/playbooks/index.ts';
import { PrimitiveFailed } from './errors.ts';
import { waitUntil } from './wait-until.ts';
import { definePrimitive } from './define-primitive.ts';
import { whole } from './parameter.ts';

type Stale = { readonly pid: number; readonly startTicks: number };

/** Added to the grace time of the component: the kernel frees a port at once when its last holder is gone. */
const FREE_WITHIN_MS = 5000;

export const freePort = definePrimitive({
  name: 'free_port',
  description: 'Ends a stale copy of the component that still holds its port; never anybody else.',
  risk: 'medium',
  changes: 'processes',

  parameters: {
    port: whole('The port.', 1, 65_535),
  },
  confinement: 'a stale copy of this component, known by pid and start time',

  async plan({ port }, context) {
    const holder = await context.host.portHolder(port, context.component.name);
    if (holder === null) return { state: 'nothing_to_do', summary: `nobody holds port ${port}` };
    if (holder.relation !== 'own_stale')
      return { state: 'refused', reason: `port ${port} is held by ${RELATION[holder.relation]}: ${describeHolder(holder)}` };
    const undo: Stale = { pid: holder.pid, startTicks: holder.startTicks };
    return {
      state: 'ready',
      summary: `end the stale copy on port ${port}: ${describeHolder(holder)}`,
      targets: [`pid ${holder.pid}`],
      undo,
    };
  },

  async apply({ port }, context, record) {
    const planned = record as unknown as Stale;
    const holder = await context.host.portHolder(port, context.component.name);
    if (holder === null) return { summary: `port ${port} has become free by itself`, changed: [] };
    if (holder.pid !== planned.pid || holder.startTicks !== planned.startTicks || holder.relation !== 'own_stale')
      throw new PrimitiveFailed('free_port', `port ${port} has another holder now: ${describeHolder(holder)}`, { retryable: true });
    await context.processes.endStale(context.component.name, planned.pid, planned.startTicks);
    const isFree = await waitUntil(
      context,
      context.component.stop.graceMs + FREE_WITHIN_MS,
      async () => (await holderOf(port, context)) === null,
    );
    if (!isFree) throw new PrimitiveFailed('free_port', `port ${port} is still held after process ${planned.pid} was ended`);
    return { summary: `ended process ${planned.pid}; port ${port} is free`, changed: [`pid ${planned.pid}`] };
  },

  undo: null,
  irreversible: 'a process that was ended cannot be brought back',
});

const RELATION: Readonly<Record<Exclude<PortHolder['relation'], 'own_stale'>, string>> = {
  managed: 'a process that Grace runs now',
  own_other: 'a copy of this component that somebody else looks after',
  foreign: 'a process of somebody else',
};

function holderOf(port: number, context: PrimitiveContext): Promise<PortHolder | null> {
  return context.host.portHolder(port, context.component.name);
}

/** `812 node server.js (user app, in /srv/app, parent 1)`: what a person needs to decide. */
export function describeHolder(holder: PortHolder): string {
  return `pid ${holder.pid}, ${holder.argv.join(' ').slice(0, 300) || holder.command} (user ${holder.user}, in ${holder.cwd ?? 'an unknown directory'}, parent ${holder.parentPid})`;
}
