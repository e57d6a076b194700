import { type CompiledQuery, sql, type Kysely, type Selectable } from 'kysely';
import {
  readSignatureParts,
  type Explanation,
  type Failure,
  type IncidentStore,
  type Pattern,
  type PatternState,
} from '../../domains/incidents/index.ts';
import { bootId, incidentId, signatureOf } from '../../kernel/index.ts';
import type { Tables } from './tables.ts';

/** Occurrences of one pattern whose full text is kept; older ones only count. */
const FAILURES_KEPT_PER_PATTERN = 50;

export function incidentStore(db: Kysely<Tables>): IncidentStore {
  const patterns = () => db.selectFrom('patterns').selectAll();
  return {
    async saveFailure(failure) {
      await db.transaction().execute(async (t) => {
        await t
          .insertInto('failures')
          .values({
            id: failure.id,
            boot_id: failure.bootId,
            at: failure.atMs,
            stage: failure.stage,
            component: failure.component,
            symptom: failure.symptom,
            signature: failure.signature,
            body: JSON.stringify(failure),
          })
          .execute();
        const old = await t
          .selectFrom('failures')
          .select('id')
          .where('signature', '=', failure.signature)
          .orderBy('at', 'desc')
          .offset(FAILURES_KEPT_PER_PATTERN)
          .limit(100)
          .execute();
        if (old.length > 0)
          await t
            .deleteFrom('failures')
            .where(
              'id',
              'in',
              old.map((o) => o.id),
            )
            .execute();
      });
    },
    async failure(id) {
      const row = await db.selectFrom('failures').select('body').where('id', '=', id).executeTakeFirst();
      return row ? failureFrom(row.body) : null;
    },
    async failuresOf(boot) {
      const rows = await db.selectFrom('failures').select('body').where('boot_id', '=', boot).orderBy('at').execute();
      return rows.map((r) => failureFrom(r.body));
    },
    async failuresLike(signature, limit) {
      const rows = await db
        .selectFrom('failures')
        .select('body')
        .where('signature', '=', signature)
        .orderBy('at', 'desc')
        .limit(limit)
        .execute();
      return rows.map((r) => failureFrom(r.body));
    },
    async occurrences(sinceMs) {
      const { rows } = await sql<OccurrenceRow>`
        select failure_id as id, signature, boot_id, at, json_extract(body, '$.outcome') as outcome,
          json_extract(body, '$.playbook') as playbook from explanations where at >= ${sinceMs}
        union all
        select id, signature, boot_id, at, null, null from failures
          where at >= ${sinceMs} and id not in (select failure_id from explanations where at >= ${sinceMs})
        order by at`.execute(db);
      return rows.map((row) => ({
        failureId: row.id,
        signature: signatureOf(row.signature),
        bootId: bootId(row.boot_id),
        atMs: row.at,
        outcome: row.outcome,
        playbook: row.playbook,
      }));
    },
    async pattern(signature) {
      const row = await patterns().where('signature', '=', signature).executeTakeFirst();
      return row ? patternFrom(row) : null;
    },
    async patternByIncident(id) {
      const row = await patterns().where('incident_id', '=', id).executeTakeFirst();
      return row ? patternFrom(row) : null;
    },
    async patterns() {
      return (await patterns().orderBy('last_seen', 'desc').execute()).map(patternFrom);
    },
    async savePattern(pattern) {
      await db.transaction().execute(async (t) => {
        const known = await t
          .selectFrom('patterns')
          .select(['occurrences', 'last_seen'])
          .where('signature', '=', pattern.signature)
          .executeTakeFirst();
        const occurrences = Math.max(pattern.occurrences, known?.occurrences ?? 0);
        await writePattern(t, { ...pattern, occurrences, lastSeenMs: Math.max(pattern.lastSeenMs, known?.last_seen ?? 0) });
      });
    },
    changePattern: (signature, change) =>
      db.transaction().execute(async (t) => {
        const row = await t.selectFrom('patterns').selectAll().where('signature', '=', signature).executeTakeFirst();
        const changed = change(row === undefined ? null : patternFrom(row));
        if (changed !== null) await writePattern(t, changed);
        return changed;
      }),
    async saveExplanation(explanation) {
      const row = {
        failure_id: explanation.failureId,
        signature: explanation.signature,
        boot_id: explanation.bootId,
        at: explanation.atMs,
        body: JSON.stringify(explanation),
      };
      await db
        .insertInto('explanations')
        .values(row)
        .onConflict((c) => c.column('failure_id').doUpdateSet(row))
        .execute();
    },
    async explanations({ bootId, signature, limit }) {
      let query = db.selectFrom('explanations').select('body').orderBy('at', 'desc').limit(limit);
      if (bootId !== undefined) query = query.where('boot_id', '=', bootId);
      if (signature !== undefined) query = query.where('signature', '=', signature);
      return (await query.execute()).map((r) => JSON.parse(r.body) as Explanation);
    },
  };
}

interface OccurrenceRow {
  readonly id: string;
  readonly signature: string;
  readonly boot_id: string;
  readonly at: number;
  readonly outcome: Explanation['outcome'] | null;
  readonly playbook: string | null;
}

/** Failures stay readable across versions of the rules that signed them. */
function failureFrom(body: string): Failure {
  const stored = JSON.parse(body) as Failure;
  return { ...stored, signatureParts: readSignatureParts(stored.signatureParts) };
}

async function writePattern(db: Kysely<Tables>, pattern: Pattern): Promise<void> {
  await db.executeQuery(patternQuery(db, pattern));
}

export function patternQuery(db: Kysely<Tables>, pattern: Pattern): CompiledQuery {
  const row = {
    signature: pattern.signature,
    incident_id: pattern.incidentId,
    family: pattern.family,
    component: pattern.component,
    stage: pattern.stage,
    family_name: pattern.familyName,
    template: pattern.template,
    root_cause: pattern.rootCause,
    occurrences: pattern.occurrences,
    first_seen: pattern.firstSeenMs,
    last_seen: pattern.lastSeenMs,
    state: pattern.state,
    playbook: pattern.playbook,
    clean_boots: pattern.cleanBoots,
  };
  return db
    .insertInto('patterns')
    .values(row)
    .onConflict((c) => c.column('signature').doUpdateSet(row))
    .compile();
}

function patternFrom(row: Selectable<Tables['patterns']>): Pattern {
  return {
    signature: signatureOf(row.signature),
    incidentId: incidentId(row.incident_id),
    family: row.family,
    component: row.component,
    stage: row.stage,
    familyName: row.family_name,
    template: row.template,
    rootCause: row.root_cause,
    occurrences: row.occurrences,
    firstSeenMs: row.first_seen,
    lastSeenMs: row.last_seen,
    state: row.state as PatternState,
    playbook: row.playbook,
    cleanBoots: row.clean_boots,
  };
}
