import type { Kysely, Selectable } from 'kysely';
import type { GroupingRule, GroupingRuleStore, SplitPart } from '../../domains/incidents/index.ts';
import { signatureOf } from '../../kernel/index.ts';
import { writePattern } from './incident-store.ts';
import type { Tables } from './tables.ts';

export function groupingRuleStore(db: Kysely<Tables>): GroupingRuleStore {
  return {
    async list() {
      return (await db.selectFrom('grouping_rules').selectAll().orderBy('at').orderBy('id').execute()).map(ruleFrom);
    },
    async save(rule, patterns) {
      const row = {
        id: rule.id,
        kind: rule.kind,
        signature: rule.signature,
        target: rule.kind === 'merge' ? rule.into : rule.part,
        author: rule.by,
        at: rule.atMs,
        reason: rule.reason,
        taken_back_by: rule.takenBack?.by ?? null,
        taken_back_at: rule.takenBack?.atMs ?? null,
      };
      await db.transaction().execute(async (t) => {
        await t
          .insertInto('grouping_rules')
          .values(row)
          .onConflict((c) => c.column('id').doUpdateSet(row))
          .execute();
        for (const pattern of patterns) await writePattern(t, pattern);
      });
    },
  };
}

function ruleFrom(row: Selectable<Tables['grouping_rules']>): GroupingRule {
  const decided = {
    id: row.id,
    signature: signatureOf(row.signature),
    by: row.author,
    atMs: row.at,
    reason: row.reason,
    takenBack: row.taken_back_by === null ? null : { by: row.taken_back_by, atMs: row.taken_back_at ?? 0 },
  };
  return row.kind === 'merge'
    ? { ...decided, kind: 'merge', into: signatureOf(row.target) }
    : { ...decided, kind: 'split', part: row.target as SplitPart };
}
