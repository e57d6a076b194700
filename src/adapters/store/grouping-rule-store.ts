import type { Kysely, Selectable } from 'kysely';
import type { GroupingRule, GroupingRuleStore, SplitPart, TakenBack } from '../../domains/incidents/index.ts';
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
        claimed_name: rule.claimedName ?? null,
        taken_back_claimed_name: rule.takenBack?.claimedName ?? null,
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
    ...(row.claimed_name === null ? {} : { claimedName: row.claimed_name }),
    atMs: row.at,
    reason: row.reason,
    takenBack: row.taken_back_by === null ? null : takenBackFrom(row, row.taken_back_by),
  };
  return row.kind === 'merge'
    ? { ...decided, kind: 'merge', into: signatureOf(row.target) }
    : { ...decided, kind: 'split', part: row.target as SplitPart };
}

function takenBackFrom(row: Selectable<Tables['grouping_rules']>, by: string): TakenBack {
  const { taken_back_claimed_name: claimedName, taken_back_at: atMs } = row;
  return { by, ...(claimedName === null ? {} : { claimedName }), atMs: atMs ?? 0 };
}
