import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { diagnosis, isRuntime, LIKELY, linesOf, PERHAPS, remedyInPlace, step, ONE_WAY } from './answer.ts';
import { nameSlug } from './places.ts';

/** What a shell and the kernel say of a process that was ended with SIGKILL: no limit of its own was reached. */
export function isKill(fact: Fact): boolean {
  return fact.kind === 'out_of_memory' && (fact.code === 'SIGKILL' || fact.code === 'OOM');
}

/** A signal alone does not say who sent it: below what knows only that it ended while it ran. */
const ONLY_KILLED = 0.35;

/** The kernel ended it, because the machine or its container had no memory left. */
export const killedForMemory: FailureFamily = {
  name: 'killed_for_memory',
  title: 'the kernel ended it for want of memory',
  diagnose(c) {
    const facts = factsOf(c, 'out_of_memory').filter(isKill);
    const isKilled = c.failure.signal === 'SIGKILL' || c.failure.exitCode === 137;
    if (facts.length === 0 && !isKilled) return Promise.resolve([]);
    const isSaid = facts.some((f) => f.code === 'OOM');
    return Promise.resolve([
      diagnosis('killed_for_memory', {
        cause: isSaid
          ? `the kernel ended ${c.component.name}: the machine, or its container, had no memory left`
          : `${c.component.name} was killed (SIGKILL): by the kernel for want of memory, or by somebody`,
        confidence: isSaid ? LIKELY : facts.length > 0 ? PERHAPS : ONLY_KILLED,
        evidence: [...linesOf(facts), c.failure.message],
        remedy: isRuntime(c) ? again(c) : null,
        advice: [
          'see the kernel log (dmesg), and memory.max of its container',
          'give it more memory, or lower what it takes: heap, workers, caches',
        ],
      }),
    ]);
  },
  guard: null,
};

/** Empty memory is what it needs, for as long as that lasts. */
function again(c: CaseFile): ReturnType<typeof remedyInPlace> {
  return remedyInPlace(
    `restart_${nameSlug(c.component.name)}_killed_for_memory`,
    `start ${c.component.name} again with empty memory`,
    ONE_WAY,
    [step(`start ${c.component.name} again`, 'restart_component', { reason: 'the kernel ended it for want of memory' })],
  );
}
