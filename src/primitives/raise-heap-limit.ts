import { raiseTo, undoLimit, type RaisedLimit } from './raise-limit.ts';
import { definePrimitive } from './define-primitive.ts';
import { whole } from './parameter.ts';

/** Less is no heap to run a service in. */
const HEAP_MB_MIN = 16;
const HEAP_MB_MAX = 1024 * 1024;

export const raiseHeapLimit = definePrimitive({
  name: 'raise_heap_limit',
  description: 'Raises the heap limit of the component, at most to half of the memory of the machine.',
  risk: 'low',

  parameters: {
    toMb: whole('The new limit, in MiB.', HEAP_MB_MIN, HEAP_MB_MAX),
  },
  confinement: 'this component, at most half of the memory',

  async plan({ toMb }, context) {
    const { component, overrides, host } = context;
    const from = (await overrides.get(component.name)).heapMb;
    const now = from ?? component.limits.heapMb;
    const half = Math.floor((await host.memoryTotalBytes()) / 2 / 1024 / 1024);
    const to = Math.min(toMb, half);
    if (now !== null && now >= toMb) return { state: 'nothing_to_do', summary: `the heap limit is ${now} MiB already` };
    if (to < HEAP_MB_MIN || (now !== null && now >= to))
      return { state: 'refused', reason: `the heap limit is ${now ?? 'unset'}, and half of the memory here is ${half} MiB` };
    const undo: RaisedLimit = { from, to };
    return { state: 'ready', summary: `heap limit ${now === null ? 'unset' : `${now} MiB`} becomes ${to} MiB`, targets: ['heapMb'], undo };
  },

  async apply(_params, context, record) {
    const { to } = record as unknown as RaisedLimit;
    await raiseTo('raise_heap_limit', context, 'heapMb', record);
    return { summary: `the heap limit is ${to} MiB from the next start`, changed: ['heapMb'] };
  },

  async observe(_names, { component, overrides }) {
    return (await overrides.get(component.name)).heapMb;
  },

  async undo(record, context) {
    return undoLimit(context, 'heapMb', record);
  },
});
