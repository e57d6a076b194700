import type { Check, Finding } from '../../domains/preflight/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { sized } from './disk-space.ts';
import { found } from './found.ts';
import { BESIDE_HEAP_BYTES, COMMIT_BYTES_LOW, MEMORY_BYTES_LOW } from './machine-thresholds.ts';

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: MIB, g: 1024 * MIB };

/** Memory of the control group and the machine against what is left of it and what the heap of the service may grow to. Only warns. */
export const memory: Check = {
  name: 'memory',
  title: 'memory and heap limits',
  timeLimitMs: 2000,
  when: 'beside_start',
  isNeeded: async ({ components }) => components.length > 0,
  async run(context) {
    const findings: Finding[] = [];
    const { memory: group } = await context.machine.group();
    const machine = await context.machine.memory();
    const max = Math.min(group.max ?? Infinity, machine?.total ?? Infinity);
    const where = group.max !== null && group.max <= (machine?.total ?? Infinity) ? 'the control group' : 'this machine';
    const say = (code: string, component: string, message: string, hint: string): void =>
      void findings.push(found(context, { severity: 'warn', code, component, message, hint }));
    for (const spec of context.components) {
      const heap = heapOf(spec, await context.environmentOf(spec));
      if (heap === null || heap.bytes + BESIDE_HEAP_BYTES <= max) continue;
      say(
        'heap_above_limit',
        spec.name,
        `its heap may grow to ${sized(heap.bytes)} (${heap.from}), and ${where} has ${sized(max)}: it is killed before it collects its garbage`,
        `set it to three quarters of the limit at most: ${Math.floor((max * 0.75) / MIB)} MiB; or give it more memory`,
      );
    }
    const left = Math.min(group.left ?? Infinity, machine?.available ?? Infinity);
    if (left < MEMORY_BYTES_LOW) {
      const isGroup = (group.left ?? Infinity) <= (machine?.available ?? Infinity);
      say(
        'memory_low',
        'grace',
        `only ${sized(left)} of memory are left ${isGroup ? `in the control group, which may have ${sized(group.max ?? 0)}` : 'on this machine'}`,
        'stop what is not needed (ps aux --sort=-rss | head), or give it more memory',
      );
    }
    if (machine?.commitLeft !== null && machine !== null && machine.commitLeft < COMMIT_BYTES_LOW)
      say(
        'overcommit_strict',
        'grace',
        `this machine promises no more memory than it has (vm.overcommit_memory=2), and ${sized(machine.commitLeft)} are left to promise`,
        'Node and Java reserve more than they use: add swap, or set vm.overcommit_memory to 0',
      );
    return findings;
  },
};

/** How far the heap of a Node or Java program may grow, where somebody said so; the command wins over the environment, as with them. */
export function heapOf(
  spec: Pick<ComponentSpec, 'command' | 'limits'>,
  env: Readonly<Record<string, string>>,
): { readonly bytes: number; readonly from: string } | null {
  const places: readonly (readonly [from: string, text: string])[] = [
    ['its command', spec.command.join(' ')],
    ...['NODE_OPTIONS', 'JAVA_OPTS', 'JDK_JAVA_OPTIONS', 'JAVA_TOOL_OPTIONS'].map((name) => [name, env[name] ?? ''] as const),
  ];
  const said = places.flatMap(([from, text]) => {
    const node = [...text.matchAll(/(?:^|[\s"'=])--max[-_]old[-_]space[-_]size[= ](\d{1,9})(?=$|[\s"'])/g)].at(-1)?.[1];
    const java = [...text.matchAll(/(?:^|[\s"'=])-Xmx(\d{1,12})([kmg]?)(?=$|[\s"'])/gi)].at(-1);
    if (node !== undefined) return [{ from: `--max-old-space-size in ${from}`, bytes: Number(node) * MIB }];
    return java === undefined ? [] : [{ from: `-Xmx in ${from}`, bytes: Number(java[1]) * (UNITS[(java[2] ?? '').toLowerCase()] ?? 1) }];
  });
  const given = spec.limits.heapMb === null ? null : { from: 'limits.heapMb', bytes: spec.limits.heapMb * MIB };
  return said[0]?.from.endsWith('its command') === true ? said[0] : (given ?? said[0] ?? null);
}
