import { randomUUID } from 'node:crypto';
import { effectiveTier, promotionRefusal, type AutonomyTier } from '../../domains/governance/index.ts';
import { standingsOf } from '../../domains/healing/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import { GraceError } from '../../kernel/index.ts';
import { actorOf } from '../../runtime/audit.ts';
import { knowledge } from '../../runtime/load-knowledge.ts';
import type { Answer } from './answer.ts';
import type { AskPolicies } from './ask-policies.ts';
import { changeRequest } from './change-playbook.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';
import { paint } from './terminal.ts';

const REASON_CHARS_MAX = 500;

class PromotionRefused extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_CLI_PROMOTION_REFUSED', message, hint });
  }
}

/** `grace playbooks promote`: a person lets exactly these bytes run with less asking [GV-7]. @throws PromotionRefused, NotKnown, ActionRefused */
export async function promotePlaybook(
  memory: Memory,
  name: string,
  to: AutonomyTier,
  by: string,
  reason: string,
  ask: AskPolicies,
): Promise<Answer> {
  const p = await memory.playbooks.get(name);
  if (p === null) throw new NotKnown('playbook', name, 'see the known ones with: grace playbooks list');
  if (reason.trim() === '' || reason.length > REASON_CHARS_MAX)
    throw new PromotionRefused(`--reason has to be a text of 1 to ${REASON_CHARS_MAX} characters`, 'say what you looked at');
  const from = effectiveTier(p.tier, await memory.tierChanges.of(name, p.hash));
  const { primitives } = await knowledge();
  const refusal = promotionRefusal({
    to,
    declared: p.tier,
    effective: from,
    risk: p.risk,
    origin: p.origin,
    hasIrreversible: p.steps.length === 0 || p.steps.some((s) => (primitives.get(s.primitive)?.undo ?? null) === null),
    standings: await standingsOf(memory, name, p.hash, memory.nowMs),
  });
  if (refusal !== null) throw new PromotionRefused(`${name} is not promoted to ${to}: ${refusal}`, `see grace playbooks show ${name}`);
  const change = {
    id: `tier_${randomUUID().slice(0, 8)}`,
    playbook: name,
    hash: p.hash,
    kind: 'promoted' as const,
    from,
    to,
    by: actorOf(by),
    atMs: memory.nowMs,
    reason: new Redactor().redact(reason),
  };
  const decision = await ask({
    request: (about) => changeRequest(about, p, { change: 'promote', tier: from, toTier: to }),
    what: `the promotion of ${name}`,
    occasion: `${p.hash} ${from} ${to}`,
    summary: [`promote ${name} from ${from} to ${to}: ${change.reason}`],
  });
  await memory.tierChanges.save(change);
  return {
    exitCode: 0,
    data: { id: change.id, playbook: name, hash: p.hash, from, to, by, reason: change.reason, decision: decision.reason },
    lines: [`${paint('green', 'promoted')} ${name} from ${from} to ${to} by ${by}; an edit of its file ends that`],
  };
}
