import type { ShadowRecord, ShadowScore } from '../../domains/learning/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';
import { fitted, paint, table } from './terminal.ts';
import { iso, when } from './when.ts';

const SCORES: readonly ShadowScore[] = ['hit', 'miss', 'harm', 'open', 'unknown'];

/** `grace playbooks shadow`: what playbooks that were not allowed to run would have done, scored against what really helped [GV-4]. */
export async function listShadow(memory: Memory, playbook: string | undefined, sinceMs: number | undefined): Promise<Answer> {
  const from = sinceMs === undefined ? 0 : memory.nowMs - sinceMs;
  const records = (await memory.shadows.list(from)).filter((r) => playbook === undefined || r.playbook === playbook);
  const groups = [...Map.groupBy(records, (r) => `${r.playbook} ${r.signature}`).values()].map((all) => {
    const count = (score: ShadowScore): number => all.filter((r) => r.score === score).length;
    return {
      playbook: all[0]?.playbook ?? '',
      signature: all[0]?.signature ?? '',
      scores: Object.fromEntries(SCORES.map((s) => [s, count(s)])) as Record<ShadowScore, number>,
      selfRecoveries: all.filter((r) => r.endedBy === 'itself').length,
      last: all.at(-1),
    };
  });
  const data = groups.map(({ playbook: name, signature, scores, selfRecoveries, last }) => ({
    playbook: name,
    signature,
    hits: scores.hit,
    misses: scores.miss,
    harms: scores.harm,
    open: scores.open,
    unknown: scores.unknown,
    self_recoveries: selfRecoveries,
    records: records.filter((r) => r.playbook === name && r.signature === signature).map((r) => r.id),
    last: last?.id ?? null,
  }));
  const lines =
    groups.length === 0
      ? ['nothing yet: no playbook was kept from running']
      : [
          fitted([
            ['playbook', 'failure', ...SCORES, 'by itself', 'newest'].map((title) => paint('dim', title)),
            ...groups.map((g) => [
              g.playbook,
              g.signature,
              ...SCORES.map((s) => (s === 'harm' && g.scores[s] > 0 ? paint('red', String(g.scores[s])) : String(g.scores[s]))),
              String(g.selfRecoveries),
              g.last?.id ?? '',
            ]),
          ]),
          paint('dim', 'what one of them rests on: grace playbooks shadow show ID'),
        ];
  return { exitCode: 0, data, lines };
}

/** `grace playbooks shadow show`. */
export async function showShadow(memory: Memory, id: string): Promise<Answer> {
  const r = await memory.shadows.get(id);
  if (r === null) throw new NotKnown('shadow record', id, 'see them with: grace playbooks shadow --json');
  const lines = [
    `${paint('bold', r.id)}  ${r.playbook} on ${r.component}: ${r.score}`,
    '',
    table([
      ['  seen', `${r.seen === 1 ? 'once' : `${r.seen} times`}, first ${when(r.firstAtMs, memory.nowMs)}, in ${r.bootId}`],
      ['  decided', `${r.verdict}: ${r.reason}`],
      ...(r.last ?? []).map((s, i) => [i === 0 ? '  would have' : '', `${s.step} (${s.state}): ${s.summary || s.targets.join(', ')}`]),
      ['  ended', r.endedAtMs === null ? 'it goes on' : `${when(r.endedAtMs, memory.nowMs)}, by ${r.endedBy ?? 'unknown'}`],
      ...r.evidence.map((text, i) => [i === 0 ? '  evidence' : '', text]),
    ]),
  ];
  return { exitCode: 0, data: recordJson(r), lines };
}

function recordJson(r: ShadowRecord): Readonly<Record<string, unknown>> {
  const steps = (all: ShadowRecord['last']) =>
    all?.map(({ step, primitive, state, summary, targets }) => ({ step, primitive, state, summary, targets })) ?? null;
  return {
    id: r.id,
    playbook: r.playbook,
    hash: r.hash,
    component: r.component,
    signature: r.signature,
    failure: r.failureId,
    boot: r.bootId,
    verdict: r.verdict,
    reason: r.reason,
    seen: r.seen,
    first_at: iso(r.firstAtMs),
    last_at: iso(r.lastAtMs),
    would_have: steps(r.last),
    score: r.score,
    ended_by: r.endedBy,
    ended_at: r.endedAtMs === null ? null : iso(r.endedAtMs),
    evidence: r.evidence,
  };
}
