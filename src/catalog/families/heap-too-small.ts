import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import {
  diagnosis,
  HARMLESS,
  isRuntime,
  LIKELY,
  linesOf,
  number,
  PERHAPS,
  PLAUSIBLE,
  remedy,
  remedyInPlace,
  step,
  SURE,
  ONE_WAY,
} from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { isKill } from './killed-for-memory.ts';
import { nameSlug } from './places.ts';

/** A process that fills its memory later than this had enough to start with: it leaks. */
const LEAK_AFTER_MS = 60_000;
/** An explicit limit up to this is more likely too small than filled by a leak. */
const SMALL_LIMIT_MB = 512;
const HEAP_MB_MIN = 128;
const STEP = 4;

export const heapTooSmall: FailureFamily = {
  name: 'heap_too_small',
  title: 'the memory limit is too small',
  async diagnose(c) {
    // What the kernel ends has no limit of its own that could be raised.
    const facts = factsOf(c, 'out_of_memory').filter((f) => !isKill(f));
    if (facts.length === 0) return [];
    const ofPhp = facts.find((f) => f.code === 'memory_limit');
    if (ofPhp !== undefined) return [phpLimit(ofPhp)];
    const explicit = explicitLimitMb(c);
    // Only V8's limit can be raised from outside without knowing the program.
    const isNode = facts.every((f) => f.runtime === 'node') || explicit !== null;
    const limit = !isNode ? null : (explicit ?? facts.map((f) => number(f, 'limitMb')).find((mb) => mb !== null && mb > 0) ?? null);
    const isSmall = explicit !== null && explicit <= SMALL_LIMIT_MB;
    const evidence = [
      ...linesOf(facts),
      limit === null ? '' : `the limit is ${limit} MB`,
      ...c.drift.filter((d) => d.kind === 'limit').map((d) => d.message),
    ];
    if (!isSmall && ((c.failure.afterMs ?? 0) > LEAK_AFTER_MS || (limit === null && isRuntime(c))))
      return [
        diagnosis('heap_too_small', {
          cause: `${c.component.name} filled its memory within ${Math.round((c.failure.afterMs ?? 0) / 1000)} s: most likely it leaks`,
          confidence: PLAUSIBLE,
          evidence,
          remedy: remedyInPlace(
            `restart_${nameSlug(c.component.name)}_out_of_memory`,
            `start ${c.component.name} again with empty memory`,
            ONE_WAY,
            [step(`start ${c.component.name} again`, 'restart_component', { reason: 'it ran out of memory' })],
          ),
          advice: ['look for what grows: a heap snapshot before it dies shows it'],
        }),
      ];
    const half = Math.floor((await c.host.memoryTotalBytes()) / 2 / 1024 / 1024);
    const toMb = Math.min(Math.max(HEAP_MB_MIN, (limit ?? 0) * STEP), half);
    if (limit === null || toMb <= limit)
      return [
        diagnosis('heap_too_small', {
          cause:
            limit === null
              ? `${c.component.name} ran out of memory, and what limits it is not known`
              : `${c.component.name} needs more than ${limit} MB, and this machine has no more to give`,
          confidence: limit === null ? PERHAPS : PLAUSIBLE,
          evidence,
          advice: ['give it a machine with more memory, or find what fills it'],
        }),
      ];
    return [
      diagnosis('heap_too_small', {
        cause: `${limit} MB of heap are too little for ${c.component.name}`,
        confidence: isSmall ? SURE : LIKELY,
        evidence,
        remedy: remedy(`raise_heap_to_${toMb}`, `raise the heap limit from ${limit} to ${toMb} MB`, HARMLESS, [
          step(`raise the heap limit to ${toMb} MB`, 'raise_heap_limit', { toMb }),
        ]),
        advice: [`raise --max-old-space-size to ${toMb}`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('heap_too_small', g),
};

/** PHP has no variable for it: php.ini, the pool of FPM or the code decide. */
function phpLimit(fact: Fact): Diagnosis {
  const limit = number(fact, 'limitMb');
  return diagnosis('heap_too_small', {
    cause: `PHP's memory_limit of ${limit ?? 'so many'} MB is used up`,
    confidence: PLAUSIBLE,
    evidence: [fact.line],
    advice: [
      'raise memory_limit in php.ini or in the pool of PHP-FPM (php_admin_value[memory_limit])',
      'or find what reads everything at once: a query without a limit, a file as one string',
    ],
  });
}

function explicitLimitMb(c: CaseFile): number | null {
  const flag = (words: string): number | null => {
    const value = /--max[-_]old[-_]space[-_]size[= ](\d+)/.exec(words)?.[1];
    return value === undefined ? null : Number(value);
  };
  return c.overrides.heapMb ?? flag(c.component.command.join(' ')) ?? c.component.limits.heapMb ?? flag(c.env['NODE_OPTIONS'] ?? '');
}
