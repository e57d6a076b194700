import { GraceError } from '../../kernel/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { Breaker } from '../../domains/governance/index.ts';
import { actorOf } from '../../runtime/audit.ts';
import type { Answer } from './answer.ts';
import type { AskPolicies } from './ask-policies.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';
import { fitted, paint } from './terminal.ts';
import { iso, when } from './when.ts';

/** As long as a sentence; a reason is no log. */
const REASON_CHARS_MAX = 500;

class BreakerRefused extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_CLI_BREAKER_REFUSED', message, hint });
  }
}

/** `grace breakers list`: playbooks that do not run any more until a person says so; the open ones first. */
export async function listBreakers(memory: Memory): Promise<Answer> {
  const breakers = (await memory.limits.breakers())
    .toReversed()
    .toSorted((a, b) => Number(b.closedAtMs === null) - Number(a.closedAtMs === null));
  const lines =
    breakers.length === 0
      ? ['no breaker has ever opened']
      : [
          fitted([
            ['breaker', 'state', 'playbook', 'component', 'opened', 'why'].map((title) => paint('dim', title)),
            ...breakers.map((b) => [
              b.id,
              b.closedAtMs === null ? paint('red', 'open') : `closed by ${b.closedBy ?? '?'} ${when(b.closedAtMs, memory.nowMs)}`,
              b.kind === 'storm' ? 'all (storm)' : (b.playbook ?? 'all'),
              b.component ?? 'all',
              when(b.openedAtMs, memory.nowMs),
              b.reason,
            ]),
          ]),
          ...(breakers.some((b) => b.closedAtMs === null)
            ? [paint('dim', 'close one when you know why it did not help: grace breakers close ID --reason …')]
            : []),
        ];
  return { exitCode: 0, data: breakers.map(breakerJson), lines };
}

/** `grace breakers close`: the playbook may run there again. @throws BreakerRefused, NotKnown, ActionRefused */
export async function closeBreaker(memory: Memory, id: string, by: string, reason: string, ask: AskPolicies): Promise<Answer> {
  const breaker = (await memory.limits.breakers()).find((b) => b.id === id);
  if (breaker === undefined) throw new NotKnown('breaker', id, 'see them with: grace breakers list');
  if (breaker.closedAtMs !== null)
    throw new BreakerRefused(`${id} was closed by ${breaker.closedBy ?? '?'} already`, 'see the open ones with: grace breakers list');
  if (reason.trim() === '' || reason.length > REASON_CHARS_MAX)
    throw new BreakerRefused(
      `--reason has to be a text of 1 to ${REASON_CHARS_MAX} characters`,
      'say what you found, for those who come later',
    );
  const closed = { ...breaker, closedAtMs: memory.nowMs, closedBy: actorOf(by), closeReason: new Redactor().redact(reason) };
  const what =
    breaker.kind === 'storm'
      ? 'playbooks run at run time again'
      : `${breaker.playbook ?? 'playbooks'} may run on ${breaker.component ?? 'any component'} again`;
  const decision = await ask({
    request: (about) => ({ action: 'close_breaker', ...about, component: breaker.component ?? '', breaker: id }),
    what: `closing ${id}`,
    occasion: String(breaker.openedAtMs),
    summary: [`close ${id}, which opened because ${breaker.reason}: ${what}`, `why it may: ${closed.closeReason}`],
  });
  await memory.limits.saveBreaker(closed);
  return {
    exitCode: 0,
    data: { ...breakerJson(closed), decision: decision.reason },
    lines: [`${paint('green', 'closed')} ${id} by ${by}: ${what}`],
  };
}

function breakerJson(b: Breaker): Readonly<Record<string, unknown>> {
  return {
    id: b.id,
    kind: b.kind,
    state: b.closedAtMs === null ? 'open' : 'closed',
    playbook: b.playbook,
    component: b.component,
    reason: b.reason,
    opened_at: iso(b.openedAtMs),
    closed_at: b.closedAtMs === null ? null : iso(b.closedAtMs),
    closed_by: b.closedBy,
    close_reason: b.closeReason,
  };
}
