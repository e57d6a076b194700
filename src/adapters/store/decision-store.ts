import type { CompiledQuery, Kysely, Selectable } from 'kysely';
import type { DecisionRecord, RecordedDecision } from '../../domains/governance/index.ts';
import type { Json } from '../../kernel/index.ts';
import { plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/** Decisions that are kept, some five megabytes: a busy service takes months for them. */
const KEPT = 10_000;
/** The oldest are forgotten now and then, not at each decision. */
const FORGET_EVERY = 100;

/**
 * @param kept how many, give or take those that are forgotten at once
 * @param carry how one is written down
 */
export function decisionStore(db: Kysely<Tables>, kept = KEPT, carry: Carry<RecordedDecision> = plainly(db)): DecisionRecord {
  return {
    async write(entry) {
      await carry([decisionQuery(db, entry)], entry);
      const { seq } = await db.selectFrom('decisions').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirstOrThrow();
      if (seq % FORGET_EVERY === 0 && seq > kept)
        await db
          .deleteFrom('decisions')
          .where('seq', '<=', seq - kept)
          .execute();
    },
    async list({ component, limit }) {
      let query = db.selectFrom('decisions').selectAll().orderBy('seq', 'desc').limit(limit);
      if (component !== undefined) query = query.where('component', '=', component);
      return (await query.execute()).map(fromRow);
    },
    async lastAllowed(action, subject) {
      const newest = await db
        .selectFrom('decisions')
        .select('id')
        .where('action', '=', action)
        .where('subject', '=', subject)
        .where('verdict', 'in', ['allow', 'allow_with_notice'])
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst();
      return newest?.id ?? null;
    },
  };
}

export function decisionQuery(db: Kysely<Tables>, entry: RecordedDecision): CompiledQuery {
  return db
    .insertInto('decisions')
    .values({
      id: entry.id,
      at: entry.atMs,
      actor: entry.actor,
      actor_kind: entry.actorKind,
      action: entry.action,
      subject: entry.subject,
      component: entry.component,
      verdict: entry.verdict,
      reason: entry.reason,
      policies: JSON.stringify(entry.policies),
      approval: entry.approval,
      asked: JSON.stringify(entry.asked),
    })
    .compile();
}

function fromRow(row: Selectable<Tables['decisions']>): RecordedDecision {
  return {
    id: row.id,
    atMs: row.at,
    actor: row.actor,
    actorKind: row.actor_kind,
    action: row.action as RecordedDecision['action'],
    subject: row.subject,
    component: row.component,
    verdict: row.verdict as RecordedDecision['verdict'],
    reason: row.reason,
    policies: JSON.parse(row.policies) as string[],
    approval: row.approval,
    asked: JSON.parse(row.asked) as Json,
  };
}
