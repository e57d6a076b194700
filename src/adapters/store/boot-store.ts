import type { Kysely, Selectable } from 'kysely';
import type { BootRecord, BootStore } from '../../domains/boot/index.ts';
import { bootId, type JsonObject } from '../../kernel/index.ts';
import type { Tables } from './tables.ts';

export function bootStore(db: Kysely<Tables>): BootStore {
  const all = () => db.selectFrom('boots').selectAll();
  return {
    async save(record) {
      const row = {
        id: record.id,
        started_at: record.startedAtMs,
        ended_at: record.endedAtMs,
        outcome: record.outcome,
        mode: record.mode,
        is_verified: record.isVerified ? 1 : 0,
        report: JSON.stringify(record.report),
        fingerprint: JSON.stringify(record.fingerprint),
      };
      await db
        .insertInto('boots')
        .values(row)
        .onConflict((c) => c.column('id').doUpdateSet(row))
        .execute();
    },
    async get(id) {
      const row = await all().where('id', '=', id).executeTakeFirst();
      return row ? fromRow(row) : null;
    },
    async list(limit) {
      return (await all().orderBy('started_at', 'desc').orderBy('id', 'desc').limit(limit).execute()).map(fromRow);
    },
    async lastVerified() {
      const row = await all().where('is_verified', '=', 1).orderBy('started_at', 'desc').limit(1).executeTakeFirst();
      return row ? fromRow(row) : null;
    },
    async running() {
      return (await all().where('outcome', '=', 'running').execute()).map(fromRow);
    },
    async forgetMetricsBefore(atMs) {
      await db.deleteFrom('metrics').where('at', '<', atMs).execute();
    },
    async forgetFingerprints(kept) {
      const newest = db.selectFrom('boots').select('id').orderBy('started_at', 'desc').limit(kept);
      const verified = db.selectFrom('boots').select('id').where('is_verified', '=', 1).orderBy('started_at', 'desc').limit(1);
      await db
        .updateTable('boots')
        .set({ fingerprint: '{}' })
        .where('fingerprint', '!=', '{}')
        .where('id', 'not in', newest)
        .where('id', 'not in', verified)
        .execute();
    },
    async saveMetrics(id, metrics) {
      if (metrics.length === 0) return;
      const rows = metrics.map((m) => ({ boot_id: id, name: m.name, component: m.component, at: m.atMs, value: m.value }));
      await db.insertInto('metrics').values(rows).execute();
    },
  };
}

function fromRow(row: Selectable<Tables['boots']>): BootRecord {
  return {
    id: bootId(row.id),
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    outcome: row.outcome,
    mode: row.mode,
    isVerified: row.is_verified === 1,
    report: JSON.parse(row.report) as BootRecord['report'],
    fingerprint: JSON.parse(row.fingerprint) as JsonObject,
  };
}
