import type { Kysely } from 'kysely';
import type { AutonomyTier, TierChange, TierChangeStore } from '../../domains/governance/index.ts';
import type { SeenStep, ShadowRecord, ShadowStore } from '../../domains/learning/index.ts';
import { plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/** @param carry how a change is written down */
export function tierChangeStore(db: Kysely<Tables>, carry: Carry<TierChange> = plainly(db)): TierChangeStore {
  return {
    async of(playbook, hash) {
      const rows = await db
        .selectFrom('tier_changes')
        .selectAll()
        .where('playbook', '=', playbook)
        .where('hash', '=', hash)
        .orderBy('at')
        .execute();
      return rows.map(({ from_tier: from, to_tier: to, at: atMs, ...row }) => ({
        ...row,
        from: from as AutonomyTier,
        to: to as AutonomyTier,
        atMs,
      }));
    },
    async save(changed) {
      const { from, to, atMs, ...change } = changed;
      const insert = db
        .insertInto('tier_changes')
        .values({ ...change, from_tier: from, to_tier: to, at: atMs })
        .compile();
      await carry([insert], changed);
    },
  };
}

export function shadowStore(db: Kysely<Tables>): ShadowStore {
  const read = (rows: readonly { readonly body: string }[]) => rows.map(({ body }) => recordOf(JSON.parse(body) as ShadowRecord));
  const records = () => db.selectFrom('shadow_records').select('body').orderBy('first_at').orderBy('id');
  return {
    async save(record) {
      const { id, playbook, component, signature, score, firstAtMs } = record;
      const row = { id, playbook, component, signature, score, first_at: firstAtMs, body: JSON.stringify(record) };
      await db
        .insertInto('shadow_records')
        .values(row)
        .onConflict((c) => c.column('id').doUpdateSet(row))
        .execute();
    },
    async get(id) {
      return read(await records().where('id', '=', id).execute())[0] ?? null;
    },
    async open(component) {
      return read(await records().where('component', '=', component).where('score', '=', 'open').execute());
    },
    async list(sinceMs) {
      return read(await records().where('first_at', '>=', sinceMs).execute());
    },
    async ofSignature(signature) {
      return read(await records().where('signature', '=', signature).execute());
    },
  };
}

/** A record that was kept before it said what was looked at: that was what the step would act on. */
function recordOf(record: ShadowRecord): ShadowRecord {
  return { ...record, first: stepsOf(record.first), last: stepsOf(record.last) };
}

type KeptStep = Omit<SeenStep, 'looked' | 'changesNothing'> & Partial<SeenStep>;

function stepsOf(steps: readonly KeptStep[] | null): readonly SeenStep[] | null {
  return steps?.map((step) => ({ ...step, looked: step.looked ?? step.targets, changesNothing: step.changesNothing ?? false })) ?? null;
}
