import type { Kysely, Selectable } from 'kysely';
import type { GroupingRule, GroupingRuleStore, SplitPart } from '../../domains/incidents/index.ts';
import { signatureOf } from '../../kernel/index.ts';
import { plainly, type Carry } from './carry.ts';
import { patternQuery } from './incident-store.ts';
import type { Tables } from './tables.ts';

/** @param carry how a rule is written down */
export function groupingRuleStore(db: Kysely<Tables>, carry: Carry<GroupingRule> = plainly(db)): GroupingRuleStore {
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
      const save = db
        .insertInto('grouping_rules')
        .values(row)
        .onConflict((c) => c.column('id').doUpdateSet(row));
      await carry([save.compile(), ...patterns.map((pattern) => patternQuery(db, pattern))], rule);
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
